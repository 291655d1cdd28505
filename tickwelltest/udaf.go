package tickwelltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// CheckUDAF checks the laws that queries rely on, over random groups of rows
// with nulls, NaN, repeated values and no rows at all. in is how the function is
// called; its Inputs say the kinds of the rows. Of the optional methods it
// checks those that there are:
//
//	Reset    a value that was reset gives what a new one gives
//	Result   asking twice gives the same, and the group goes on
//	Merge    a group in parts gives what it gives as a whole, in whatever way
//	         the parts are put together; an empty part changes nothing; the
//	         other group stays as it is
//	Remove   rows that were added and removed leave no trace
//	State    what was encoded and decoded gives the same and goes on the same;
//	         bytes that are cut off do not panic
//
// Results are the same if they are equal, both NaN, or floats that differ by
// less than 1e-9 of the greatest number around.
func CheckUDAF(t testing.TB, newUDAF func() tickwell.UDAF, in tickwell.UDFInput) {
	t.Helper()
	c := &udafLaws{t: t, make: newUDAF, in: in, rng: rand.New(rand.NewPCG(1, 2)), told: map[string]bool{}}
	for round := range 200 {
		c.round(round)
	}
}

type udafLaws struct {
	t     testing.TB
	make  func() tickwell.UDAF
	in    tickwell.UDFInput
	rng   *rand.Rand
	told  map[string]bool
	scale float64
}

// fail reports the first breach of each law.
func (c *udafLaws) fail(law, format string, args ...any) {
	c.t.Helper()
	if !c.told[law] {
		c.told[law] = true
		c.t.Errorf("%s: %s", law, fmt.Sprintf(format, args...))
	}
}

// rows makes n rows, some cells of which are null, or NaN if nan is set.
func (c *udafLaws) rows(n int, nan bool) *tickwell.Tablet {
	tab := &tickwell.Tablet{}
	for i := range n {
		var fields []tickwell.Field
		for j, col := range c.in.Inputs {
			if j > 0 && c.rng.IntN(4) == 0 {
				continue
			}
			v := float64(c.rng.IntN(41)-20) / 4
			if c.rng.IntN(5) == 0 {
				v = math.Round(c.rng.NormFloat64() * 1e6)
			}
			c.scale = max(c.scale, math.Abs(v))
			isNaN := nan && c.rng.IntN(6) == 0
			if isNaN {
				v = math.NaN()
			}
			f := tickwell.Field{Name: fmt.Sprint("c", j)}
			switch col.Kind {
			case tickwell.KindBool:
				f = tickwell.Bool(f.Name, c.rng.IntN(2) == 0)
			case tickwell.KindInt32:
				f = tickwell.Int32(f.Name, int32(c.rng.IntN(41)-20))
			case tickwell.KindInt64:
				f = tickwell.Int64(f.Name, int64(c.rng.IntN(41)-20))
			case tickwell.KindFloat32:
				f = tickwell.Float32(f.Name, float32(v))
			case tickwell.KindText:
				f = tickwell.Text(f.Name, fmt.Sprint("t", c.rng.IntN(9)))
			default:
				f = tickwell.Float64(f.Name, v)
			}
			fields = append(fields, f)
		}
		if err := tab.Append(time.Unix(int64(i), 0), fields...); err != nil {
			c.t.Fatalf("CheckUDAF: %v", err)
		}
	}
	return tab
}

// start makes a value that is ready for rows.
func (c *udafLaws) start() tickwell.UDAF {
	c.t.Helper()
	f := c.make()
	in := c.in
	if v, ok := f.(tickwell.UDFValidator); ok {
		if err := v.Validate(&in); err != nil {
			c.t.Fatalf("Validate: %v", err)
		}
	}
	if _, err := f.BeforeStart(&in); err != nil {
		c.t.Fatalf("BeforeStart: %v", err)
	}
	f.Reset()
	return f
}

func (c *udafLaws) add(f tickwell.UDAF, tab *tickwell.Tablet, lo, hi int) tickwell.UDAF {
	for i := lo; i < hi; i++ {
		if err := f.Add(tab.Row(i)); err != nil {
			c.fail("Add", "row %d: %v", i, err)
		}
	}
	return f
}

func (c *udafLaws) result(law string, f tickwell.UDAF) tickwell.Value {
	v, err := f.Result()
	if err != nil {
		c.fail(law, "Result: %v", err)
	}
	return v
}

// same compares results.
func (c *udafLaws) same(a, b tickwell.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	if k := a.Kind(); k != tickwell.KindFloat64 && k != tickwell.KindFloat32 {
		return a.Equal(b)
	}
	x, y := a.Float64(), b.Float64()
	if x == y || math.IsNaN(x) && math.IsNaN(y) {
		return true
	}
	return math.Abs(x-y) <= 1e-9*max(c.scale, math.Abs(x), math.Abs(y))
}

func (c *udafLaws) want(law string, f tickwell.UDAF, want tickwell.Value, what string) {
	c.t.Helper()
	if got := c.result(law, f); !c.same(got, want) {
		c.fail(law, "%s gives %s, want %s", what, got, want)
	}
}

func (c *udafLaws) round(round int) {
	c.scale = 1
	n := c.rng.IntN(12)
	if round%10 == 0 {
		n = 0
	}
	nan := round%3 == 0
	tab := c.rows(n, nan)
	i, j := c.rng.IntN(n+1), c.rng.IntN(n+1)
	i, j = min(i, j), max(i, j)
	whole := c.add(c.start(), tab, 0, n)
	want := c.result("Result", whole)
	c.want("Result", whole, want, "asked twice, a group")
	group := fmt.Sprintf("a group of %d rows", n)
	if nan {
		group += " with NaN"
	}

	again := c.add(c.start(), c.rows(5, false), 0, 5)
	again.Reset()
	c.want("Reset", c.add(again, tab, 0, n), want, group+" after Reset")
	early := c.add(c.start(), tab, 0, i)
	c.result("Result", early)
	c.want("Result", c.add(early, tab, i, n), want, group+" that was asked in between")

	if _, ok := whole.(tickwell.Merger); ok {
		c.merge(tab, i, j, n, want, group)
	}
	if _, ok := whole.(tickwell.Remover); ok {
		c.remove(tab, i, j, n, group)
	}
	if _, ok := whole.(tickwell.StateCodec); ok {
		c.state(tab, i, n, want, group)
	}
}

func (c *udafLaws) merged(a, b tickwell.UDAF) tickwell.UDAF {
	if err := a.(tickwell.Merger).Merge(b); err != nil {
		c.fail("Merge", "%v", err)
	}
	return a
}

func (c *udafLaws) merge(tab *tickwell.Tablet, i, j, n int, want tickwell.Value, group string) {
	part := func(lo, hi int) tickwell.UDAF { return c.add(c.start(), tab, lo, hi) }
	c.want("Merge", c.merged(c.merged(part(0, i), part(i, j)), part(j, n)), want, group+" merged as (a b) c")
	c.want("Merge", c.merged(part(0, i), c.merged(part(i, j), part(j, n))), want, group+" merged as a (b c)")
	c.want("Merge with an empty group", c.merged(part(0, n), c.start()), want, group+" and nothing")
	c.want("Merge with an empty group", c.merged(c.start(), part(0, n)), want, "nothing and "+group)
	other := part(i, n)
	before := c.result("Merge", other)
	into := c.merged(part(0, i), other)
	c.want("Merge leaves the other group", other, before, "the group that was merged")
	c.add(into, tab, 0, n)
	c.want("Merge leaves the other group", other, before, "the group that was merged, after more rows,")
	c.want("Merge", c.add(c.merged(part(0, i), part(i, j)), tab, j, n), want, group+" that goes on after Merge")
}

func (c *udafLaws) remove(tab *tickwell.Tablet, i, j, n int, group string) {
	f := c.add(c.start(), tab, 0, n)
	drop := func(lo, hi int) {
		for r := lo; r < hi; r++ {
			if err := f.(tickwell.Remover).Remove(tab.Row(r)); err != nil {
				c.fail("Remove", "row %d: %v", r, err)
			}
		}
	}
	// The oldest rows leave first, as windows let them go.
	drop(0, i)
	c.want("Remove", f, c.result("Remove", c.add(c.start(), tab, i, n)), fmt.Sprintf("%s without its first %d", group, i))
	drop(i, j)
	c.want("Remove", f, c.result("Remove", c.add(c.start(), tab, j, n)), fmt.Sprintf("%s without its first %d", group, j))
	drop(j, n)
	c.want("Remove", f, c.result("Remove", c.start()), "a group without any of its rows")
}

func (c *udafLaws) state(tab *tickwell.Tablet, i, n int, want tickwell.Value, group string) {
	half := c.add(c.start(), tab, 0, i)
	b := half.(tickwell.StateCodec).AppendState([]byte("x"))
	if len(b) < 1 || b[0] != 'x' {
		c.fail("State", "AppendState does not append")
		return
	}
	b = b[1:]
	f := c.add(c.start(), tab, 0, n) // which decoding must replace
	if err := f.(tickwell.StateCodec).SetState(b); err != nil {
		c.fail("State", "SetState of what AppendState wrote: %v", err)
		return
	}
	c.want("State", f, c.result("State", half), group+" decoded half-way")
	c.want("State", c.add(f, tab, i, n), want, group+" that goes on after decoding")
	for cut := range b {
		func() {
			defer func() {
				if p := recover(); p != nil {
					c.fail("State", "SetState of %d of %d bytes panics: %v", cut, len(b), p)
				}
			}()
			_ = c.start().(tickwell.StateCodec).SetState(b[:cut])
		}()
	}
}
