package main

import (
	"context"
	"path/filepath"
	"strings"
)

// benchFolder holds the benchmark against other stores.
const benchFolder = "bench"

// bench runs the short form of the benchmark against the stores that build
// quickly, and compares its ratios with the limits that are kept beside it.
func (r *repo) bench(ctx context.Context) outcome {
	if !r.exists(benchFolder + "/limits.json") {
		return skipped("no " + benchFolder + "/limits.json")
	}
	run := func() (string, error) {
		return output(ctx, filepath.Join(r.root, benchFolder), nil, "go", "run", ".", "-quick",
			"-only", "tickwell,naive,promtsdb,tstorage", "-check", "limits.json")
	}
	out, err := run()
	if err != nil { // something else may have used the machine meanwhile
		out, err = run()
	}
	if err != nil {
		return failed("", out)
	}
	note := ""
	for line := range strings.Lines(out) {
		if strings.Contains(line, "limits held") {
			note = strings.TrimSpace(line)
		}
		if after, ok := strings.CutPrefix(line, "skipped: "); ok {
			r.skipped = append(r.skipped, skippedTest{benchFolder, strings.TrimSpace(after)})
		}
	}
	return passed(note)
}
