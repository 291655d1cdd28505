package exec

import (
	"fmt"
	"math"
	"math/bits"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/column"
)

// costRows is a batch as queries have them.
const costRows = 4096

// demanding are the functions of a row that may cost more than 10 ns a row over
// the scan, with the reason.
var demanding = map[string]string{
	"cosh": "mathematics", "sinh": "mathematics", "tan": "mathematics", "sin": "mathematics", "exp": "mathematics",
	"concat": "a new text a row", "lower": "a new text a row", "upper": "a new text a row", "replace": "a new text a row",
	"string_matches": "a regular expression", "strcmp": "reads two texts", "locate": "searches, and counts characters", "substring": "counts characters",
	"moving_avg": "two joins a row, however long the window", "moving_sum": "as moving_avg", "moving_min": "as moving_avg",
	"moving_max": "as moving_avg", "moving_stddev": "as moving_avg",
}

// costColumn has values of a kind that are all different, or texts like names.
func costColumn(k column.Kind) Col {
	c := Col{Vector: column.Vector{Kind: k}}
	for i := range costRows {
		x := math.Sin(float64(i)) * 100
		switch k {
		case column.Bool:
			c.Bools = append(c.Bools, i%3 == 0)
		case column.Int32:
			c.Int32s = append(c.Int32s, int32(x))
		case column.Int64:
			c.Int64s = append(c.Int64s, int64(x))
		case column.Float32:
			c.Float32s = append(c.Float32s, float32(x))
		case column.Float64:
			c.Float64s = append(c.Float64s, x)
		default:
			c.Texts = append(c.Texts, fmt.Sprint("Sensor ", i%64, "b"))
		}
	}
	return c
}

// costCall is the documented example of a function, over the first kind that it
// takes, with inputs of costColumn.
func costCall(d *documented) (call *Call, kind column.Kind, in []*Col) {
	for _, k := range []column.Kind{column.Float64, column.Text, column.Bool} {
		c := &Call{Name: d.name, Attrs: d.call().Attrs()}
		var cols []*Col
		add := func(col Col) {
			c.Inputs = append(c.Inputs, Column{Name: "s", Kind: col.Kind})
			cols = append(cols, &col)
		}
		for range d.inputs {
			add(costColumn(k))
		}
		for _, v := range d.constants {
			var col Col
			switch v := v.(type) {
			case string:
				col = Col{Vector: column.Vector{Kind: column.Text, Texts: slices.Repeat([]string{v}, costRows)}}
			case int:
				col = Col{Vector: column.Vector{Kind: column.Int64, Int64s: slices.Repeat([]int64{int64(v)}, costRows)}}
			}
			add(col)
		}
		if s := scalars[d.name]; s != nil {
			if kind, err := s.check(c); err == nil {
				return c, kind, cols
			}
		} else if t := tables[d.name](); t != nil {
			if kind, access, err := t.Start(c); err == nil && access.Kind == RowByRow {
				return c, kind, cols
			}
		}
	}
	return nil, 0, nil
}

// best is the least time of a run by row: what others do on the machine in the
// meantime is not counted, as a run is short.
func best(run func()) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // collections are not counted either
	least := time.Hour
	for began := time.Now(); time.Since(began) < 15*time.Millisecond; {
		start := time.Now()
		run()
		least = min(least, time.Since(start))
	}
	return float64(least.Nanoseconds()) / costRows
}

// costOf measures one function; ok is false for those that read windows.
func costOf(t *testing.T, d *documented) (ns float64, ok bool) {
	call, kind, in := costCall(d)
	if call == nil {
		return 0, false
	}
	times := make([]int64, costRows)
	for i := range times {
		times[i] = int64(i) * 1e9
	}
	if s := scalars[d.name]; s != nil {
		f, err := s.make(call)
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		var out Col
		return best(func() {
			out.reset(kind)
			if err := f(times, in, &out); err != nil {
				t.Fatalf("%s: %v", d.name, err)
			}
		}), true
	}
	f := tables[d.name]()
	if _, _, err := f.Start(call); err != nil {
		t.Fatalf("%s: %v", d.name, err)
	}
	b := Batch{Times: times, Cols: []Col{*in[0]}}
	out := newOut(d.name, kind, 1<<40)
	return best(func() {
		if err := f.Rows(&b, out); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		out.release()
		out.last = math.MinInt64
	}), true
}

// No function of a row costs more than 10 ns a row over the scan, but for those
// that are listed with the reason. The test allows for a machine three times as
// slow; BenchmarkRowFunctions gives the figures.
func TestRowFunctionCost(t *testing.T) {
	for name := range demanding {
		if scalars[name] == nil && tables[name] == nil {
			t.Errorf("%s is listed as demanding, but is no function", name)
		}
	}
	if raceEnabled || testing.Short() {
		t.Skip("measures time")
	}
	if bits.UintSize == 32 {
		t.Skip("the limits are those of 64-bit machines; arithmetic on 64 bits takes others two or three times as long")
	}
	var lines []string
	for i := range documentation {
		d := &documentation[i]
		if _, aggregate := builtinAggs[d.name]; aggregate {
			continue
		}
		ns, ok := costOf(t, d)
		if !ok {
			lines = append(lines, fmt.Sprintf("%-40s reads windows", d.name))
			continue
		}
		why := demanding[d.name]
		for try := 0; try < 5 && ns > 30 && why == ""; try++ {
			again, _ := costOf(t, d) // the machine may have been busy
			ns = min(ns, again)
		}
		lines = append(lines, fmt.Sprintf("%-40s %6.1f ns/row  %s", d.name, ns, why))
		if ns > 30 && why == "" {
			t.Errorf("%s costs %.1f ns a row, want at most 10, or 30 on a slow machine", d.name, ns)
		}
	}
	t.Log("\n" + strings.Join(lines, "\n"))
}

func BenchmarkRowFunctions(b *testing.B) {
	for i := range documentation {
		d := &documentation[i]
		if _, aggregate := builtinAggs[d.name]; aggregate {
			continue
		}
		b.Run(d.name, func(b *testing.B) {
			least := math.Inf(1)
			for b.Loop() {
				t := &testing.T{}
				ns, ok := costOf(t, d)
				if !ok {
					b.Skip("reads windows")
				}
				least = min(least, ns)
			}
			b.ReportMetric(least, "ns/row")
		})
	}
}
