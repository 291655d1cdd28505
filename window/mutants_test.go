package window

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPlantedBugs plants bugs into a copy of the package, one at a time, and
// expects the oracle to find each. It builds the package for every bug, so it
// runs only with TICKWELL_PLANTED_BUGS set.
func TestPlantedBugs(t *testing.T) {
	if os.Getenv("TICKWELL_PLANTED_BUGS") == "" {
		t.Skip("set TICKWELL_PLANTED_BUGS to run")
	}
	for _, m := range []struct{ file, right, wrong string }{
		{"settle.go", "for h.settled >= h.next && !h.done {", "for h.settled > h.next && !h.done {"},
		{"settle.go", "uint64(ts)-uint64(last) > uint64(h.spec.gap())", "uint64(ts)-uint64(last) >= uint64(h.spec.gap())"},
		{"settle.go", "for h.end <= h.mark &&", "for h.end < h.mark &&"},
		{"settle.go", "h.end, h.first = h.settled, v", "h.end = h.settled"},
		{"settle.go", "to = min(to, h.grid.First(h.rows.ts[h.rows.head])-1)", "to = min(to, h.grid.First(h.rows.ts[h.rows.head]))"},
		{"rows.go", "c.ts[i-1] <= ts", "c.ts[i-1] < ts+2"},
		{"rows.go", "c.ts[m] <= ts", "c.ts[m] < ts"},
		{"push.go", "h.raise(satSub(ts, h.late))\n}", "h.raise(ts)\n}"},
		{"admit.go", "return last < h.next ||", "return last <= h.next ||"},
		{"admit.go", "h.inc == 1 && h.is(begun) && ts <= h.seen", "h.inc == 1 && h.is(begun) && ts < h.seen"},
		{"push.go", "h.min, h.edge = max(h.min, h.mark), min(satAdd(h.seen", "h.edge = min(satAdd(h.seen"},
		{"grid.go", "if r < g.phase {", "if r <= g.phase {"},
		{"panes.go", "for i := p.frontLow - 1; i >= from; i-- {", "for i := p.frontLow - 1; i > from; i-- {"},
		{"panes.go", "p.frontLow = p.frontEnd\n\t}\n\tp.some", "}\n\tp.some"},
		{"panes.go", "if i >= p.backFrom && i < p.backTo {", "if i > p.backFrom && i < p.backTo {"},
		{"panes.go", "p.f.rem.Remove(&p.back.acc, &q.acc)", ""},
		{"slide.go", "*acc = w.front[from&", "*acc = w.front[(from+1)&"},
		{"foldtime.go", "k, r := floorDiv(i-p.firstPane(c, 0)-p.width+1, p.hop)", "k, r := floorDiv(i-p.firstPane(c, 0)-p.width, p.hop)"},
		{"foldrow.go", "h.ts[h.head] <= c.mark", "h.ts[h.head] < c.mark"},
		{"foldrow.go", "c.flags &^= isOpen\n\tr :=", "r :="},
		{"snapshot.go", "h.emptyRun, h.first, h.rows, h.grid", "h.emptyRun, _, h.rows, h.grid"},
		{"foldstate.go", "c.cur = c.ring.at(c.rows / g)", ""},
		{"revise.go", "return v.given\n", "return 0\n"},
		{"lane.go", "l.head = (l.head + 1) & (len(l.ring) - 1)\n\tl.n--\n}\n\nfunc (l *lane[E]) dropHead", "l.n--\n}\n\nfunc (l *lane[E]) dropHead"},
	} {
		name := m.file + ": " + strings.TrimSpace(m.right)
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files, err := filepath.Glob("*.go")
			files = slices.DeleteFunc(files, func(f string) bool { return f == "example_test.go" }) // another package
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, f := range files {
				src, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				if f == m.file {
					changed := strings.Replace(string(src), m.right, m.wrong, 1)
					found = changed != string(src)
					src = []byte(changed)
				}
				if err := os.WriteFile(filepath.Join(dir, f), src, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !found {
				t.Fatal("the place for the bug is gone")
			}
			if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module window\n\ngo 1.25.0\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "test", "-vet=off", "-run", "Oracle|RestartBits", "-timeout", "60s", ".")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Error("the bug was not found")
			case !strings.Contains(string(out), "--- FAIL: Test") && !strings.Contains(string(out), "panic: "):
				t.Errorf("failed for another reason:\n%s", out)
			}
		})
	}
}
