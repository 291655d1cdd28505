package incremental

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"
)

// Ranges against a set of single instants.
func TestRangesAgainstASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s Ranges
		set := make([]bool, 80)
		for range 40 {
			from := rng.Int64N(60)
			r := Range{from, from + rng.Int64N(8) - 1}
			add := rng.IntN(3) > 0
			if add {
				s.Add(r)
			} else {
				s.Remove(r)
			}
			for i := max(r.From, 0); i < r.To; i++ {
				set[i] = add
			}
			var got []Range
			for i := 0; i < len(set); i++ {
				if !set[i] {
					continue
				}
				j := i
				for j < len(set) && set[j] {
					j++
				}
				got = append(got, Range{int64(i), int64(j)})
				i = j
			}
			if !slices.Equal(s.All(), got) {
				t.Fatalf("after %v add=%t: %v, want %v", r, add, s.All(), got)
			}
			q := Range{rng.Int64N(50), rng.Int64N(64)}
			all := true
			for i := q.From; i < q.To; i++ {
				all = all && set[i]
			}
			if s.Contains(q) != all {
				t.Fatalf("%v contains %v: %t, want %t", s.All(), q, !all, all)
			}
		}
	}
}

func mustGrid(t testing.TB, g Grid) *Grid {
	t.Helper()
	n, err := g.New()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// First, Last and Touched against looking at every window.
func TestGridAgainstEveryWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		g := mustGrid(t, Grid{Interval: 1 + rng.Int64N(20), Step: 1 + rng.Int64N(20), Origin: rng.Int64N(100) - 50})
		from := rng.Int64N(200) - 100
		r := Range{from, from + 1 + rng.Int64N(30)}
		want := Range{}
		n := int64(0)
		for k := int64(-400); k < 400; k++ {
			if g.Start(k) < r.To && g.End(k) > r.From {
				if want.Empty() {
					want.From = g.Start(k)
				}
				want.To = g.Start(k + 1)
				n++
			}
		}
		got := g.Touched(r)
		if got.Empty() != want.Empty() || !got.Empty() && got != want {
			t.Fatalf("%+v touched by %v: %v, want %v", g, r, got, want)
		}
		if c := g.Count(got); c != n {
			t.Fatalf("%+v: %d windows in %v, want %d", g, c, got, n)
		}
	}
}

func TestGridOfMonths(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	origin := time.Date(1970, 1, 1, 0, 0, 0, 0, berlin).UnixNano()
	g := mustGrid(t, Grid{Interval: 1, Step: 1, Months: true, Origin: origin, Zone: berlin})
	at := func(s string) int64 {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x.UnixNano()
	}
	for _, c := range []struct{ at, from, to string }{
		{"2026-03-15T12:00:00Z", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		{"2026-02-28T22:59:59Z", "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"},
		{"2026-02-28T23:00:00Z", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		{"1969-12-31T22:00:00Z", "1969-12-01T00:00:00+01:00", "1970-01-01T00:00:00+01:00"},
		{"1956-02-29T12:00:00Z", "1956-02-01T00:00:00+01:00", "1956-03-01T00:00:00+01:00"},
	} {
		got := g.Touched(Range{at(c.at), at(c.at) + 1})
		if got != (Range{at(c.from), at(c.to)}) {
			t.Errorf("%s lies in %v, want [%s, %s)", c.at, got, c.from, c.to)
		}
		if n := g.Count(got); n != 1 {
			t.Errorf("%s: %d windows", c.at, n)
		}
	}
	year := mustGrid(t, Grid{Interval: 12, Step: 1, Months: true}) // a year, every month
	if n := year.Count(year.Touched(Range{at("2026-03-15T12:00:00Z"), at("2026-03-15T12:00:01Z")})); n != 12 {
		t.Errorf("an instant lies in %d years that begin on the first of a month, want 12", n)
	}
}

func TestGridRefuses(t *testing.T) {
	for _, g := range []Grid{{}, {Interval: 1}, {Interval: -1, Step: 1}, {Interval: 1, Step: 1, Months: true, Origin: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC).UnixNano()}} {
		if _, err := g.New(); err == nil {
			t.Errorf("%+v is accepted", g)
		}
	}
}

// Windows further from the origin than int64 holds: those of 1700, counted from
// today.
func TestGridFarFromItsOrigin(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		g := mustGrid(t, Grid{Interval: 1 + rng.Int64N(1e17), Step: 1 + rng.Int64N(1e17), Origin: (rng.Int64N(Latest) - Latest/2) * 2})
		at := Earliest + rng.Int64N(1e18)
		if rng.IntN(2) > 0 {
			at = Latest - rng.Int64N(1e18)
		}
		last := g.Last(at)
		if start, next := g.Start(last), g.Start(last+1); start > at || next <= at || next-start != g.Step {
			t.Fatalf("%+v: %d is in [%d, %d)", g, at, start, next)
		}
		first := g.First(at)
		if end, before := g.End(first), g.End(first-1); end <= at || before > at {
			t.Fatalf("%+v: the first window that ends after %d ends at %d, the one before at %d", g, at, end, before)
		}
	}
}
