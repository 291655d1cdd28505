package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// tables renders a run as markdown: the machine, then a table per case, the
// best first, with what each figure is beside the floor and the best peer.
func tables(s settings, results []result, figures []figure, skipped []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Machine: %s, %d processors, %s %s/%s. Medians of %d runs; batches of 1,000 points of 1,000 series, %d points in order, %d otherwise.\n\n",
		processor(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, s.reps, s.points, s.small)
	b.WriteString("| floor | ns |\n|---|---|\n")
	floors := floorsOf(results)
	var names []string
	for name := range floors {
		if !strings.HasPrefix(name, "entropy") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "| %s | %s |\n", name, number(floors[name]))
	}
	keys, groups := byCase(figures)
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
	seen := map[string]bool{}
	for i := range results {
		r := &results[i]
		if r.run == "floor" || r.run == "size" || r.Durability == "" || seen[r.store()] {
			continue
		}
		seen[r.store()] = true
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.store(), r.Version, r.Class, cell(r.Durability))
	}
	for _, line := range skipped {
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
