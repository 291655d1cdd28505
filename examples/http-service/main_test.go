package main

import (
	"bytes"
	"strings"
	"testing"
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
