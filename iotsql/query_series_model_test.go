package iotsql_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// Functions of a series, in the reference of queries: those that are built in and
// some of a user with each way to read rows. They see the rows in which one of
// their inputs is not null.

// point is what a function gives.
type point struct {
	t int64
	v value
}

// inRow is a row of the inputs of a function.
type inRow struct {
	t    int64
	vals []value
}

// seriesFunc computes a function of a series; k is the kind of its first input.
type seriesFunc struct {
	run    func(in []inRow, attr map[string]string) []point
	strays bool // gives points at times of no row
	mapped bool // gives a value for each row, perhaps null
	many   bool // takes any number of inputs of any kind
	text   bool // gives text
	truth  bool // takes booleans
	exact  bool // of which the order of adding does not matter
	attrs  func(s *store) [][2]string
}

func none(*store) [][2]string { return nil }

var seriesFuncs map[string]seriesFunc

func init() {
	seriesFuncs = map[string]seriesFunc{
		"difference":              {run: trendOf(minus), exact: true},
		"non_negative_difference": {run: trendOf(func(a, b point) value { return magnitude(minus(a, b)) }), exact: true},
		"derivative":              {run: trendOf(speed)},
		"non_negative_derivative": {run: trendOf(func(a, b point) value { return magnitude(speed(a, b)) })},
		"time_difference": {run: trendOf(func(a, b point) value { return tickwell.Int64Value(b.t - a.t) }),
			exact: true, truth: true},
		"top_k":    {run: bestOf(false), exact: true, attrs: numbered("k", 1, 2, 5, 1000)},
		"bottom_k": {run: bestOf(true), exact: true, attrs: numbered("k", 1, 3, 7)},
		"change_points": {exact: true, truth: true, run: func(in []inRow, _ map[string]string) (out []point) {
			for _, r := range in {
				if len(out) == 0 || !out[len(out)-1].v.Equal(r.vals[0]) {
					out = append(out, point{r.t, r.vals[0]})
				}
			}
			return out
		}},
		"zero_count":        {run: runsOf(true, false), exact: true, truth: true, attrs: between("min", "max")},
		"non_zero_count":    {run: runsOf(false, false), exact: true, truth: true, attrs: between("min", "max")},
		"zero_duration":     {run: runsOf(true, true), exact: true, truth: true, attrs: between("min", "max")},
		"non_zero_duration": {run: runsOf(false, true), exact: true, truth: true, attrs: between("min", "max")},
		"moving_avg": {attrs: numbered("window", 1, 2, 5, 300), run: movingOf(func(vs []float64) (float64, bool) {
			return total(vs) / float64(len(vs)), true
		})},
		"moving_sum": {attrs: numbered("window", 1, 3, 40), run: movingOf(func(vs []float64) (float64, bool) { return total(vs), true })},
		"moving_min": {exact: true, attrs: numbered("window", 1, 2, 9), run: movingOf(func(vs []float64) (float64, bool) {
			return chosen(vs, func(a, b float64) bool { return a < b }), true
		})},
		"moving_max": {exact: true, attrs: numbered("window", 2, 4, 100), run: movingOf(func(vs []float64) (float64, bool) {
			return chosen(vs, func(a, b float64) bool { return a > b }), true
		})},
		"moving_stddev": {attrs: numbered("window", 2, 3, 50), run: movingOf(func(vs []float64) (float64, bool) {
			mean, sq := total(vs)/float64(len(vs)), 0.0
			for _, v := range vs {
				sq += (v - mean) * (v - mean)
			}
			return math.Sqrt(sq / float64(len(vs)-1)), len(vs) > 1
		})},
		"ewma": {attrs: func(s *store) [][2]string { return [][2]string{{"alpha", pickOf(s.rng, "0.5", "1", "0.125")}} },
			run: func(in []inRow, attr map[string]string) (out []point) {
				alpha, _ := strconv.ParseFloat(attr["alpha"], 64)
				for i, r := range in {
					v := r.vals[0].Float64()
					if i > 0 {
						v = alpha*v + (1-alpha)*out[i-1].v.Float64()
					}
					out = append(out, point{r.t, tickwell.Float64Value(v)})
				}
				return out
			}},
		"m4": {exact: true, attrs: func(s *store) [][2]string {
			if s.rng.IntN(2) == 0 {
				size := 1 + s.rng.IntN(9)
				return [][2]string{{"windowSize", fmt.Sprint(size)}, {"slidingStep", fmt.Sprint(size + s.rng.IntN(3))}}
			}
			length := 1 + s.rng.Int64N(s.span/3)
			a := [][2]string{{"timeInterval", fmt.Sprint(length)}}
			if s.rng.IntN(2) == 0 {
				a = append(a, [2]string{"slidingStep", fmt.Sprint(length + s.rng.Int64N(s.span/8))})
			}
			if s.rng.IntN(2) == 0 {
				begin := s.base + s.rng.Int64N(s.span) - s.span/5
				a = append(a, [2]string{"displayWindowBegin", fmt.Sprint(begin)})
				if s.rng.IntN(2) == 0 {
					a = append(a, [2]string{"displayWindowEnd", fmt.Sprint(begin + s.rng.Int64N(s.span))})
				}
			}
			return a
		}, run: func(in []inRow, attr map[string]string) (out []point) {
			for _, w := range windowsOf(in, attr) {
				out = append(out, fourOf(w.rows)...)
			}
			return out
		}},
		"equal_size_bucket_agg_sample": {attrs: func(s *store) [][2]string {
			return [][2]string{{"proportion", pickOf(s.rng, "0.5", "0.3", "1", "0.1")}, {"type", pickOf(s.rng, "avg", "max", "min", "sum", "extreme", "variance")}}
		}, run: sampleOf(1, func(rows []inRow, attr map[string]string) []point {
			var vs []float64
			best := rows[0].vals[0]
			for _, r := range rows {
				v := r.vals[0]
				vs = append(vs, v.Float64())
				c, _ := compare(v, best)
				if a, b := math.Abs(v.Float64()), math.Abs(best.Float64()); attr["type"] == "max" && c > 0 || attr["type"] == "min" && c < 0 ||
					attr["type"] == "extreme" && (a > b || a == b && c > 0) {
					best = v
				}
			}
			n := float64(len(vs))
			switch attr["type"] {
			case "avg":
				best = tickwell.Float64Value(total(vs) / n)
			case "sum":
				best = tickwell.Float64Value(total(vs))
			case "variance":
				sq := 0.0
				for _, v := range vs {
					sq += (v - total(vs)/n) * (v - total(vs)/n)
				}
				best = tickwell.Float64Value(sq / n)
			}
			return []point{{rows[0].t, best}}
		})},
		"equal_size_bucket_m4_sample": {attrs: func(s *store) [][2]string {
			return [][2]string{{"proportion", pickOf(s.rng, "0.5", "0.8", "1", "0.1")}}
		}, run: sampleOf(4, func(rows []inRow, _ map[string]string) []point {
			keep := map[int]bool{0: true, len(rows) - 1: true}
			if len(rows) > 2 {
				lo, hi := 1, 1
				for i := 1; i < len(rows)-1; i++ {
					if c, _ := compare(rows[i].vals[0], rows[lo].vals[0]); c < 0 {
						lo = i
					}
					if c, _ := compare(rows[i].vals[0], rows[hi].vals[0]); c > 0 {
						hi = i
					}
				}
				keep[lo], keep[hi] = true, true
			}
			var out []point
			for _, i := range slices.Sorted(maps.Keys(keep)) {
				out = append(out, point{rows[i].t, rows[i].vals[0]})
			}
			return out
		})},
		"equal_size_bucket_outlier_sample": {attrs: func(s *store) [][2]string {
			return [][2]string{{"proportion", pickOf(s.rng, "0.2", "0.1")}, {"number", pickOf(s.rng, "1", "2", "20")}, {"type", "prenextdis"}}
		}, run: sampleOf(1, func(rows []inRow, attr map[string]string) []point {
			number, _ := strconv.Atoi(attr["number"])
			at := make([]int, len(rows))
			score := make([]float64, len(rows))
			for i := range rows {
				at[i] = i
				for _, j := range []int{max(i-1, 0), min(i+1, len(rows)-1)} {
					score[i] += math.Abs(rows[i].vals[0].Float64() - rows[j].vals[0].Float64())
				}
			}
			sort.SliceStable(at, func(a, b int) bool { return score[at[a]] > score[at[b]] })
			at = at[:min(number, len(at))]
			slices.Sort(at)
			var out []point
			for _, i := range at {
				out = append(out, point{rows[i].t, rows[i].vals[0]})
			}
			return out
		})},
		"mine_rows": {many: true, text: true, exact: true, strays: true, run: func(in []inRow, _ map[string]string) (out []point) {
			for _, r := range in {
				if r.t%3 != 0 {
					out = append(out, point{r.t, tickwell.TextValue(printed(r.vals))})
				}
			}
			if len(in) > 0 {
				out = append(out, point{in[len(in)-1].t + 1, tickwell.TextValue(fmt.Sprint("rows ", len(in)))})
			}
			return out
		}},
		"mine_map": {many: true, text: true, exact: true, mapped: true, run: func(in []inRow, _ map[string]string) (out []point) {
			for _, r := range in {
				if r.t%4 != 0 {
					out = append(out, point{r.t, tickwell.TextValue(printed(r.vals))})
				}
			}
			return out
		}},
		"mine_windows": {many: true, text: true, exact: true, strays: true, attrs: access(0), run: mineWindows},
		"mine_state":   {text: true, exact: true, truth: true, attrs: access(1), run: mineWindows},
	}
}

func numbered(key string, of ...int) func(*store) [][2]string {
	return func(s *store) [][2]string { return [][2]string{{key, fmt.Sprint(pickOf(s.rng, of...))}} }
}

func between(lo, hi string) func(*store) [][2]string {
	return func(s *store) (a [][2]string) {
		n := s.rng.IntN(4)
		if s.rng.IntN(3) == 0 {
			a = append(a, [2]string{lo, fmt.Sprint(n)})
		}
		if s.rng.IntN(3) == 0 {
			a = append(a, [2]string{hi, fmt.Sprint(n + s.rng.IntN(5))})
		}
		return a
	}
}

// access is the attributes of a function of windows.
func access(state int) func(*store) [][2]string {
	return func(s *store) [][2]string {
		r := s.rng
		var a [][2]string
		put := func(k string, n int64) { a = append(a, [2]string{k, fmt.Sprint(n)}) }
		switch (1 - state) * (1 + r.IntN(3)) {
		case 0:
			put("delta", int64(r.IntN(4)))
		case 1:
			put("windowSize", int64(1+r.IntN(6)))
			if r.IntN(2) == 0 {
				put("slidingStep", int64(1+r.IntN(9)))
			}
			return a
		case 2:
			put("timeInterval", 1+r.Int64N(s.span/2))
			if r.IntN(2) == 0 {
				put("slidingStep", 1+r.Int64N(s.span/3))
			}
		case 3:
			put("gap", r.Int64N(1+s.span/20))
		}
		if r.IntN(3) == 0 {
			begin := s.base + r.Int64N(s.span) - s.span/5
			put("displayWindowBegin", begin)
		}
		if r.IntN(3) == 0 {
			put("displayWindowEnd", s.base+s.span+r.Int64N(s.span)-s.span/2)
		}
		return a
	}
}

func printed(vals []value) string {
	var b strings.Builder
	for _, v := range vals {
		fmt.Fprint(&b, v, "|")
	}
	return b.String()
}

func minus(a, b point) value {
	x, y := a.v, b.v
	switch x.Kind() {
	case tickwell.KindInt32:
		return tickwell.Int32Value(int32(y.Int64()) - int32(x.Int64()))
	case tickwell.KindInt64:
		return tickwell.Int64Value(y.Int64() - x.Int64())
	case tickwell.KindFloat32:
		return tickwell.Float32Value(float32(y.Float64()) - float32(x.Float64()))
	}
	return tickwell.Float64Value(y.Float64() - x.Float64())
}

func magnitude(v value) value {
	switch v.Kind() {
	case tickwell.KindInt32:
		return tickwell.Int32Value(max(int32(v.Int64()), -int32(v.Int64())))
	case tickwell.KindInt64:
		return tickwell.Int64Value(max(v.Int64(), -v.Int64()))
	case tickwell.KindFloat32:
		return tickwell.Float32Value(float32(math.Abs(v.Float64())))
	}
	return tickwell.Float64Value(math.Abs(v.Float64()))
}

func speed(a, b point) value {
	return tickwell.Float64Value((b.v.Float64() - a.v.Float64()) / float64(b.t-a.t))
}

func trendOf(f func(a, b point) value) func([]inRow, map[string]string) []point {
	return func(in []inRow, _ map[string]string) (out []point) {
		for i := 1; i < len(in); i++ {
			out = append(out, point{in[i].t, f(point{in[i-1].t, in[i-1].vals[0]}, point{in[i].t, in[i].vals[0]})})
		}
		return out
	}
}

func bestOf(least bool) func([]inRow, map[string]string) []point {
	return func(in []inRow, attr map[string]string) (out []point) {
		k, _ := strconv.Atoi(attr["k"])
		for _, r := range in {
			out = append(out, point{r.t, r.vals[0]})
		}
		sort.SliceStable(out, func(i, j int) bool {
			a, b := out[i].v, out[j].v
			c, ok := compare(a, b)
			if !ok { // NaN is after every number
				c = 0
				if x, y := math.IsNaN(a.Float64()), math.IsNaN(b.Float64()); x != y {
					c = -1
					if x {
						c = 1
					}
				}
			}
			if least {
				return c < 0
			}
			return c > 0
		})
		out = out[:min(k, len(out))]
		slices.SortFunc(out, func(a, b point) int { return int(a.t - b.t) })
		return out
	}
}

func runsOf(zero, duration bool) func([]inRow, map[string]string) []point {
	return func(in []inRow, attr map[string]string) (out []point) {
		lo, hi := int64(1), int64(math.MaxInt64)
		if duration {
			lo = 0
		}
		if a, ok := attr["min"]; ok {
			lo, _ = strconv.ParseInt(a, 10, 64)
		}
		if a, ok := attr["max"]; ok {
			hi, _ = strconv.ParseInt(a, 10, 64)
		}
		for i := 0; i < len(in); i++ {
			from := i
			for i < len(in) && isZero(in[i].vals[0]) == zero {
				i++
			}
			if i == from {
				continue
			}
			n := int64(i - from)
			if duration {
				n = in[i-1].t - in[from].t
			}
			if n >= lo && n <= hi {
				out = append(out, point{in[from].t, tickwell.Int64Value(n)})
			}
		}
		return out
	}
}

func isZero(v value) bool {
	if v.Kind() == tickwell.KindBool {
		return !v.Bool()
	}
	return v.Float64() == 0
}

func movingOf(f func([]float64) (float64, bool)) func([]inRow, map[string]string) []point {
	return func(in []inRow, attr map[string]string) (out []point) {
		n, _ := strconv.Atoi(attr["window"])
		for i, r := range in {
			var vs []float64
			for _, x := range in[max(0, i+1-n) : i+1] {
				vs = append(vs, x.vals[0].Float64())
			}
			if v, ok := f(vs); ok {
				out = append(out, point{r.t, tickwell.Float64Value(v)})
			}
		}
		return out
	}
}

func total(vs []float64) (sum float64) {
	for _, v := range vs {
		sum += v
	}
	return sum
}

func chosen(vs []float64, better func(a, b float64) bool) float64 {
	b := vs[0]
	for _, v := range vs[1:] {
		if math.IsNaN(b) || better(v, b) {
			b = v
		}
	}
	return b
}

func sampleOf(points float64, f func([]inRow, map[string]string) []point) func([]inRow, map[string]string) []point {
	return func(in []inRow, attr map[string]string) (out []point) {
		share, _ := strconv.ParseFloat(attr["proportion"], 64)
		for rows := range slices.Chunk(in, int(points/share+1e-9)) {
			out = append(out, f(rows, attr)...)
		}
		return out
	}
}

// fourOf is the rule of M4.
func fourOf(rows []inRow) (out []point) {
	if len(rows) == 0 {
		return nil
	}
	order := func(a, b value) int {
		c, ok := compare(a, b)
		if x, y := math.IsNaN(a.Float64()), math.IsNaN(b.Float64()); !ok && x != y {
			c = -1
			if x {
				c = 1
			}
		} else if !ok {
			c = 0
		}
		return c
	}
	lo, hi, last := 0, 0, len(rows)-1
	for i, r := range rows {
		if order(r.vals[0], rows[lo].vals[0]) < 0 {
			lo = i
		}
		if order(r.vals[0], rows[hi].vals[0]) > 0 {
			hi = i
		}
	}
	keep := []int{0}
	early, late := min(lo, hi), max(lo, hi)
	if early > 0 && order(rows[early].vals[0], rows[last].vals[0]) != 0 {
		keep = append(keep, early)
	}
	if late > early && order(rows[late].vals[0], rows[last].vals[0]) != 0 {
		keep = append(keep, late)
	}
	if last > 0 {
		keep = append(keep, last)
	}
	for _, i := range keep {
		out = append(out, point{rows[i].t, rows[i].vals[0]})
	}
	return out
}

type rowsWindow struct {
	start, end int64
	rows       []inRow
}

// windowsOf cuts rows as the access strategies of the documents do.
func windowsOf(in []inRow, attr map[string]string) (out []rowsWindow) {
	number := func(key string, def int64) int64 {
		if a, ok := attr[key]; ok {
			n, _ := strconv.ParseInt(a, 10, 64)
			return n
		}
		return def
	}
	if len(in) == 0 {
		return nil
	}
	if size := number("windowSize", 0); size > 0 {
		for i := int64(0); i < int64(len(in)); i += number("slidingStep", size) {
			w := in[i:min(i+size, int64(len(in)))]
			out = append(out, rowsWindow{w[0].t, w[len(w)-1].t, w})
		}
		return out
	}
	begin := number("displayWindowBegin", math.MinInt64)
	end := number("displayWindowEnd", math.MaxInt64)
	var shown []inRow
	for _, r := range in {
		if r.t >= begin && (r.t < end || end == math.MaxInt64) {
			shown = append(shown, r)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	if length := number("timeInterval", 0); length > 0 {
		if begin == math.MinInt64 {
			begin = shown[0].t
		}
		for at := begin; at < end && at <= shown[len(shown)-1].t; at += number("slidingStep", length) {
			w := rowsWindow{start: at, end: at + length - 1}
			for _, r := range shown {
				if r.t >= at && r.t < at+length {
					w.rows = append(w.rows, r)
				}
			}
			out = append(out, w)
		}
		return out
	}
	_, state := attr["delta"]
	for i, r := range shown {
		begins := i == 0
		if !begins && state {
			begins = differs(out[len(out)-1].rows[0].vals[0], r.vals[0], float64(number("delta", 0)))
		} else if !begins {
			begins = r.t-shown[i-1].t > number("gap", 0)
		}
		if begins {
			out = append(out, rowsWindow{start: r.t})
		}
		w := &out[len(out)-1]
		w.rows, w.end = append(w.rows, r), r.t
	}
	return out
}

// mineWindows prints windows at their starts.
func mineWindows(in []inRow, attr map[string]string) (out []point) {
	for _, w := range windowsOf(in, attr) {
		s := fmt.Sprint(w.start, "-", w.end, ":")
		for _, r := range w.rows {
			s += fmt.Sprint(" ", r.t, "=", printed(r.vals))
		}
		out = append(out, point{w.start, tickwell.TextValue(s)})
	}
	return out
}

// mine is the same as a function of a user.
type mine struct {
	name string
	unit int64
	n    int
	last int64
}

func (m *mine) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindText)
	m.unit = int64(in.Unit)
	number := func(key string) int64 {
		n, _ := strconv.ParseInt(in.Params.Text(key), 10, 64)
		return n
	}
	has := func(key string) bool { return in.Params.Has(key) }
	switch {
	case m.name == "mine_rows":
		cfg.RowByRow()
	case m.name == "mine_map":
		cfg.Mappable()
	case has("windowSize"):
		cfg.SlidingSize(int(number("windowSize")), int(number("slidingStep")))
	case has("timeInterval"):
		cfg.SlidingTime(time.Duration(number("timeInterval")*m.unit), time.Duration(number("slidingStep")*m.unit))
	case has("gap"):
		cfg.Session(time.Duration(number("gap") * m.unit))
	default:
		cfg.State(float64(number("delta")))
	}
	if has("displayWindowBegin") || has("displayWindowEnd") {
		var begin, end time.Time
		if has("displayWindowBegin") {
			begin = time.Unix(0, number("displayWindowBegin")*m.unit)
		}
		if has("displayWindowEnd") {
			end = time.Unix(0, number("displayWindowEnd")*m.unit)
		}
		cfg.Display(begin, end)
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (m *mine) row(r tickwell.Row) inRow {
	out := inRow{t: r.UnixNano() / m.unit}
	for c := range r.Len() {
		out.vals = append(out.vals, r.Value(c))
	}
	return out
}

func (m *mine) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	r := m.row(row)
	m.n++
	m.last = r.t
	if r.t%3 != 0 {
		return out.PutText(r.t*m.unit, printed(r.vals))
	}
	return nil
}

func (m *mine) MapRow(row tickwell.Row) (value, error) {
	r := m.row(row)
	if r.t%4 != 0 {
		return tickwell.TextValue(printed(r.vals)), nil
	}
	return null, nil
}

func (m *mine) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	s := fmt.Sprint(w.Start()/m.unit, "-", floorDiv(w.End(), m.unit), ":")
	for i := range w.Len() {
		r := m.row(w.Row(i))
		s += fmt.Sprint(" ", r.t, "=", printed(r.vals))
	}
	return out.PutText(w.Start(), s)
}

func (m *mine) Terminate(out *tickwell.Collector) error {
	if m.n > 0 {
		return out.PutText((m.last+1)*m.unit, fmt.Sprint("rows ", m.n))
	}
	return nil
}

func mineSpecs() (all []tickwell.FunctionSpec) {
	for _, name := range []string{"mine_rows", "mine_map", "mine_windows", "mine_state"} {
		all = append(all, tickwell.FunctionSpec{Name: name, UDTF: func() tickwell.UDTF { return &mine{name: name} }})
	}
	return all
}

// series makes a call of a function of a series that gives numbers, or texts.
func (s *store) seriesCall(depth int, text bool) *tree {
	r := s.rng
	for {
		name := pickOf(r, slices.Sorted(maps.Keys(seriesFuncs))...)
		f := seriesFuncs[name]
		if f.text != text || s.odd && !f.exact || f.strays && !s.strays {
			continue
		}
		var args []*tree
		arg := func() *tree {
			switch {
			case r.IntN(3) == 0:
				return s.num(depth - 1)
			case f.truth && r.IntN(3) == 0:
				return s.truth(depth - 1)
			case f.many && r.IntN(3) == 0:
				return pickOf(r, s.text(depth-1), s.truth(depth-1))
			}
			return col(pickOf(r, "i", "l", "f", "d", "x"))
		}
		args = append(args, arg())
		for f.many && depth > 0 && r.IntN(2) == 0 { // else wildcards would make too many columns
			args = append(args, arg())
		}
		e := call(name, args...)
		if f.attrs != nil {
			e.attr = f.attrs(s)
		}
		return e
	}
}

// tabulate gives each function of a series below e its points, from rows, to which
// it adds those that are not there. Functions inside of aggregates are meant if
// inside, else those that are not. What is added is only for what is over e.
func tabulate(e *tree, rows []row, inside, within bool, over ...*tree) []row {
	if e == nil {
		return rows
	}
	for _, a := range e.args {
		rows = tabulate(a, rows, inside, within || e.isAgg(), append(slices.Clip(over), e)...)
	}
	f, ok := seriesFuncs[e.name]
	if e.op != "call" || inside != within {
		return rows
	}
	if e.name == "diff" { // it remembers the rows it saw
		last := null
		for i := range rows {
			v := e.args[0].eval(&rows[i])
			if v.IsNull() {
				continue
			}
			if !last.IsNull() {
				rows[i].diff[e] = tickwell.Float64Value(v.Float64() - last.Float64())
			}
			last = v
		}
	}
	if !ok {
		return rows
	}
	var in []inRow
	for i := range rows {
		if rows[i].of != nil && !rows[i].of[e] {
			continue
		}
		r := inRow{t: rows[i].t}
		any := false
		for _, a := range e.args {
			v := a.eval(&rows[i])
			r.vals = append(r.vals, v)
			any = any || a.op != "const" && !v.IsNull()
		}
		if any {
			in = append(in, r)
		}
	}
	attr := map[string]string{}
	for _, a := range e.attr {
		attr[a[0]] = a[1]
	}
	at := map[int64]int{}
	for i := range rows {
		at[rows[i].t] = i
	}
	for _, p := range f.run(in, attr) {
		i, ok := at[p.t]
		if !ok {
			i = len(rows)
			at[p.t] = i
			rows = append(rows, row{t: p.t, cells: map[string]value{}, diff: map[*tree]value{}, of: map[*tree]bool{}})
		}
		for _, o := range over {
			if rows[i].of != nil {
				rows[i].of[o] = true
			}
		}
		rows[i].diff[e] = p.v
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].t < rows[j].t })
	return rows
}

// makesRows reports whether e calls a function whose points make the rows.
func (t *tree) makesRows() (is bool) {
	t.walk(func(x *tree) {
		f, ok := seriesFuncs[x.name]
		is = is || x.op == "call" && ok && !f.mapped
	})
	return is
}

// Functions of a series in queries of all clauses give what the reference gives.
func TestSeriesFunctionsAgainstReference(t *testing.T) {
	tryMany(t, 30, time.Nanosecond, func(s *store) { s.tables = true })
}
