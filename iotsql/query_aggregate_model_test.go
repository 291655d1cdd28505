package iotsql_test

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell"
)

// Aggregates of the reference of whole queries.

var aggregates = map[string]bool{
	"count": true, "sum": true, "avg": true, "min_value": true, "max_value": true, "extreme": true, "first_value": true, "last_value": true,
	"min_time": true, "max_time": true, "time_duration": true, "mode": true, "stddev": true, "var_pop": true, "variance": true, "stddev_pop": true,
	"count_if": true, "max_by": true, "min_by": true, "count_time": true,
}

func (t *tree) isAgg() bool { return t.op == "call" && aggregates[t.name] }

func (t *tree) hasAgg() (has bool) {
	t.walk(func(x *tree) { has = has || x.isAgg() })
	return has
}

// aggregate computes an aggregate over the rows of a group.
func (t *tree) aggregate(r *row) value {
	var rows []*row
	for i := range r.group {
		rows = append(rows, &r.group[i])
	}
	if t.name == "count_time" {
		n := int64(0)
		for _, x := range rows {
			if len(x.cells) > 0 {
				n++
			}
		}
		return tickwell.Int64Value(n)
	}
	if t.name == "count_if" {
		return t.countIf(rows)
	}
	if f := userAggs[t.name]; f != nil {
		return f(t.inRows(r))
	}
	if t.name == "max_by" || t.name == "min_by" {
		best, _ := t.by(r, null, null)
		return best
	}
	one := t.sample(r)
	if t.name == "count" {
		return tickwell.Int64Value(int64(len(one.vs)))
	}
	return aggregated(t.name, []sample{one})
}

// by is the value of the first argument where the second is best, and that, of those
// that are better than what is known.
func (t *tree) by(r *row, best, at value) (value, value) {
	for i := range r.group {
		v, y := t.args[0].eval(&r.group[i]), t.args[1].eval(&r.group[i])
		if y.IsNull() || math.IsNaN(y.Float64()) {
			continue
		}
		if at.IsNull() || t.name == "max_by" && y.Float64() > at.Float64() || t.name == "min_by" && y.Float64() < at.Float64() {
			best, at = v, y
		}
	}
	return best, at
}

// sample is values and their times.
type sample struct {
	vs []value
	ts []int64
}

// sample is what the argument of an aggregate is in the rows of a group.
func (t *tree) sample(r *row) (out sample) {
	for i := range r.group {
		if v := t.args[0].eval(&r.group[i]); !v.IsNull() {
			out.vs, out.ts = append(out.vs, v), append(out.ts, r.group[i].t)
		}
	}
	return out
}

// aggregated is an aggregate of samples, each in the order of time.
func aggregated(name string, of []sample) value {
	var vs []value
	var ts []int64
	for _, s := range of {
		vs, ts = append(vs, s.vs...), append(ts, s.ts...)
	}
	if len(vs) == 0 {
		return null
	}
	n := float64(len(vs))
	total := func() float64 {
		if isInt(vs[0]) {
			s := new(big.Int)
			for _, v := range vs {
				s.Add(s, big.NewInt(v.Int64()))
			}
			f, _ := new(big.Float).SetInt(s).Float64()
			return f
		}
		s := 0.0
		for _, part := range of { // as they are put together
			p := 0.0
			for _, v := range part.vs {
				p += v.Float64()
			}
			s += p
		}
		return s
	}
	edge := func(last bool) (at int) {
		for i, t := range ts {
			if last && t > ts[at] || !last && t < ts[at] {
				at = i
			}
		}
		return at
	}
	best := func(better func(a, b value) bool) value {
		b := vs[0]
		for _, v := range vs[1:] {
			if math.IsNaN(b.Float64()) || !math.IsNaN(v.Float64()) && better(v, b) {
				b = v
			}
		}
		return b
	}
	variance := func(by float64) value {
		if by <= 0 {
			return null
		}
		mean, m2 := 0.0, 0.0
		for _, v := range vs {
			mean += v.Float64() / n
		}
		for _, v := range vs {
			m2 += (v.Float64() - mean) * (v.Float64() - mean)
		}
		return tickwell.Float64Value(m2 / by)
	}
	root := func(v value) value {
		if v.IsNull() {
			return v
		}
		return tickwell.Float64Value(math.Sqrt(v.Float64()))
	}
	less := func(a, b value) bool { c, _ := compare(a, b); return c < 0 }
	switch name {
	case "sum":
		return tickwell.Float64Value(total())
	case "avg":
		return tickwell.Float64Value(total() / n)
	case "min_value":
		return best(less)
	case "max_value":
		return best(func(a, b value) bool { return less(b, a) })
	case "extreme":
		size := func(v value) *big.Float {
			if isInt(v) {
				return new(big.Float).SetInt(new(big.Int).Abs(big.NewInt(v.Int64())))
			}
			return big.NewFloat(math.Abs(v.Float64()))
		}
		return best(func(a, b value) bool {
			c := size(a).Cmp(size(b))
			return c > 0 || c == 0 && less(b, a)
		})
	case "first_value":
		return vs[edge(false)]
	case "last_value":
		return vs[edge(true)]
	case "min_time":
		return tickwell.Int64Value(slices.Min(ts))
	case "max_time":
		return tickwell.Int64Value(slices.Max(ts))
	case "time_duration":
		return tickwell.Int64Value(slices.Max(ts) - slices.Min(ts))
	case "var_pop":
		return variance(n)
	case "stddev_pop":
		return root(variance(n))
	case "variance":
		return variance(n - 1)
	case "stddev":
		return root(variance(n - 1))
	case "mode":
		b, most, first := 0, 0, int64(0)
		for i := range vs {
			same, since := 0, ts[i]
			for j, v := range vs {
				if v.Equal(vs[i]) {
					same, since = same+1, min(since, ts[j])
				}
			}
			if same > most || same == most && since < first {
				b, most, first = i, same, since
			}
		}
		return vs[b]
	}
	panic("no reference for " + name)
}

func (t *tree) countIf(rows []*row) value {
	keep, ignore := int64(1), true
	op := ">="
	for _, a := range t.attr {
		switch a[0] {
		case "keep":
			s := strings.TrimLeft(a[1], "<>=! ")
			if o := strings.TrimSpace(a[1][:len(a[1])-len(s)]); o != "" {
				op = o
			}
			keep, _ = strconv.ParseInt(s, 10, 64)
		case "ignoreNull":
			ignore = a[1] == "true"
		}
	}
	n, run := int64(0), int64(0)
	end := func() {
		if run > 0 && (&tree{op: op}).compare(tickwell.Int64Value(run), tickwell.Int64Value(keep)).Bool() {
			n++
		}
		run = 0
	}
	for _, x := range rows {
		switch truth(t.args[0].eval(x)) {
		case 1:
			run++
		case 0:
			end()
		default:
			if !ignore {
				end()
			}
		}
	}
	end()
	return tickwell.Int64Value(n)
}
