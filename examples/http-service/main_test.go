package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, "", t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"204 No Content", "400 Bad Request latency_ms: \"fast\" is not a number", "alert slow firing: 640", "tickwell_points_total 3"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// TestListen holds that a listener gets an alert, and that both it and the service
// can go.
func TestListen(t *testing.T) {
	s := &service{alerts: make(chan tickwell.Event, 1)}
	srv := httptest.NewServer(http.HandlerFunc(s.listen))
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	s.alerts <- tickwell.Event{Labels: map[string]string{"alertname": "slow"}, Status: tickwell.StatusFiring, Fields: []tickwell.Field{tickwell.Int64("value", 7)}}
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || !strings.HasSuffix(line, " slow firing: 7\n") {
		t.Error(fmt.Sprintf("%q", line), err)
	}
}
