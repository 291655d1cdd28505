package tickwell

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/incremental"
)

// Rows that covers leaves out change no mark, row by row.
func TestMarksCovered(t *testing.T) {
	const unit = int64(24 * time.Hour)
	days := func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
	for name, by := range map[string]GroupByTime{
		"side by side": {Interval: days(3)}, "left open": {Interval: days(3), LeftOpen: true}, "overlapping": {Interval: days(5), Step: days(2)},
		"gaps": {Interval: days(2), Step: days(5)}, "months": {IntervalMonths: 1}, "overlapping months": {IntervalMonths: 3, StepMonths: 1},
	} {
		t.Run(name, func(t *testing.T) {
			q := Query{Select: []expr.Expr{expr.Avg(expr.Col("s"))}, GroupBy: by}
			v, err := newCQView(&CQSpec{Name: "m", From: time.Unix(0, 20*unit)}, &q, nil)
			must(t, err)
			rng := rand.New(rand.NewPCG(1, 2))
			yes, no := 0, 0
			v.frontier = 0
			for range 40_000 {
				oldest := rng.Int64N(300*4) * unit / 4
				newest := oldest + rng.Int64N(40)*unit/4
				switch r := v.touchedBy(incremental.Range{From: oldest, To: newest + 1}); rng.IntN(40) {
				case 0:
					v.begin(v.gen + 1)
				case 1:
					v.frontier = r.From
				case 2, 3, 4, 5:
					v.marked.Add(r)
				}
				if !v.covers(oldest, newest) {
					no++
					continue
				}
				yes++
				for at := oldest; at <= newest; at += unit / 4 {
					if r := v.touchedBy(incremental.Range{From: at, To: at + 1}); !r.Empty() && (r.From < v.frontier || !v.marked.Contains(r)) {
						t.Fatalf("rows from %d to %d are covered, but the windows %v of %d are not marked, or before %d", oldest, newest, r, at, v.frontier)
					}
				}
			}
			if yes < 1000 || no < 1000 {
				t.Fatalf("covered %d times, not %d times", yes, no)
			}
		})
	}
}
