package main

import (
	"context"
	"strings"
)

// fuzzSQL throws statements at the parser for half a minute: it is what takes
// text from strangers. Other fuzz functions run nightly.
func (r *repo) fuzzSQL(ctx context.Context) outcome {
	if !r.exists("iotsql") {
		return skipped("no package iotsql")
	}
	out, err := output(ctx, r.root, nil, "go", "test", "./iotsql", "-run=^$", "-fuzz=^FuzzParse$", "-fuzztime=30s", "-fuzzminimizetime=10x")
	// A fuzz worker that is cut off at the end of its time on a busy machine is
	// no finding; an input that fails is written down.
	if err != nil && (strings.Contains(out, "Failing input written") || !strings.Contains(out, "execs: ")) {
		return failed("", out)
	}
	return passed(fuzzNote(out))
}
