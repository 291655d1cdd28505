package tickwell

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCQPlantedBugs plants bugs into continuous queries, one at a time, and
// expects the oracle to find each. It builds the package for every bug, so it
// runs only with TICKWELL_PLANTED_BUGS set.
func TestCQPlantedBugs(t *testing.T) {
	if os.Getenv("TICKWELL_PLANTED_BUGS") == "" {
		t.Skip("set TICKWELL_PLANTED_BUGS to run")
	}
	for _, m := range []struct{ name, file, right, wrong string }{
		{"seal: what has expired is computed again", "cq_pump.go", "	if d.From < r.expiry {", "	if false {"},
		{"resync: the marks of before a crash are not read", "cq_view.go", "	v.readMarks(e)\n	if b, ok", "	if b, ok"},
		{"retraction: what is gone stays sent", "cq_results.go", "	events = append(events, r.v.emitted.retractions(", "	_ = append(events, r.v.emitted.retractions("},
		{"deletion: what is gone stays stored", "cq_results.go", "			if k.path == path {", "			if false && k.path == path {"},
		{"id reuse: a correction has the revision of before", "cq_emit.go", "		e.Revision = was.revision + 1\n	case window", "		e.Revision = was.revision\n	case window"},
		{"late merge: a late row marks nothing", "cq_marks.go", "		if r == last {\n			continue\n		}", "		if r == last || r.From < v.frontier {\n			continue\n		}"},
		{"marks: a run removes those of rows it has not seen", "cq_marks.go", "		if !strings.HasPrefix(key, now) {", "		if !strings.HasPrefix(key, now) || key != \"\" {"},
		{"groups: a change does not reach back to the window it is in", "cq_groups_scan.go", "	at, ok := s.tail.start, s.known && s.tail.start < s.change && s.tail.start >= low\n", "	at, ok := s.change, true\n"},
		{"groups: what follows a change is not looked at", "cq_groups_scan.go", "			same, err := s.began(at)\n", "			same, err := true, error(nil)\n"},
		{"groups: later changes are forgotten where windows agree again", "cq_groups_scan.go", "				due.Remove(incremental.Range{From: math.MinInt64, To: at})\n				return true", "				due.Remove(incremental.Range{From: math.MinInt64, To: math.MaxInt64})\n				return true"},
		{"groups: a session does not end by itself", "cq_groups_scan.go", "		s.next = min(s.next, s.groups.afterGap(b.Last))", "		s.next = min(s.next, math.MaxInt64)"},
		{"groups: rows of a window that goes on expire", "cq_groups.go", "		if t.open {\n			g.holds", "		if false {\n			g.holds"},
	} {
		t.Run(m.name, func(t *testing.T) {
			src, err := os.ReadFile(m.file)
			must(t, err)
			changed := strings.Replace(string(src), m.right, m.wrong, 1)
			if changed == string(src) {
				t.Fatal("the place for the bug is gone")
			}
			dir := t.TempDir()
			file := filepath.Join(dir, m.file)
			must(t, os.WriteFile(file, []byte(changed), 0o600))
			here, err := os.Getwd()
			must(t, err)
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, m.file): file}})
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
			cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-overlay", filepath.Join(dir, "overlay.json"),
				"-run", "^TestIncremental(AgainstOracle|GroupsAgainstOracle|UnderConcurrentWrites|AlterUnderLoad)$", "-failfast", "-timeout", "300s", ".")
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Error("the bug was not found")
			case strings.Contains(string(out), "panic: test timed out"): // that is no finding
				t.Errorf("the tests did not end:\n%.2000s", out)
			case !strings.Contains(string(out), "--- FAIL: Test") && !strings.Contains(string(out), "panic: "):
				t.Errorf("failed for another reason:\n%s", out)
			default:
				t.Logf("found: %.300s", out[max(0, strings.Index(string(out), "--- FAIL: Test")):])
			}
		})
	}
}
