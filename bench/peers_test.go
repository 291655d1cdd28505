package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell/bench/harness"
)

// quickToBuild are the peers that -short is content with: those that CI builds
// for its figures anyway.
var quickToBuild = []string{"tickwell", "naive", "promtsdb", "tstorage"}

// tiny is little work: what is looked at is the answers.
var tiny = plan{reps: 1, points: 35_000, one: 35_000, killed: 35_000, long: 5 * time.Second, short: 300 * time.Millisecond,
	timeout: 5 * time.Minute, asking: 20 * time.Millisecond}

// wrong are the answers that are known to be: tstorage does not show points that
// came late until it has closed their partition.
var wrong = []string{"tstorage, ooo", "tstorage/mem, ooo"}

// Every peer program writes in every way what the generator gave it, answers
// every query as the generator does, and, if its class says so, loses nothing
// when it is killed. What cannot be built here, for want of a C compiler or a
// network, is skipped.
func TestPeers(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	programs, err := findPrograms(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now().Add(-30 * time.Hour).Truncate(2 * time.Hour).UnixMilli()
	for _, p := range programs {
		if filepath.Base(filepath.Dir(p.dir)) != "peers" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			if testing.Short() && !slices.Contains(quickToBuild, p.name) {
				t.Skip("takes long to build")
			}
			t.Parallel()
			work := t.TempDir()
			file, err := build(t.Context(), p, work)
			if err != nil && p.name != "tickwell" && p.name != "naive" {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, variant := range p.variants {
				if testing.Short() && variant == "sync" {
					continue // waits for the disk at each point
				}
				r := runner{settings: settings{plan: tiny, askAlways: true, verbose: io.Discard}, work: work, from: from}
				r.phases(t.Context(), file, variant, 0)
				checkPhases(t, r.results)
			}
		})
	}
}

func checkPhases(t *testing.T, results []result) {
	ran := map[string]bool{}
	for i := range results {
		r := &results[i]
		ran[r.run] = true
		name := r.store() + ", " + r.run
		switch {
		case r.Err != "":
			t.Errorf("%s: %s", name, r.Err)
		case r.Check != "ok" && !slices.Contains(wrong, name):
			t.Errorf("%s: wrong answer: %s", name, r.Check)
		case r.Class == "" || r.Durability == "":
			t.Errorf("%s: class %q, an acknowledged write %q: it must say what survives", name, r.Class, r.Durability)
		case r.run == "recover" && (r.Class == harness.Process || r.Class == harness.Synced) && r.Recovered < r.acked:
			t.Errorf("%s: %d points of %d that were acknowledged", name, r.Recovered, r.acked)
		case r.run != "recover" && r.run != "reopen" && r.Points < 1000:
			t.Errorf("%s: only %d points were written", name, r.Points)
		}
	}
	for _, run := range []string{"inorder", "ooo", "row", "single", "two"} {
		if !ran[run] {
			t.Errorf("%s was not run", run)
		}
	}
	if len(results) > 0 && !results[0].InMemory && !(ran["reopen"] && ran["recover"]) {
		t.Errorf("%s was not reopened", results[0].store())
	}
}
