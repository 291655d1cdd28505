package window

import (
	"context"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"
	"time"
)

// Windows of the calendar that overlap and are counted from the first row are the
// same whether their rows are kept or folded.
func TestCalendarFromFirstRow(t *testing.T) {
	for _, s := range []Spec{
		Months(3, "").EveryUnits(1).FromFirst(),
		Days(1, "America/Asuncion").EveryUnits(2).FromFirst(),
		Years(1, "").FromFirst(),
	} {
		for _, late := range []time.Duration{0, 48 * time.Hour} {
			o := &Options[float64]{Lateness: late}
			var kept, folded []string
			h, err := New(s, func(w Window[float64]) error {
				kept = append(kept, fmt.Sprint(w.Start(), w.End(), w.Len()))
				return nil
			}, o)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Reduce(s, Sum[float64]{}, func(w Result[float64]) error {
				folded = append(folded, fmt.Sprint(w.Start, w.End, w.Value))
				return nil
			}, o)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2023, 8, 31, 10, 0, 0, 0, time.UTC)
			for i := range 500 {
				ts := at.Add(time.Duration(i) * 37 * time.Hour).UnixNano()
				for _, c := range []collector{h, r} {
					if out, err := c.Collect(ts, 1); out != Accepted || err != nil {
						t.Fatalf("%v: row %d: %v, %v", s, i, out, err)
					}
				}
			}
			for _, c := range []collector{h, r} {
				if err := c.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(kept) == 0 || !slices.Equal(kept, folded) {
				t.Errorf("%v, lateness %v: kept %v, folded %v", s, late, kept, folded)
			}
		}
	}
}

// A size window of more rows than will ever come is given by Flush, each time.
func TestEndlessSize(t *testing.T) {
	for _, s := range []Spec{Count(math.MaxInt), Count(math.MaxInt - 1).Every(7), Count(math.MaxInt).Every(math.MaxInt/2 + 1)} {
		for _, o := range []*Options[float64]{{}, {Lateness: 5}} {
			var got []string
			give := func(first, last int64) error { got = append(got, fmt.Sprint(first, "-", last)); return nil }
			kept := func() (collector, error) {
				return New(s, func(w Window[float64]) error { return give(w.Start(), w.End()) }, o)
			}
			folded := func() (collector, error) {
				return Reduce(s, Sum[float64]{}, func(w Result[float64]) error { return give(w.Start, w.End) }, o)
			}
			for _, open := range []func() (collector, error){kept, folded} {
				got = nil
				c, err := open()
				if err != nil {
					continue // too many pieces
				}
				var want []string
				for _, from := range []int64{10, 20, math.MaxInt64 - 2} {
					for ts := from; ts < from+2; ts++ {
						if _, err := c.Collect(ts, 1); err != nil {
							t.Fatal(err)
						}
					}
					if err := c.Flush(t.Context()); err != nil {
						t.Fatal(err)
					}
					want = append(want, fmt.Sprint(from, "-", from+1))
					saved, err := c.AppendState(nil)
					if err != nil {
						t.Fatal(err)
					}
					if c, err = open(); err != nil {
						t.Fatal(err)
					}
					if err := c.LoadState(saved); err != nil {
						t.Fatalf("%v, lateness %v: after %v: %v", s, o.Lateness, got, err)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%v, lateness %v: %v, want %v", s, o.Lateness, got, want)
				}
			}
		}
	}
}

// What was flushed is settled, up to the last instant: the state can be loaded.
func TestFlushedLastInstant(t *testing.T) {
	open := func() *Handler[float64] {
		h, err := New(Count(3), func(Window[float64]) error { return nil }, &Options[float64]{Lateness: 5})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := open()
	if _, err := h.Collect(math.MaxInt64, 1); err != nil {
		t.Fatal(err)
	}
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	saved, err := h.AppendState(nil)
	if err == nil {
		err = open().LoadState(saved)
	}
	if err != nil {
		t.Error(err)
	}
}

// A restart after any row changes nothing, at the first and the last instants there
// are: where the next window would begin after all times, and where the first row
// is at the first of them.
func TestRestartAtTheExtremes(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for n := range 4000 {
		s := Sliding(time.Duration(1+r.Intn(9)), time.Duration(1+r.Intn(9)))
		switch r.Intn(3) {
		case 0:
			s = s.FromFirst()
		case 1:
			s = s.From(int64(r.Intn(9)))
		}
		o := &Options[float64]{Lateness: time.Duration(r.Intn(3) * r.Intn(7))}
		open := func(to *[]string) collector { // rows kept, or folded
			if n%2 == 0 {
				return must(New(s, func(w Window[float64]) error {
					*to = append(*to, fmt.Sprint(w.Start(), w.End(), w.Len()))
					return nil
				}, o))
			}
			return must(Reduce(s, Sum[float64]{}, func(w Result[float64]) error {
				*to = append(*to, fmt.Sprint(w.Start, w.End, w.Count))
				return nil
			}, o))
		}
		var whole, parts []string
		a, b := open(&whole), open(&parts)
		ts, far := int64(math.MinInt64)+int64(r.Intn(3)), int64(20)
		if r.Intn(2) == 0 {
			ts = math.MaxInt64 - 30
		}
		did := fmt.Sprint(s, ", lateness ", int64(o.Lateness))
		for range 12 {
			what := r.Intn(8)
			did += fmt.Sprint("; ", what, " at ", ts)
			for _, c := range []collector{a, b} {
				var err error
				switch what {
				case 0:
					err = c.Advance(ts)
				case 1:
					err = c.Flush(t.Context())
				default:
					_, err = c.Collect(ts, 1)
				}
				if err != nil {
					t.Fatal(did, err)
				}
			}
			saved := must(b.AppendState(nil))
			b = open(&parts)
			if err := b.LoadState(saved); err != nil {
				t.Fatalf("%s: %v", did, err)
			}
			if !slices.Equal(whole, parts) {
				t.Fatalf("%s: %v, restarted %v", did, whole, parts)
			}
			ts = satAdd(ts, r.Int63n(far)-far/4)
		}
	}
}

// More pieces than can be are refused.
func TestTooManyPieces(t *testing.T) {
	for _, s := range []Spec{Count(math.MaxInt).Every(math.MaxInt - 1), Sliding(math.MaxInt64, math.MaxInt64-1), Sliding(2, 1)} {
		if _, err := Reduce(s, Sum[float64]{}, func(Result[float64]) error { return nil }, &Options[float64]{Lateness: math.MaxInt64}); s.Kind == Time && err == nil {
			t.Errorf("%v: not refused", s)
		}
	}
}

// stuckClock stands still and counts what it is asked for.
type stuckClock struct{ due []func() }

func (c *stuckClock) Now() time.Time      { return time.Unix(1, 0) }
func (c *stuckClock) Mono() time.Duration { return time.Second }
func (c *stuckClock) AfterFunc(d time.Duration, f func()) func() bool {
	if d == 0 {
		c.due = append(c.due, f)
	}
	return func() bool { return true }
}

// An idle timeout beyond all times never comes: it does not keep a timer busy.
func TestIdleNever(t *testing.T) {
	clk := &stuckClock{}
	o := &Options[float64]{IdleAfter: math.MaxInt64, Clock: clk}
	h, err := New(Tumbling(10), func(Window[float64]) error { return nil }, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Reduce(Tumbling(10), Sum[float64]{}, func(Result[float64]) error { return nil }, o)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ReduceKeyed(Tumbling(10), Sum[float64]{}, func(KeyResult[string, float64]) error { return nil }, o, KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, collect := range []func() (Outcome, error){
		func() (Outcome, error) { return h.Collect(1, 1) },
		func() (Outcome, error) { return r.Collect(1, 1) },
		func() (Outcome, error) { return k.Collect("a", 1, 1) },
	} {
		if _, err := collect(); err != nil {
			t.Fatal(err)
		}
	}
	if len(clk.due) > 0 {
		t.Errorf("%d timers are due at once", len(clk.due))
	}
	for _, flush := range []func(context.Context) error{h.Flush, r.Flush, k.Flush} {
		if err := flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
