// Package server runs real servers for tests: on loopback, on free ports, in a
// folder of their own, stopped and started again as a test wants. A server whose
// program is not there is a reason to skip, said loudly.
//
// A kind of server is a [Spec]; this package has those that more than one sink
// needs. A test says
//
//	mosquitto := server.Start(t, server.Mosquitto(server.MosquittoOptions{}))
//	mosquitto.Restart(t)
//
// and at its end the log shows the server's version and its comings and goings.
package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Spec describes a kind of server.
type Spec struct {
	// Name is what tables and messages call it.
	Name string
	// Needs are the programs it takes, on the path or in the usual folders of
	// servers, and Missing says how to come by them ("Debian package mosquitto").
	Needs   []string
	Missing string
	// Check, if set, finds other reasons why it cannot run here, such as jars
	// that are not there. Its error is the reason to skip.
	Check func(ctx context.Context) error
	// Version is a command line that prints the version, and VersionLine finds
	// the line that says it; nil is the first line.
	Version     []string
	VersionLine *regexp.Regexp
	// Ports names the ports that it listens to. Each gets a free one that stays
	// the same over restarts.
	Ports []string
	// Prepare, if set, writes its settings once, before the first start.
	Prepare func(ctx context.Context, s *Server) error
	// Command is what runs it in the foreground.
	Command func(s *Server) (argv, env []string)
	// Ready, if set, reports nil once it serves; it is asked again and again.
	// Without it a port that accepts connections will do.
	Ready func(ctx context.Context, s *Server) error
	// Stop is how it is asked to end; nil is SIGTERM.
	Stop os.Signal
	// Children says that it has a process for each connection, which do not end
	// with it: they are told to end as well.
	Children bool
	// Telling matches the lines of its log that tell of starts and stops, and
	// LogFile, if set, is a file in its folder where it writes a log besides.
	Telling *regexp.Regexp
	LogFile string
	// Within is how long a start may take, and StopWithin how long a stop; zero is
	// a generous while, for the machine may be busy.
	Within, StopWithin time.Duration
}

// while is how long starts and stops may take that say nothing else.
const while = 2 * time.Minute

// Server is one server. Its methods are for one goroutine, but for Log, which any
// may call.
type Server struct {
	Spec Spec
	Dir  string // its own folder
	// VersionText is what it says of its version.
	VersionText string

	ports   map[string]int
	process *process
	starts  int
	journal []string

	mu  sync.Mutex
	log bytes.Buffer
}

// ErrMissing says that a server cannot be had here.
var ErrMissing = errors.New("not available here")

// New prepares a server in dir, which must exist, without starting it. The error
// wraps ErrMissing if a program is missing. Where one server serves several
// tests this is for TestMain; tests use [Start].
func New(ctx context.Context, dir string, spec Spec) (*Server, error) {
	for _, p := range spec.Needs {
		if _, err := lookPath(p); err != nil {
			return nil, fmt.Errorf("%s: %w: no program %s (%s)", spec.Name, ErrMissing, p, spec.Missing)
		}
	}
	if spec.Check != nil {
		if err := spec.Check(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", spec.Name, ErrMissing, err)
		}
	}
	s := &Server{Spec: spec, Dir: dir, ports: make(map[string]int)}
	if err := s.version(ctx); err != nil {
		return nil, err
	}
	for _, name := range spec.Ports {
		port, err := FreePort()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec.Name, err)
		}
		s.ports[name] = port
	}
	if spec.Prepare != nil {
		if err := spec.Prepare(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: prepare: %w", spec.Name, err)
		}
	}
	return s, nil
}

// lookPath finds a program, also where only root's path leads.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}

func (s *Server) version(ctx context.Context) error {
	v := s.Spec.Version
	if len(v) == 0 {
		return nil
	}
	path, err := lookPath(v[0])
	if err != nil {
		return fmt.Errorf("%s: version: %w", s.Spec.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, while)
	defer cancel()
	// Several servers print their version and exit with an error.
	out, err := exec.CommandContext(ctx, path, v[1:]...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if line != "" && (s.Spec.VersionLine == nil || s.Spec.VersionLine.MatchString(line)) {
			s.VersionText = line
			return nil
		}
	}
	return fmt.Errorf("%s: no version in what %v printed: %q (%v)", s.Spec.Name, v, out, err) //nolint:errorlint // err may be nil
}

// Port returns the number of a port, and Addr its address on loopback.
func (s *Server) Port(name string) int {
	p, ok := s.ports[name]
	if !ok {
		panic("server " + s.Spec.Name + " has no port " + name)
	}
	return p
}

// Addr returns the address of a port as host:port.
func (s *Server) Addr(name string) string {
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(s.Port(name)))
}

// File returns the name of a file in the server's folder.
func (s *Server) File(name string) string { return filepath.Join(s.Dir, name) }

// Write writes a file of settings into the server's folder, readable by all, and
// returns its name.
func (s *Server) Write(name, text string) (string, error) {
	file := s.File(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	return file, os.WriteFile(file, []byte(text), 0o644)
}

// Up starts the server and returns when it is ready.
func (s *Server) Up(ctx context.Context) error {
	if s.process != nil {
		return fmt.Errorf("%s: runs already", s.Spec.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Spec.Within, while))
	defer cancel()
	argv, env := s.Spec.Command(s)
	path, err := lookPath(argv[0])
	if err != nil {
		return fmt.Errorf("%s: %w", s.Spec.Name, err)
	}
	cmd := exec.Command(path, argv[1:]...)
	cmd.Dir, cmd.Env = s.Dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = (*logWriter)(s), (*logWriter)(s)
	cmd.WaitDelay = 2 * time.Second // children that keep the pipes open
	began := time.Now()
	p, err := start(cmd, s.Spec.Children)
	if err != nil {
		return fmt.Errorf("%s: start: %w", s.Spec.Name, err)
	}
	s.process = p
	s.starts++
	if err := s.wait(ctx); err != nil {
		s.process = nil
		p.end()
		return fmt.Errorf("%s: not ready: %w; its log ends\n%s", s.Spec.Name, err, tail(s.Log(), 4000))
	}
	s.note("start %d: process %d ready after %.2f s", s.starts, cmd.Process.Pid, time.Since(began).Seconds())
	return nil
}

// wait asks the server until it is ready.
func (s *Server) wait(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("it ended by itself: %v", s.process.err) //nolint:errorlint // it may be nil
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func (s *Server) ready(ctx context.Context) error {
	if s.Spec.Ready != nil {
		return s.Spec.Ready(ctx, s)
	}
	return s.accepts(ctx)
}

// accepts reports nil if all ports accept connections.
func (s *Server) accepts(ctx context.Context) error {
	for _, name := range s.Spec.Ports {
		conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", s.Addr(name))
		if err != nil {
			return err
		}
		conn.Close()
	}
	return nil
}

// said returns an error until the server's log has a text as often as the server
// was started.
func (s *Server) said(text string) error {
	if n := strings.Count(s.Log(), text); n < s.starts {
		return fmt.Errorf("%s: start %d: not yet: %s", s.Spec.Name, s.starts, text)
	}
	return nil
}

// Down asks the server to end and waits until it has. One that takes too long is
// killed, which is an error.
func (s *Server) Down(ctx context.Context) error {
	if s.process == nil {
		return nil
	}
	how := s.Spec.Stop
	if how == nil {
		how = syscall.SIGTERM
	}
	p := s.process
	s.process = nil
	if err := p.signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.end()
		return fmt.Errorf("%s: stop: %w", s.Spec.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Spec.StopWithin, while))
	defer cancel()
	select {
	case <-p.done:
		s.note("stop by %v: %v", how, p.cmd.ProcessState)
		return nil
	case <-ctx.Done():
		p.end()
		s.note("did not end by %v, killed", how)
		return fmt.Errorf("%s: did not end by %v", s.Spec.Name, how)
	}
}

// Crash kills the server, as kill -9 does.
func (s *Server) Crash() {
	if s.process == nil {
		return
	}
	s.process.end()
	s.process = nil
	s.note("killed by SIGKILL")
}

// Running reports whether the server was started and not stopped.
func (s *Server) Running() bool { return s.process != nil }

// Log returns what the server has printed.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// Journal returns the server's starts and stops in order, each followed by the
// lines of its own log that tell of them.
func (s *Server) Journal() []string {
	lines := slices.Clone(s.journal)
	if s.Spec.Telling == nil {
		return lines
	}
	text := s.Log()
	if s.Spec.LogFile != "" {
		if b, err := os.ReadFile(s.File(s.Spec.LogFile)); err == nil {
			text += string(b)
		}
	}
	for line := range strings.Lines(text) {
		if s.Spec.Telling.MatchString(line) {
			lines = append(lines, "log: "+strings.TrimSpace(line))
		}
	}
	return lines
}

func (s *Server) note(format string, args ...any) {
	s.journal = append(s.journal, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// Start prepares and starts a server for one test and stops it at its end, when
// the journal is logged. It skips the test where the server is not to be had.
func Start(t testing.TB, spec Spec) *Server {
	t.Helper()
	s, err := New(t.Context(), Folder(t), spec)
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Error(err)
		}
		t.Logf("%s: %s\n%s", s.Spec.Name, s.VersionText, strings.Join(s.Journal(), "\n"))
		if t.Failed() {
			t.Logf("%s: its log ends\n%s", s.Spec.Name, tail(s.Log(), 8000))
		}
	})
	return s
}

// Folder returns a new folder that servers which change their user can enter,
// other than those of t.TempDir.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tickwell-server-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Start is Up for tests, as Stop, Kill and Restart are Down and Crash.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server as an operator does.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.Down(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Restart stops the server and starts it again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

// logWriter writes to the server's log.
type logWriter Server

func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// tail returns the last n bytes of s.
func tail(s string, n int) string { return s[max(0, len(s)-n):] }
