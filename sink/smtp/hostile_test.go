package smtp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// endless is a server that answers as it should up to a command, and to that with
// a line, or with lines, that do not end. It counts what it could write of them.
func endless(t *testing.T, command, line string) (addr string, wrote *atomic.Int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	wrote = new(atomic.Int64)
	flood := func(c net.Conn) {
		piece := []byte(strings.Repeat(line, 64<<10/len(line)))
		for wrote.Load() < 64<<20 {
			n, err := c.Write(piece)
			wrote.Add(int64(n))
			if err != nil {
				return
			}
		}
		io.Copy(io.Discard, c) // until the sink hangs up
	}
	serve := func(c net.Conn) {
		defer c.Close()
		if command == "" {
			flood(c)
			return
		}
		c.Write([]byte("220 ready\r\n"))
		for in, data := bufio.NewScanner(c), false; in.Scan(); {
			verb, _, _ := strings.Cut(in.Text(), " ")
			switch {
			case data && in.Text() != ".":
				continue
			case data:
				verb, data = ".", false
			}
			if verb == command {
				c.Write([]byte("250-"))
				flood(c)
				return
			}
			switch verb {
			case "DATA":
				data = true
				c.Write([]byte("354 go on\r\n"))
			case "QUIT":
				c.Write([]byte("221 bye\r\n"))
				return
			default:
				c.Write([]byte("250 ok\r\n"))
			}
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String(), wrote
}

// TestEndlessReply holds that a server cannot fill the memory with an answer: the
// attempt ends long before its deadline, and another connection is tried.
func TestEndlessReply(t *testing.T) {
	for _, command := range []string{"", "EHLO", "MAIL", "RCPT", ".", "NOOP"} {
		for form, line := range map[string]string{"line": "x", "lines": "250-x\r\n"} {
			t.Run(command+form, func(t *testing.T) {
				addr, wrote := endless(t, command, line)
				s := &Sink{Server: addr, Security: Plaintext, From: "a@example.org", To: []string{"b@example.org"}, Subject: "s", Text: "t"}
				defer s.Close(context.Background())
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				began := time.Now()
				err := s.Open(ctx)
				if err == nil {
					if command == "NOOP" {
						s.state.conn.used = time.Now().Add(-2 * idle)
					}
					err = s.Handle(ctx, rows(1))
				}
				if command == "NOOP" { // the sink connects again
					if err != nil {
						t.Error(err)
					}
				} else if class, _ := deliver.Classify(err); command != "" && command != "EHLO" && class != deliver.ClassReconnect || !errors.Is(err, errTooLong) {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took > 10*time.Second || wrote.Load() > 16<<20 {
					t.Errorf("took %v and %d bytes", took, wrote.Load())
				}
			})
		}
	}
}
