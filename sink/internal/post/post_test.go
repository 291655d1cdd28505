package post

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
)

// target is a server that answers each request with whatever bytes say writes.
// It gives the connection up when the client does.
func target(t *testing.T, say func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = new(bytes.Buffer).ReadFrom(req.Body)
					say(c)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func client(t *testing.T, url string) *Client {
	t.Helper()
	c, err := Open(Config{Name: "test", URL: url + "/c4nAry"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func text(s string) func(net.Conn) {
	b := []byte(s)
	return func(c net.Conn) { _, _ = c.Write(b) }
}

// forever repeats a text until the client goes away.
func forever(first, s string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := c.Write([]byte(first))
		for err == nil {
			_, err = c.Write([]byte(s))
		}
	}
}

// holds writes a text and then nothing until the client goes away.
func holds(s string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Write([]byte(s))
		_, _ = c.Read(make([]byte, 1))
	}
}

// TestStrangeAnswers holds what targets that speak badly, slowly, too much or no
// HTTP at all do to an event, and that they cannot keep an attempt longer than
// its deadline.
func TestStrangeAnswers(t *testing.T) {
	const end = "Content-Length: 0\r\n\r\n"
	for _, c := range []struct {
		name  string
		say   func(net.Conn)
		class deliver.Class
		want  string // in the error
		slow  bool   // only its deadline ends it
	}{
		{"100, 102 and 103 before the answer", text("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"), deliver.Delivered, "", false},
		{"103 for ever", forever("", "HTTP/1.1 103 Early Hints\r\nLink: </"+strings.Repeat("x", 1000)+">\r\n\r\n"), deliver.ClassRetry, "headers exceeded", false},
		{"101", text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), deliver.ClassRetry, "answered 101", false},
		{"203", text("HTTP/1.1 203 Non-Authoritative Information\r\n" + end), deliver.Delivered, "", false},
		{"299", text("HTTP/1.1 299 Fine\r\n" + end), deliver.Delivered, "", false},
		{"300", text("HTTP/1.1 300 Multiple Choices\r\n" + end), deliver.ClassRetry, "redirects are not followed", false},
		{"301", text("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n" + end), deliver.ClassRetry, "redirects are not followed", false},
		{"303", text("HTTP/1.1 303 See Other\r\nLocation: http://169.254.169.254/\r\n" + end), deliver.ClassRetry, "redirects are not followed", false},
		{"304", text("HTTP/1.1 304 Not Modified\r\n\r\n"), deliver.ClassRetry, "redirects are not followed", false},
		{"308", text("HTTP/1.1 308 Permanent Redirect\r\nLocation: /elsewhere\r\n" + end), deliver.ClassRetry, "redirects are not followed", false},
		{"402", text("HTTP/1.1 402 Payment Required\r\n" + end), deliver.ClassPermanent, "answered 402", false},
		{"431", text("HTTP/1.1 431 Too Large\r\n" + end), deliver.ClassPermanent, "answered 431", false},
		{"451", text("HTTP/1.1 451 Legal\r\n" + end), deliver.ClassPermanent, "answered 451", false},
		{"504", text("HTTP/1.1 504 Gateway Timeout\r\n" + end), deliver.ClassRetry, "answered 504", false},
		{"799", text("HTTP/1.1 799 What\r\n" + end), deliver.ClassRetry, "answered 799", false},
		{"no HTTP", text("220 mail.example ESMTP\r\n"), deliver.ClassRetry, "malformed HTTP", false},
		{"nothing", func(net.Conn) {}, deliver.ClassRetry, "EOF|reset", false},
		{"status only", text("HTTP/1.1 200 OK\r\n"), deliver.ClassRetry, "EOF", false},
		{"header for ever", forever("HTTP/1.1 200 OK\r\n", "X-A: "+strings.Repeat("x", 1000)+"\r\n"), deliver.ClassRetry, "headers exceeded", false},
		{"one line for ever", forever("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 1000)), deliver.ClassRetry, "headers exceeded", false},
		{"body for ever", forever("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 4096)), deliver.Delivered, "", false},
		{"chunk of a wrong size", text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx"), deliver.Delivered, "", false},
		{"two lengths", text("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), deliver.ClassRetry, "Content-Length", false},
		{"silence", holds(""), deliver.ClassRetry, "deadline exceeded", true},
		{"half a header", holds("HTTP/1.1 200 OK\r\nX-A: b"), deliver.ClassRetry, "deadline exceeded", true},
		{"accepted, and the body does not end", holds("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), deliver.Delivered, "", true},
		{"refused, and the body does not end", holds("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nx"), deliver.ClassRetry, "answered 503", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := target(t, c.say)
			cl := client(t, url)
			attempt := func(limit time.Duration) (slow, good bool, err error) {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				answer, err := cl.Do(ctx, nil, []byte("x"))
				if err == nil {
					err = cl.Classify(answer, "")
				}
				found := c.want == "" && err == nil
				for w := range strings.SplitSeq(c.want, "|") {
					found = found || err != nil && strings.Contains(err.Error(), w)
				}
				class, _ := deliver.Classify(err)
				return ctx.Err() != nil, class == c.class && found, err
			}
			limit := 30 * time.Second
			if c.slow {
				limit = 100 * time.Millisecond
			}
			slow, good, err := attempt(limit)
			for c.slow && slow && !good && limit < 30*time.Second { // this machine may be slow too
				limit *= 4
				slow, good, err = attempt(limit)
			}
			class, _ := deliver.Classify(err)
			if !good || slow != c.slow {
				t.Errorf("%v\nof class %v at its deadline %v, want %v with %q, %v", err, class, slow, c.class, c.want, c.slow)
			}
			if err != nil && (strings.Contains(err.Error(), "c4nAry") || !strings.Contains(err.Error(), url)) {
				t.Errorf("%v: want the target and no path", err)
			}
		})
	}
}

// TestAnswersAreBounded holds that neither a long body nor one that unpacks to a
// thousand times its size takes memory.
func TestAnswersAreBounded(t *testing.T) {
	const size = 16 << 20
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range size / len(zeros) {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]string{
		"gzip": fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), packed.Bytes()),
		"long": "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 8<<20),
	} {
		t.Run(name, func(t *testing.T) {
			cl := client(t, target(t, text(answer)))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := cl.Do(t.Context(), nil, []byte("x"))
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Body) > MaxAnswer || !strings.HasPrefix(answer[strings.Index(answer, "\r\n\r\n")+4:], string(got.Body)) {
				t.Errorf("%d bytes of body, want at most %d of what was sent, as it was sent", len(got.Body), MaxAnswer)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
				t.Errorf("%d bytes allocated for an answer", n)
			}
		})
	}
}

// TestRefusedAddresses holds where connections may go, as the dialer is told.
func TestRefusedAddresses(t *testing.T) {
	for _, c := range []struct {
		address             string
		operator, untrusted string // why refused; "": allowed
	}{
		{"93.184.216.34:443", "", ""},
		{"93.184.216.34:8443", "", ""},
		{"93.184.216.34:80", "", "port 80"},
		{"[2606:2800:220:1::1]:443", "", ""},
		{"127.0.0.1:443", "", "not public"},
		{"[::1]:443", "", "not public"},
		{"[::ffff:127.0.0.1]:443", "", "not public"},
		{"10.1.2.3:443", "", "not public"},
		{"172.16.0.1:443", "", "not public"},
		{"192.168.1.1:443", "", "not public"},
		{"100.64.0.1:443", "", "not public"},
		{"[fd12::1]:443", "", "not public"},
		{"[64:ff9b::7f00:1]:443", "", "not public"},
		{"[2002:7f00:1::]:443", "", "not public"},
		{"0.0.0.0:443", "unspecified", "unspecified"},
		{"[::]:443", "unspecified", "unspecified"},
		{"[::ffff:0.0.0.0]:443", "unspecified", "unspecified"},
		{"169.254.169.254:80", "link-local", "link-local"},
		{"[::ffff:169.254.169.254]:80", "link-local", "link-local"},
		{"[64:ff9b::a9fe:a9fe]:80", "link-local", "link-local"},
		{"[fe80::1%eth0]:443", "link-local", "link-local"},
		{"[fd00:ec2::254]:80", "link-local", "link-local"},
		{"224.0.0.1:443", "multicast", "multicast"},
		{"[ff02::1]:443", "multicast", "multicast"},
		{"255.255.255.255:443", "multicast", "multicast"},
		{"/tmp/socket", "not an address", "not an address"},
		{"localhost:443", "not an address", "not an address"},
		{"", "not an address", "not an address"},
	} {
		for _, p := range []struct {
			name string
			got  error
			want string
		}{{"operator", checkOperator("tcp", c.address, 0), c.operator}, {"untrusted", checkUntrusted("tcp", c.address, 0), c.untrusted}} {
			if (p.got == nil) != (p.want == "") || p.got != nil && !strings.Contains(p.got.Error(), p.want) {
				t.Errorf("%s, %s: %v, want %q", c.address, p.name, p.got, p.want)
			}
		}
	}
}

// TestHeaderText holds that any id fits into a header and stays itself.
func TestHeaderText(t *testing.T) {
	seen := make(map[string]string)
	for _, id := range []string{"t|root.d|1|0|0", "a b", "a%20b", "a%20b ", "a\r\nX-Admin: 1", "热", "\x00", "\x7f", "\u2028", "%", " ", "", strings.Repeat("é", 40_000)} {
		got := HeaderText(id)
		if !validValue(got) || strings.ContainsAny(got, " \r\n\t") || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%.40q becomes %.40q", id, got)
		}
		if was, ok := seen[got]; ok && id != "a%20b" && was != "a%20b" {
			t.Errorf("%q and %q both become %q", was, id, got)
		}
		seen[got] = id
	}
}

// TestSendRefuses holds that what is added to a request cannot lead elsewhere or
// add a header.
func TestSendRefuses(t *testing.T) {
	cl := client(t, target(t, text("HTTP/1.1 200 OK\r\n\r\n")))
	for _, ref := range []string{"http://elsewhere.example/", "//elsewhere.example/", "ht!tp://x", "http:x"} {
		_, err := cl.Send(t.Context(), "POST", ref, nil, nil)
		if class, _ := deliver.Classify(err); class != deliver.ClassPermanent {
			t.Errorf("%s: %v, want permanent", ref, err)
		}
	}
	for _, v := range []string{"a\r\nb", "a\nb", "a\x00b", "\x7f"} {
		_, err := cl.Do(t.Context(), http.Header{"X-A": {v}}, nil)
		if class, _ := deliver.Classify(err); class != deliver.ClassPermanent || !strings.Contains(fmt.Sprint(err), "control character") {
			t.Errorf("%q: %v, want permanent", v, err)
		}
	}
}

// TestRebinding: a name that led to a public address when somebody looked leads
// to this machine when it is dialled. It is refused, and nothing is connected to.
func TestRebinding(t *testing.T) {
	var arrived atomic.Bool
	url := target(t, func(net.Conn) { arrived.Store(true) })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	public := net.IPv4(93, 184, 216, 34).To4()
	for _, inside := range []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv4(169, 254, 169, 254).To4(), net.IPv4(10, 0, 0, 1).To4()} {
		dns := nameServer(t, public, inside)
		before := net.DefaultResolver
		net.DefaultResolver = &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", dns)
		}}
		seen, lookErr := net.DefaultResolver.LookupHost(t.Context(), "rebind.example.")
		cl, err := Open(Config{Name: "test", URL: "https://rebind.example.:" + port + "/c4nAry", Trust: sink.Untrusted})
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			_, err = cl.Do(ctx, nil, []byte("x"))
			cancel()
			cl.Close()
		}
		net.DefaultResolver = before
		if lookErr != nil || len(seen) != 1 || seen[0] != public.String() {
			t.Skipf("the resolver of this platform asks elsewhere: %v, %v", seen, lookErr)
		}
		if class, _ := deliver.Classify(err); class != deliver.ClassRetry || !strings.Contains(fmt.Sprint(err), "connections to "+inside.String()+" are refused") || strings.Contains(fmt.Sprint(err), "c4nAry") {
			t.Errorf("%v of class %v, want %s refused", err, class, inside)
		}
	}
	if arrived.Load() {
		t.Error("a request arrived")
	}
}

// nameServer answers questions for IPv4 addresses with first, and then with
// second for ever. It returns its address.
func nameServer(t *testing.T, first, second net.IP) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		buf := make([]byte, 512)
		ip := first
		for {
			n, from, err := pc.ReadFrom(buf)
			if errors.Is(err, net.ErrClosed) || n < 17 {
				return
			}
			q := buf[:n]
			end := 12 + bytes.IndexByte(q[12:], 0) + 5 // behind the name, type and class
			kind := q[end-3]
			out := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
			if kind == 1 { // A
				out[7] = 1
				out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				out = append(out, ip...)
				ip = second
			}
			_, _ = pc.WriteTo(out, from)
		}
	}()
	return pc.LocalAddr().String()
}

// TestManyTokens holds that tokens of the past are forgotten, and neither the
// URL nor what is in use is.
func TestManyTokens(t *testing.T) {
	n := 0
	cl, err := Open(Config{Name: "x", URL: "http://localhost/se/cret?key=hidden", User: "u", Password: sink.NewSecret("password of always"),
		Secrets: map[string]sink.Secret{"X-Key": sink.SecretFunc(func() (string, error) { n++; return fmt.Sprint("key number ", n), nil })}})
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for i := range 1000 {
		cl.Hide(fmt.Sprint("token number ", i))
		cl.outdate()
		if _, err := cl.headers(); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(cl.hidden()); got > 50 {
		t.Errorf("%d texts are hidden", got)
	}
	for _, text := range []string{"/se/cret", "key=hidden", "password of always", "token number 999", "token number 998", "key number 1001", "key number 1000"} {
		if got := sink.ScrubText("("+text+")", cl.hidden()...); strings.Contains(got, text) {
			t.Errorf("%s is not hidden", text)
		}
	}
}
