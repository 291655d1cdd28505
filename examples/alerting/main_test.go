package main

import (
	"context"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(context.Background(), &out, madeUp()); err != nil {
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
}
