package window

import (
	"math"
	"math/big"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"
)

// edges are times near which arithmetic may go wrong.
var edges = []int64{math.MinInt64, math.MinInt64 + 1, math.MinInt64 + 7, -1 << 32, -13, -1, 0, 1, 13, 1 << 40, math.MaxInt64 - 7, math.MaxInt64 - 1, math.MaxInt64}

// Grid arithmetic against big integers, at the edges and at random.
func TestGridExact(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	pick := func() int64 {
		switch r.Intn(3) {
		case 0:
			return edges[r.Intn(len(edges))]
		case 1:
			return int64(r.Uint64())
		}
		return int64(r.Intn(200) - 100)
	}
	positive := func() int64 {
		for {
			if n := pick(); n > 0 {
				return n
			}
		}
	}
	b := big.NewInt
	clamp := func(x *big.Int) int64 {
		switch {
		case x.Cmp(b(math.MinInt64)) < 0:
			return math.MinInt64
		case x.Cmp(b(math.MaxInt64)) > 0:
			return math.MaxInt64
		}
		return x.Int64()
	}
	floor := func(x, m *big.Int) *big.Int {
		q, rem := new(big.Int).DivMod(x, m, new(big.Int)) // Euclidean, m > 0
		_ = rem
		return q
	}
	for range 200_000 {
		interval, step, origin, at := positive(), positive(), pick(), pick()
		g, err := NewGrid(Sliding(time.Duration(interval), time.Duration(step)).From(origin), 0)
		if err != nil {
			t.Fatal(err)
		}
		phase := new(big.Int).Mod(b(origin), b(step))
		last := floor(new(big.Int).Sub(b(at), phase), b(step))
		if got, want := g.Last(at), clamp(last); got != want {
			t.Fatalf("interval %d step %d origin %d: Last(%d) = %d, want %d", interval, step, origin, at, got, want)
		}
		first := new(big.Int).Sub(new(big.Int).Sub(b(at), phase), b(interval))
		first = new(big.Int).Add(floor(first, b(step)), b(1))
		if got, want := g.First(at), clamp(first); got != want {
			t.Fatalf("interval %d step %d origin %d: First(%d) = %d, want %d", interval, step, origin, at, got, want)
		}
		k := pick()
		start := new(big.Int).Add(new(big.Int).Mul(b(k), b(step)), phase)
		if got, want := g.Start(k), clamp(start); got != want {
			t.Fatalf("step %d phase %s: Start(%d) = %d, want %d", step, phase, k, got, want)
		}
		if got, want := g.End(k), clamp(new(big.Int).Add(start, b(interval))); got != want {
			t.Fatalf("interval %d step %d phase %s: End(%d) = %d, want %d", interval, step, phase, k, got, want)
		}
	}
}

func rangesOf(t *testing.T, s Spec, from, to int64) (out []Range) {
	t.Helper()
	seq, err := Ranges(s, from, to)
	if err != nil {
		t.Fatal(err)
	}
	for r := range seq {
		if out = append(out, r); len(out) > 1000 {
			t.Fatalf("%s over [%d,%d): no end", s, from, to)
		}
	}
	return out
}

func TestRanges(t *testing.T) {
	const big = math.MaxInt64
	for _, c := range []struct {
		s        Spec
		from, to int64
		want     []Range
	}{
		{Tumbling(10), 0, 30, []Range{{0, 10}, {10, 20}, {20, 30}}},
		{Tumbling(10), 5, 21, []Range{{0, 10}, {10, 20}, {20, 30}}},
		{Tumbling(10).FromFirst(), 5, 21, []Range{{5, 15}, {15, 25}}},
		{Sliding(10, 4).FromFirst(), 0, 9, []Range{{0, 10}, {4, 14}, {8, 18}}},
		{Sliding(10, 4), 0, 5, []Range{{-8, 2}, {-4, 6}, {0, 10}, {4, 14}}},
		{Sliding(2, 5), 2, 5, nil},
		{Sliding(2, 5), 1, 6, []Range{{0, 2}, {5, 7}}},
		{Tumbling(10), -15, -5, []Range{{-20, -10}, {-10, 0}}},
		{Tumbling(10).From(3), -15, -5, []Range{{-17, -7}, {-7, 3}}},
		{Tumbling(10), 5, 5, nil},
		{Tumbling(10), 6, 5, nil},
		{Tumbling(10).Since(12).Until(31), 0, 100, []Range{{10, 20}, {20, 30}, {30, 40}}},
		{Tumbling(10).FromFirst().Since(12).Until(31), 0, 100, []Range{{12, 22}, {22, 32}}},
		{Tumbling(big), math.MinInt64, big, []Range{{math.MinInt64, -big}, {-big, 0}, {0, big}}},
		{Tumbling(10), big - 12, big, []Range{{big - 17, big - 7}, {big - 7, big}}},
		{Tumbling(10), math.MinInt64, math.MinInt64 + 9, []Range{{math.MinInt64, math.MinInt64 + 8}, {math.MinInt64 + 8, math.MinInt64 + 18}}},
	} {
		if got := rangesOf(t, c.s, c.from, c.to); !slices.Equal(got, c.want) {
			t.Errorf("%s over [%d,%d): got %v, want %v", c.s, c.from, c.to, got, c.want)
		}
	}
	if got, want := (Range{5, 15}).Clip(7, 12), (Range{7, 12}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Handlers near the ends of time neither overflow nor loop for ever.
func TestExtremeTimes(t *testing.T) {
	for _, s := range []Spec{Tumbling(1), Tumbling(1).FromFirst(), Sliding(2, 1), Tumbling(10), Sliding(10, 3), Sliding(3, 10), Tumbling(math.MaxInt64), Tumbling(10).FromFirst(), Gap(5), Gap(math.MaxInt64), Gap(3).AtMost(math.MaxInt64), Count(2), Days(1, ""), Months(1, "").FromFirst()} {
		for _, empty := range []bool{false, true} {
			if empty && s.Kind != Time && s.Kind != Calendar {
				continue
			}
			var times []int64
			eval := func(w Window[int64]) error { times = append(times, w.Times()...); return nil }
			h, err := New(s, eval, &Options[int64]{Empty: empty, EmptyCap: 10})
			if err != nil {
				t.Fatal(err)
			}
			sum := int64(0)
			var refused []int64
			red, err := Reduce(s, Tally[int64]{}, func(r Result[int64]) error { sum += r.Value; return nil }, &Options[int64]{Empty: empty, EmptyCap: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, ts := range edges {
				for _, c := range []interface {
					Collect(int64, int64) (Outcome, error)
				}{h, red} {
					out, err := c.Collect(ts, 1)
					if err != nil || out != Accepted && (c != red || out != Refused) {
						t.Fatalf("%s at %d: %v, %v", s, ts, out, err)
					}
					if out == Refused {
						refused = append(refused, ts)
					}
				}
			}
			if err := h.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := red.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			times = slices.DeleteFunc(times, func(ts int64) bool { return slices.Contains(refused, ts) })
			if int64(len(times)) != sum || len(refused) > len(edges)-2 {
				t.Errorf("%s: rows %d, reduction %d without %v", s, len(times), sum, refused)
			}
			if s.Kind == Session || s.Kind == Size && s.Rows == s.Stride {
				if refused == nil && !slices.Equal(times, edges) {
					t.Errorf("%s: got %v, want %v", s, times, edges)
				}
			}
		}
	}
}

func day(zone, at string) int64 {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05", at, loc)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

// Calendar windows, as start and length of each.
func TestCalendar(t *testing.T) {
	for _, c := range []struct {
		name     string
		s        Spec
		zone     string
		from, to string
		want     string
	}{
		{"clocks forward", Days(1, "Europe/Berlin"), "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-30T12:00:00",
			"2026-03-28 24h0m0s, 2026-03-29 23h0m0s, 2026-03-30 24h0m0s"},
		{"clocks back", Days(1, "Europe/Berlin"), "Europe/Berlin", "2026-10-24T12:00:00", "2026-10-26T12:00:00",
			"2026-10-24 24h0m0s, 2026-10-25 25h0m0s, 2026-10-26 24h0m0s"},
		{"the day Samoa skipped", Days(1, "Pacific/Apia"), "Pacific/Apia", "2011-12-29T12:00:00", "2012-01-01T12:00:00",
			"2011-12-29 24h0m0s, 2011-12-31 24h0m0s, 2012-01-01 24h0m0s"},
		{"midnight that is not there", Days(1, "America/Sao_Paulo"), "America/Sao_Paulo", "2018-11-03T12:00:00", "2018-11-05T12:00:00",
			"2018-11-03 24h0m0s, 2018-11-04T01:00 23h0m0s, 2018-11-05 24h0m0s"},
		{"midnight twice", Days(1, "America/Havana"), "America/Havana", "2026-10-31T12:00:00", "2026-11-02T12:00:00",
			"2026-10-31 24h0m0s, 2026-11-01 25h0m0s, 2026-11-02 24h0m0s"},
		{"weeks from Monday", Weeks(1, ""), "UTC", "2026-11-15T12:00:00", "2026-11-17T00:00:00",
			"2026-11-09 168h0m0s, 2026-11-16 168h0m0s"},
		{"months", Months(1, ""), "UTC", "2024-01-15T00:00:00", "2024-03-02T00:00:00",
			"2024-01-01 744h0m0s, 2024-02-01 696h0m0s, 2024-03-01 744h0m0s"},
		{"months from the 31st", Months(1, "").FromFirst(), "UTC", "2023-01-31T06:00:00", "2023-04-30T06:00:01",
			"2023-01-31T06:00 672h0m0s, 2023-02-28T06:00 744h0m0s, 2023-03-31T06:00 720h0m0s, 2023-04-30T06:00 744h0m0s"},
		{"quarters", Months(3, ""), "UTC", "2026-02-01T00:00:00", "2026-04-02T00:00:00",
			"2026-01-01 2160h0m0s, 2026-04-01 2184h0m0s"},
		{"years before the epoch", Years(1, ""), "UTC", "1967-06-01T00:00:00", "1969-01-02T00:00:00",
			"1967-01-01 8760h0m0s, 1968-01-01 8784h0m0s, 1969-01-01 8760h0m0s"},
		{"two months every month", Months(2, "").EveryUnits(1).FromFirst(), "UTC", "2026-01-01T00:00:00", "2026-03-01T00:00:00",
			"2026-01-01 1416h0m0s, 2026-02-01 1416h0m0s"},
		{"a day each week", Days(1, "").EveryUnits(7).FromFirst(), "UTC", "2026-11-02T00:00:00", "2026-11-10T00:00:00",
			"2026-11-02 24h0m0s, 2026-11-09 24h0m0s"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rangesOf(t, c.s, day(c.zone, c.from), day(c.zone, c.to)) {
			start := time.Unix(0, r.Start).In(loc).Format("2006-01-02T15:04")
			got = append(got, strings.TrimSuffix(start, "T00:00")+" "+time.Duration(r.End-r.Start).String())
		}
		if g := strings.Join(got, ", "); g != c.want {
			t.Errorf("%s:\n got  %s\n want %s", c.name, g, c.want)
		}
	}
}

// Each row of years of hours lies in the window that its wall clock says, and in
// no other, in zones with all kinds of changes.
func TestCalendarAgainstWallClock(t *testing.T) {
	zones := []string{"", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"}
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		g, err := NewGrid(Days(1, zone), 0)
		if err != nil {
			t.Fatal(err)
		}
		prev := int64(math.MinInt64)
		for at := time.Date(2009, 1, 1, 0, 30, 0, 0, loc); at.Year() < 2013; at = at.Add(time.Hour) {
			k := g.Last(at.UnixNano())
			if first := g.First(at.UnixNano()); first != k {
				t.Fatalf("%s %v: in windows %d to %d", zone, at, first, k)
			}
			start := time.Unix(0, g.Start(k)).In(loc)
			if y, m, d := start.Date(); y != at.Year() || m != at.Month() || d != at.Day() {
				t.Fatalf("%s: %v is in the window of %v", zone, at, start)
			}
			if k < prev {
				t.Fatalf("%s %v: window %d after %d", zone, at, k, prev)
			}
			prev = k
		}
	}
}

func TestZoneMissing(t *testing.T) {
	for zone, want := range map[string]string{"Atlantis/Capital": `zone "Atlantis/Capital"`, "Local": "should be named", "../etc/passwd": "zone"} {
		_, err := New(Days(1, zone), func(Window[float64]) error { return nil }, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("zone %q: got %v, want an error with %q", zone, err, want)
		}
	}
}

// Natural months as the documents' tests group them: a point a day from
// 2020-10-31 on, by month from that day.
func TestNaturalMonths(t *testing.T) {
	start := time.Date(2020, 10, 31, 0, 0, 0, 0, time.UTC)
	var ts []int64
	for d := start; d.Before(time.Date(2021, 3, 1, 0, 0, 0, 0, time.UTC)); d = d.AddDate(0, 0, 1) {
		ts = append(ts, d.UnixNano())
	}
	for _, c := range []struct {
		s    Spec
		want []int
	}{
		{Months(1, "").FromFirst(), []int{30, 31, 31, 28, 1}},
		{Days(10, "").FromFirst(), []int{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 1}},
	} {
		var got []int
		for w, err := range Cut(ts, make([]float64, len(ts)), c.s, nil) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, w.Len())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.s, got, c.want)
		}
	}
}
