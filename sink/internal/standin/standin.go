// Package standin is a test tool: an HTTP server that plays the target of a
// sink. It records what it gets, answers by a script of faults, and can go down
// and come up again at the same address.
package standin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Request is one request as it arrived.
type Request struct {
	Method string
	Path   string // with query
	Header http.Header
	Body   string
	Status int // answered; 0: none
}

// Step plays one request.
type Step func(w http.ResponseWriter, r *http.Request)

// Server is the stand-in. Its methods are safe for concurrent use.
type Server struct {
	URL string

	mu       sync.Mutex
	script   []Step
	always   Step
	requests []Request
	arrived  chan struct{}
	addr     string
	http     *httptest.Server
	stop     chan struct{} // ends Hang
}

// New starts a server that answers 200 "ok" to everything.
func New() *Server {
	s := &Server{arrived: make(chan struct{}, 1), always: Answer(http.StatusOK, "ok"), stop: make(chan struct{})}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL, s.addr = s.http.URL, s.http.Listener.Addr().String()
	return s
}

// NewTLS is [New] with TLS.
func NewTLS(configure func(*httptest.Server)) *Server {
	s := &Server{arrived: make(chan struct{}, 1), always: Answer(http.StatusOK, "ok"), stop: make(chan struct{})}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	if configure != nil {
		configure(s.http)
	}
	s.http.StartTLS()
	s.URL, s.addr = s.http.URL, s.http.Listener.Addr().String()
	return s
}

// HTTP returns the server below.
func (s *Server) HTTP() *httptest.Server { return s.http }

// Script adds steps, each for one request. Afterwards it answers as Always says.
func (s *Server) Script(steps ...Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, steps...)
}

// Always sets what is answered when the script is over.
func (s *Server) Always(step Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = step
}

// Requests returns what has arrived so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Accepted returns the requests that were answered with success, or whose
// success was not heard of: see [LoseAnswer].
func (s *Server) Accepted() (list []Request) {
	for _, r := range s.Requests() {
		if r.Status >= 200 && r.Status <= 299 {
			list = append(list, r)
		}
	}
	return list
}

// Bodies returns the bodies of [Server.Accepted].
func (s *Server) Bodies() (list []string) {
	for _, r := range s.Accepted() {
		list = append(list, r.Body)
	}
	return list
}

// Arrived holds a token when requests may have been answered since the last
// receive.
func (s *Server) Arrived() <-chan struct{} { return s.arrived }

// Down closes the listener and all connections.
func (s *Server) Down() {
	s.http.CloseClientConnections()
	_ = s.http.Listener.Close()
	s.http.CloseClientConnections()
}

// Up listens again at the same address.
func (s *Server) Up() error {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	old := s.http
	s.http = &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(s.serve)}}
	s.http.Start()
	old.Close()
	return nil
}

// Close stops the server.
func (s *Server) Close() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.http.CloseClientConnections()
	s.http.Close()
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	step := s.always
	if len(s.script) > 0 {
		step, s.script = s.script[0], s.script[1:]
	}
	i := len(s.requests)
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header, Body: string(body)})
	s.mu.Unlock()
	r.Body = &replay{s, string(body)}
	defer func() {
		problem := recover()
		select {
		case s.arrived <- struct{}{}:
		default:
		}
		if problem != nil {
			panic(problem)
		}
	}()
	// What a step is about to answer counts before the client can hear it.
	sw := &statusWriter{ResponseWriter: w, note: func(status int) {
		s.mu.Lock()
		s.requests[i].Status = status
		s.mu.Unlock()
	}}
	step(sw, r)
}

// replay lets a step reach the server and the body through the request.
type replay struct {
	s    *Server
	body string
}

// Body returns the body of a request inside a [Step].
func Body(r *http.Request) string { return r.Body.(*replay).body }

func (*replay) Read([]byte) (int, error) { return 0, io.EOF }
func (*replay) Close() error             { return nil }

type statusWriter struct {
	http.ResponseWriter
	note func(int)
}

func (w *statusWriter) WriteHeader(status int) {
	w.note(status)
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Answer answers with a status, a body and headers given as name, value pairs.
func Answer(status int, body string, headers ...string) Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Reset closes the connection without an answer.
func Reset() Step {
	return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
}

// LoseAnswer accepts the request and closes the connection before the answer
// is out: what every at-least-once sender has to repeat.
func LoseAnswer() Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.(*statusWriter).note(http.StatusOK)
		panic(http.ErrAbortHandler)
	}
}

// Cut answers 200 and breaks off in the middle of the body.
func Cut() Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// Hang answers nothing until the client goes away.
func Hang() Step {
	return func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-r.Body.(*replay).s.stop:
		}
		panic(http.ErrAbortHandler)
	}
}

// Flood answers 200 with a body of n bytes.
func Flood(n int) Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		block := make([]byte, 4096)
		for n > 0 {
			m, err := w.Write(block[:min(n, len(block))])
			if err != nil {
				break
			}
			n -= m
		}
	}
}

// Echo answers with a status and, as the body, everything the request held: a
// badly behaved target.
func Echo(status int) Step {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "%s %s %s %v\n", r.Method, r.Host, r.URL, r.Header)
	}
}
