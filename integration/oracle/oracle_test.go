package oracle

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func col(name string, cells ...Cell) Column {
	c := Column{Name: name, Cells: cells}
	for _, x := range cells {
		if x.Kind != Null {
			c.Kind = x.Kind
		}
	}
	return c
}

func i(v int64) Cell { return IntCell(v) }

var null Cell

func insert(ts ...Tablet) Call { return Call{Verb: Insert, Tablets: ts} }

func rows(device string, times []int64, cols ...Column) Tablet {
	return Tablet{Device: device, Times: times, Columns: cols}
}

// shown prints the points of a state, and what triggers keep and have emitted.
func shown(s *State) string {
	var b strings.Builder
	for _, p := range s.Paths() {
		b.WriteString(p + ":")
		for _, at := range s.Points(p).Times() {
			b.WriteString(" " + clock(at) + "=" + s.Points(p)[at].String())
		}
		b.WriteString("; ")
	}
	b.WriteString(strings.Join(s.Events(), " "))
	return strings.TrimSpace(b.String())
}

func TestCalls(t *testing.T) {
	const b = Base
	for _, c := range []struct {
		name  string
		calls []Call
		want  string
	}{
		{"overwrite", []Call{insert(rows("d", []int64{b}, col("s", i(1)))), insert(rows("d", []int64{b}, col("s", i(2))))}, "d.s: 0ms=2;"},
		{"null overwrites nothing", []Call{insert(rows("d", []int64{b}, col("s", i(1)))), insert(rows("d", []int64{b}, col("s", null), col("q", i(3))))}, "d.q: 0ms=3; d.s: 0ms=1;"},
		{"later row wins", []Call{insert(rows("d", []int64{b, b, b}, col("s", i(1), i(2), null)))}, "d.s: 0ms=2;"},
		{"delete is half open", []Call{insert(rows("d", []int64{b, b + 1e6, b + 2e6}, col("s", i(1), i(2), i(3)))), {Verb: Delete, Pattern: "d.*", From: b, To: b + 2e6}}, "d.s: 2ms=3;"},
		{"delete of another device", []Call{insert(rows("d.e", []int64{b}, col("s", i(1)))), {Verb: Delete, Pattern: "d.*", From: b, To: b + 1}}, "d.e.s: 0ms=1;"},
		{"drop", []Call{insert(rows("d.e", []int64{b}, col("s", i(1)), col("q", i(2)))), {Verb: Drop, Pattern: "d.**"}}, ""},
		{"drop and again", []Call{insert(rows("d", []int64{b}, col("s", i(1)))), {Verb: Drop, Pattern: "d.s"}, insert(rows("d", []int64{b + 1e6}, col("s", i(2))))}, "d.s: 1ms=2;"},
		{"guard counts rows that are not all null", []Call{insert(rows(Guarded, []int64{b, b + 1e6, b + 2e6}, col("s", i(1), null, i(3))))}, "root.a.s: 0ms=1 2ms=3; guard|2"},
		{"guard fires once a tablet", []Call{insert(rows(Guarded, []int64{b}, col("s", i(1))), rows(Guarded, []int64{b}, col("s", i(2))))}, "root.a.s: 0ms=2; guard|1 guard|2"},
		{"guard refuses all", []Call{insert(rows("d", []int64{b}, col("i", i(1))), rows(Guarded, []int64{b}, col("i", i(Refused))))}, ""},
		{"another column may hold it", []Call{insert(rows(Guarded, []int64{b}, col("s", i(Refused))))}, "root.a.s: 0ms=-999; guard|1"},
		{"tally writes at the latest time", []Call{insert(rows(Tallied, []int64{b + 5e6, b}, col("s", i(1), i(2)))), insert(rows(Tallied, []int64{b}, col("s", i(9))))},
			"root.b.s: 0ms=9 5ms=1; root.tally.n: 0ms=3 5ms=2; tally|2 tally|3"},
		{"roll", []Call{insert(rows(Guarded, []int64{b, b + 1, b + 1e9}, col("i", i(1), i(2), i(4)))), {Verb: Tick}, {Verb: Tick}},
			"root.a.i: 0ms=1 " + clock(b+1) + "=2 1000ms=4; root.roll.n: 0ms=2 1000ms=1; root.roll.x: 0ms=3 1000ms=4; guard|3 " + RollEvent(b+1e9) + " " + RollEvent(b+2e9)},
		{"nothing", []Call{{Verb: Flush}, {Verb: Sync}, {Verb: Reopen}, insert()}, ""},
	} {
		s := Start(b + 5e8)
		for k := range c.calls {
			s = c.calls[k].Final(s)
		}
		if got := shown(s); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if s.Hash() != s.Dump().Hash() {
			t.Errorf("%s: the state's hash is %x, its dump's %x", c.name, s.Hash(), s.Dump().Hash())
		}
	}
}

func TestStepsAreAtomic(t *testing.T) {
	c := insert(rows(Guarded, []int64{Base}, col("i", i(1))), rows(Tallied, []int64{Base}, col("i", i(2))))
	steps, ok := c.Steps(Start(Base))
	if !ok || len(steps) != 2 {
		t.Fatalf("%d steps, %v; want the insert and the tally", len(steps), ok)
	}
	if got, want := shown(steps[0]), "root.a.i: 0ms=1; root.b.i: 0ms=2; guard|1"; got != want {
		t.Errorf("first %q, want %q", got, want)
	}
	if got, want := shown(steps[1]), "root.a.i: 0ms=1; root.b.i: 0ms=2; root.tally.n: 0ms=1; guard|1 tally|1"; got != want {
		t.Errorf("second %q, want %q", got, want)
	}
}

func TestRefusal(t *testing.T) {
	c := insert(rows(Guarded, []int64{Base}, col("i", i(Refused))))
	if steps, ok := c.Steps(Start(Base)); ok || len(steps) > 0 {
		t.Errorf("%d steps, %v; want a refusal", len(steps), ok)
	}
}

func TestStatesAreImmutable(t *testing.T) {
	a := insert(rows("d", []int64{Base}, col("s", i(1))))
	s := a.Final(Start(Base))
	before := shown(s)
	for _, c := range []Call{insert(rows("d", []int64{Base}, col("s", i(2)))), {Verb: Delete, Pattern: "d.s", From: 0, To: math.MaxInt64}, {Verb: Drop, Pattern: "d.s"}} {
		c.Final(s)
		if got := shown(s); got != before {
			t.Errorf("after %v the old state is %q, want %q", c, got, before)
		}
	}
}

func TestCellsCompareByBits(t *testing.T) {
	nan := Cell{Kind: Float64, Bits: 0x7ff8dead0000beef}
	for _, c := range []struct {
		a, b Cell
		same bool
	}{
		{nan, nan, true},
		{nan, Cell{Kind: Float64, Bits: 0x7ff8000000000001}, false},
		{Cell{Kind: Float64}, Cell{Kind: Float64, Bits: 1 << 63}, false},
		{Cell{Kind: Float64}, Cell{Kind: Int64}, false},
		{TextCell(""), null, false},
		{TextCell("a"), TextCell("a"), true},
	} {
		diff := Diff(Dump{"p": {1: c.a}}, Dump{"p": {1: c.b}})
		if (diff == "") != c.same || (Dump{"p": {1: c.a}}.Hash() == Dump{"p": {1: c.b}}.Hash()) != c.same {
			t.Errorf("%v and %v: difference %q, want same = %v", c.a, c.b, diff, c.same)
		}
	}
}

func TestDiffSeesEverything(t *testing.T) {
	base := Dump{"p": {1: i(1), 2: i(2)}, "q": {1: i(3)}}
	for name, other := range map[string]Dump{
		"missing point":  {"p": {1: i(1)}, "q": {1: i(3)}},
		"more points":    {"p": {1: i(1), 2: i(2), 3: i(3)}, "q": {1: i(3)}},
		"another value":  {"p": {1: i(1), 2: i(1)}, "q": {1: i(3)}},
		"another time":   {"p": {1: i(1), 3: i(2)}, "q": {1: i(3)}},
		"missing series": {"p": {1: i(1), 2: i(2)}},
		"more series":    {"p": {1: i(1), 2: i(2)}, "q": {1: i(3)}, "r": {1: i(1)}},
		"swapped":        {"q": {1: i(1), 2: i(2)}, "p": {1: i(3)}},
	} {
		if Diff(base, other) == "" || Diff(other, base) == "" || base.Hash() == other.Hash() {
			t.Errorf("%s is not seen", name)
		}
	}
}

func TestBounds(t *testing.T) {
	h := NewHistory(Start(Base))
	h.Returned(nil, PowerSafe, 10) // opened
	for n, p := range []Promise{PowerSafe, KillSafe, Nothing, KillSafe} {
		c := insert(rows("d", []int64{Base + int64(n)}, col("s", i(int64(n)))))
		steps, _ := c.Steps(h.Now())
		h.Returned(steps, p, 20+10*n)
	}
	h.Returned(nil, PowerSafe, 60) // flushed
	for _, c := range []struct {
		ops    int
		power  bool
		lo, hi int
	}{
		{0, true, 0, 0}, {10, true, 0, 1}, {19, true, 0, 1}, {20, true, 1, 2}, {30, true, 1, 3}, {30, false, 2, 3},
		{40, false, 2, 4}, {50, false, 4, 4}, {59, true, 1, 4}, {60, true, 4, 4}, {999, true, 4, 4},
	} {
		if lo, hi := h.Bounds(c.ops, c.power); lo != c.lo || hi != c.hi {
			t.Errorf("after %d operations, power cut %v: %d to %d, want %d to %d", c.ops, c.power, lo, hi, c.lo, c.hi)
		}
	}
	if got := h.Find(h.State(2).Dump(), 0, 4); !slices.Equal(got, []int{2}) {
		t.Errorf("found %v, want state 2", got)
	}
	if got := h.Find(h.State(2).Dump(), 3, 4); got != nil {
		t.Errorf("found %v out of bounds", got)
	}
}

func TestPossible(t *testing.T) {
	one, two := insert(rows("d", []int64{Base}, col("s", i(1)))), insert(rows("d", []int64{Base}, col("s", i(2))))
	del := Call{Verb: Delete, Pattern: "d.s", From: 0, To: math.MaxInt64}
	for _, c := range []struct {
		name string
		do   []Outcome // of one, two, del
		want []string
	}{
		{"all done", []Outcome{Done, Done, Done}, []string{""}},
		{"the last is unsure", []Outcome{Done, Done, Unsure}, []string{"d.s: 0ms=2;", ""}},
		{"the second is unsure", []Outcome{Done, Unsure}, []string{"d.s: 0ms=1;", "d.s: 0ms=2;"}},
		{"unsure, then done", []Outcome{Unsure, Done}, []string{"d.s: 0ms=2;"}},
		{"denied", []Outcome{Done, Denied}, []string{"d.s: 0ms=1;"}},
		{"all unsure", []Outcome{Unsure, Unsure}, []string{"", "d.s: 0ms=1;", "d.s: 0ms=2;"}},
	} {
		p := Only(Start(Base))
		for n, o := range c.do {
			p.Apply(&[]Call{one, two, del}[n], o)
		}
		var got []string
		for _, s := range p.states {
			got = append(got, shown(s))
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for _, s := range p.states {
			if p.Showing(s.Dump()).Size() != 1 {
				t.Errorf("%s: a state does not show itself", c.name)
			}
		}
	}
	refused := insert(rows(Guarded, []int64{Base}, col("i", i(Refused))))
	if Only(Start(Base)).Apply(&refused, Done) {
		t.Error("a call that must be refused succeeded, and a state is left")
	}
}
