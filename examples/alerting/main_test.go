package main

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out, drawing strings.Builder
	if err := run(context.Background(), &out, &drawing, madeUp()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"temperature  2026-03-05 04:35  2026-03-05 11:00  6h25m0s\n",
		"temperature  2026-03-10 04:35  2026-03-11 01:00  20h25m0s\n",
		"silent       2026-03-12 17:00  2026-03-13 04:00  11h0m0s\n",
		"60    105        2  as live: yes\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	picture, err := os.ReadFile("../../docs/alerting.svg")
	if err != nil {
		t.Fatal(err)
	}
	// Elsewhere the sine of the made-up rows may differ in its last bit.
	if runtime.GOARCH == "amd64" && drawing.String() != string(picture) {
		t.Error("docs/alerting.svg is not what the example draws: go run ./examples/alerting -svg docs/alerting.svg")
	}
}
