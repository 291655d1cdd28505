package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestMissingProgram(t *testing.T) {
	_, err := New(t.Context(), t.TempDir(), Spec{Name: "nothing", Needs: []string{"no-such-server"}, Missing: "package nothing"})
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "no program no-such-server (package nothing)") {
		t.Errorf("%v, want that the program is missing and where to get it", err)
	}
}

// TestNeverReady holds that a server which ends by itself, or serves nothing, is
// an error that shows its log.
func TestNeverReady(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"ends", "echo bad settings; exit 3", "ended by itself"},
		{"hangs", "echo bad settings; exec sleep 60", "not ready"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := New(ctx, t.TempDir(), Spec{
			Name: "sh", Ports: []string{"tcp"},
			Command: func(*Server) ([]string, []string) { return []string{"/bin/sh", "-c", c.script}, nil },
			Ready: func(ctx context.Context, s *Server) error {
				if c.name == "hangs" && strings.Contains(s.Log(), "bad settings") {
					cancel() // patience ends
				}
				return s.accepts(ctx)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Up(ctx)
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bad settings") {
			t.Errorf("%s: %v, want %q and the log", c.name, err, c.want)
		}
		if s.Running() {
			t.Errorf("%s: it runs", c.name)
		}
	}
}

// TestMosquittoComesBack holds that a server comes back on the same port, after
// an orderly stop and after a crash, and that the journal tells of it.
func TestMosquittoComesBack(t *testing.T) {
	s := Start(t, Mosquitto(MosquittoOptions{Users: map[string]string{"root": "secret"}, Cert: NewCertificate(t)}))
	reachable := func() bool {
		conn, err := net.Dial("tcp", s.Addr("mqtt"))
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	for _, stop := range []func(){func() { s.Stop(t) }, s.Crash} {
		if !reachable() {
			t.Error("not reachable though it runs")
		}
		stop()
		if reachable() {
			t.Error("reachable though it was stopped")
		}
		s.Start(t)
	}
	if err := s.Down(context.Background()); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(s.Journal(), "\n")
	for _, want := range []string{"start 1", "stop by terminated", "start 2", "killed by SIGKILL", "start 3", "log: ", "mosquitto version 2"} {
		if !strings.Contains(text+s.VersionText, want) {
			t.Errorf("no %q in the journal\n%s", want, text)
		}
	}
}

// TestFreePort holds that ports are given once, are none of those of outgoing
// connections, and that two processes do not get the same.
func TestFreePort(t *testing.T) {
	seen := make(map[int]bool)
	from, to := listenRange()
	for range 100 {
		port, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] || port < from || port >= to {
			t.Errorf("port %d, want a new one from %d to %d", port, from, to)
		}
		seen[port] = true
		if c, err := net.ListenPacket("udp", net.JoinHostPort("127.0.0.1", fmt.Sprint(port))); err == nil {
			c.Close()
			t.Errorf("port %d could be given by another process as well", port)
		}
	}
	for _, c := range []struct {
		text      string
		low, high int
	}{
		{"32768\t60999\n", 32768, 60999}, {"1024 65535", 1024, 65535}, {"", 1, 2}, {"x y", 1, 2}, {"5", 1, 2}, {"9 8", 1, 2}, {"1 70000", 1, 2},
	} {
		if low, high := outgoing(c.text, 1, 2); low != c.low || high != c.high {
			t.Errorf("%q: %d to %d, want %d to %d", c.text, low, high, c.low, c.high)
		}
	}
}
