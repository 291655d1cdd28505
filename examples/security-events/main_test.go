package main

import (
	"bytes"
	"context"
	"regexp"
	"testing"
	"time"
)

// The attacker is reported once, although the desk was closed at first; who has
// forgotten a password is not.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile("^desk: closed, come again\ndesk: blocked after {\"time\":\"2026-03-01T03:01:12Z\",\"source\":\"root.login.`203.0.113.9`\",\"failures\":5}\n$")
	if !want.MatchString(out.String()) {
		t.Errorf("printed\n%s", out.String())
	}
}
