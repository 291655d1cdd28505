package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
)

// report is all that a run found, ready to be told.
type report struct {
	Machine string             `json:"machine"`
	Go      string             `json:"go"`
	Command string             `json:"command"`
	Quick   bool               `json:"quick"`
	Runs    int                `json:"runs"`
	Points  [2]int64           `json:"points"` // in batches, and one by one
	Floors  map[string]float64 `json:"floors"` // ns
	Stores  []storeOf          `json:"stores"`
	Skipped []string           `json:"skipped,omitempty"`
	figures []figure
	goals   []reached
}

// storeOf is a store that was measured.
type storeOf struct {
	Store, Version, Class, Durability string
}

func newReport(s settings, results []result, skipped []string) *report {
	r := &report{Machine: fmt.Sprintf("%s, %d processors", processor(), runtime.NumCPU()),
		Go: fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH), Command: s.command,
		Quick: s.quick, Runs: s.reps, Points: [2]int64{s.points, s.one}, Floors: floorsOf(results), Skipped: skipped, figures: figuresOf(results)}
	r.goals = reach(r.figures, !r.Quick)
	seen := map[string]bool{}
	for i := range results {
		x := &results[i]
		if x.run == "floor" || x.run == "size" || x.Durability == "" || seen[x.store()] {
			continue
		}
		seen[x.store()] = true
		r.Stores = append(r.Stores, storeOf{x.store(), x.Version, string(x.Class), x.Durability})
	}
	return r
}

// page renders a run as a page: the machine, the goals, then a table per case,
// the best first, with what each figure is beside the floor and the best peer.
func (r *report) page() string {
	var b strings.Builder
	title := "a full run"
	if r.Quick {
		title = "a quick run"
	}
	fmt.Fprintf(&b, "# Performance: the tables of %s\n\nPrinted by `%s` in the folder `bench`; [performance.md](performance.md) says what they mean.\n\n", title, r.Command)
	fmt.Fprintf(&b, "Machine: %s, %s. Medians of %d runs; %d points of 1,000 series in batches of 1,000, %d row by row or one by one.\n",
		r.Machine, r.Go, r.Runs, r.Points[0], r.Points[1])
	fmt.Fprintf(&b, "\n## Goals\n\n%s\n## Tables\n\n| floor | ns |\n|---|---|\n", goalTable(r.goals))
	for _, name := range slices.Sorted(maps.Keys(r.Floors)) {
		if !strings.HasPrefix(name, "entropy") {
			fmt.Fprintf(&b, "| %s | %s |\n", name, number(r.Floors[name]))
		}
	}
	keys, groups := byCase(r.figures)
	last := ""
	for _, k := range keys {
		if k[0] != last {
			fmt.Fprintf(&b, "\n### %s\n", k[0])
			last = k[0]
		}
		rows := slices.Clone(groups[k])
		slices.SortStableFunc(rows, func(x, y figure) int {
			if c := cmp.Compare(x.Class, y.Class); c != 0 {
				return c
			}
			return cmp.Compare(x.Value, y.Value)
		})
		fmt.Fprintf(&b, "\n| %s, %s | class | value | × floor | best peer ÷ it | check |\n|---|---|---|---|---|---|\n", k[1], rows[0].Unit)
		for _, f := range rows {
			value := number(f.Value)
			if f.Runs == 0 {
				value = "–"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", f.Store, f.Class, value, ratio(f.ToFloor), ratio(f.ToBestPeer), cell(f.Check))
		}
	}
	b.WriteString("\n### Versions and durability\n\n| store | version | class | an acknowledged write |\n|---|---|---|---|\n")
	for _, x := range r.Stores {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", x.Store, x.Version, x.Class, cell(x.Durability))
	}
	for _, line := range r.Skipped {
		fmt.Fprintf(&b, "\nskipped: %s\n", cell(line))
	}
	return b.String()
}

func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 10:
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func ratio(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}

// cell makes text fit for a table.
func cell(s string) string {
	s = strings.NewReplacer("\n", " ", "|", "/").Replace(s)
	if len(s) > 160 {
		s = s[:160] + "…"
	}
	return s
}

func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(name), ":"))
		}
	}
	return "unknown processor"
}
