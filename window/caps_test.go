package window

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func keyedSums(t *testing.T, s Spec, o *Options[int64], ko KeyOptions) (*KeyedReducing[string, int64, int64, int64], *[]string) {
	t.Helper()
	got := new([]string)
	h, err := ReduceKeyed(s, SumInt[int64]{}, func(r KeyResult[string, int64]) error {
		*got = append(*got, fmt.Sprintf("%s:%d %v", r.Key, r.Value, r.Reason))
		return nil
	}, o, ko)
	if err != nil {
		t.Fatal(err)
	}
	return h, got
}

func TestKeyCap(t *testing.T) {
	for _, c := range []struct {
		policy KeyPolicy
		want   string
		out    Outcome
		stats  string
	}{
		{RefuseNew, "a:5 flushed, b:2 flushed", Refused, "keys 2 evicted 0 refused 1"},
		{EvictGive, "b:2 evicted, a:5 flushed, c:3 flushed", Accepted, "keys 2 evicted 1 refused 0"},
		{EvictDrop, "a:5 flushed, c:3 flushed", Accepted, "keys 2 evicted 1 refused 0"},
	} {
		h, got := keyedSums(t, Tumbling(100), nil, KeyOptions{MaxKeys: 2, OnMaxKeys: c.policy})
		h.Collect("a", 1, 1)
		slot := h.Slot("b")
		slot.Collect(2, 2)
		h.Collect("a", 3, 4) // b is the one longest without a row
		if out, err := h.Collect("c", 4, 3); out != c.out || err != nil {
			t.Errorf("policy %d: a third key: %v, %v, want %v", c.policy, out, err, c.out)
		}
		s := h.Stats()
		if g := fmt.Sprintf("keys %d evicted %d refused %d", s.Keys, s.Evicted, s.Refused); g != c.stats {
			t.Errorf("policy %d: got %s, want %s", c.policy, g, c.stats)
		}
		h.Flush(t.Context())
		slices.Sort((*got)[len(*got)-2:]) // slots of forgotten keys are used again
		if g := strings.Join(*got, ", "); g != c.want {
			t.Errorf("policy %d: got %s, want %s", c.policy, g, c.want)
		}
		if c.policy != RefuseNew { // a slot whose key is gone makes it known again
			if out, err := slot.Collect(200, 7); out != Accepted || err != nil {
				t.Errorf("policy %d: old slot: %v, %v", c.policy, out, err)
			}
			if s := h.Stats(); s.Keys != 2 || s.Evicted != 2 {
				t.Errorf("policy %d: after the old slot: %d keys, %d evicted", c.policy, s.Keys, s.Evicted)
			}
		}
	}
}

func TestKeyTTL(t *testing.T) {
	for policy, want := range map[KeyPolicy]string{RefuseNew: "a:1 evicted, b:2 evicted", EvictGive: "a:1 evicted, b:2 evicted", EvictDrop: ""} {
		h, got := keyedSums(t, Tumbling(1000), nil, KeyOptions{TTL: 50, OnTTL: policy})
		h.Collect("a", 1, 1)
		h.Collect("b", 20, 2)
		h.Collect("c", 51, 3) // a is 50 behind: still known
		if s := h.Stats(); s.Keys != 3 {
			t.Errorf("got %d keys, want 3", s.Keys)
		}
		h.Collect("c", 70, 3)
		if s := h.Stats(); s.Keys != 2 {
			t.Errorf("got %d keys, want 2", s.Keys)
		}
		h.Collect("c", 72, 3)
		if s := h.Stats(); s.Keys != 1 || s.Evicted != 2 {
			t.Errorf("got %d keys, %d evicted; want 1, 2", s.Keys, s.Evicted)
		}
		if g := strings.Join(*got, ", "); g != want {
			t.Errorf("policy %d: got %q, want %q", policy, g, want)
		}
	}
}

func TestByteCap(t *testing.T) {
	for _, policy := range []KeyPolicy{RefuseNew, EvictGive, EvictDrop} {
		h, got := keyedSums(t, Sliding(1000, 10), nil, KeyOptions{MaxBytes: 50_000, OnMaxBytes: policy})
		refused := 0
		for i := range 100 {
			out, err := h.Collect(fmt.Sprint(i), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			if out == Refused {
				refused++
			}
		}
		s := h.Stats()
		if s.Bytes > 60_000 || s.Bytes < 30_000 {
			t.Errorf("policy %d: %d bytes", policy, s.Bytes)
		}
		if policy == RefuseNew != (refused > 50) || policy != RefuseNew != (s.Evicted > 50) || policy == EvictGive != (len(*got) > 50) {
			t.Errorf("policy %d: %d refused, %d evicted, %d given", policy, refused, s.Evicted, len(*got))
		}
	}
}

// Keys come and go for ever: neither entries nor notes stay behind.
func TestKeysLeaveNoHusk(t *testing.T) {
	h, _ := keyedSums(t, Tumbling(10), nil, KeyOptions{TTL: 100})
	for ts := range int64(100_000) {
		if _, err := h.Collect(fmt.Sprint(ts), ts, 1); err != nil {
			t.Fatal(err)
		}
	}
	if s := h.Stats(); s.Keys > 102 || h.b.keys.used > 200 || len(h.b.due) > 1000 || len(h.b.keys.index.slots) > 512 {
		t.Errorf("%d keys, %d entries, %d notes, %d slots after 100,000 keys", s.Keys, h.b.keys.used, len(h.b.due), len(h.b.keys.index.slots))
	}
	k, _ := keyedSums(t, Tumbling(10), nil, KeyOptions{})
	for ts := range int64(1000) {
		k.Collect(fmt.Sprint(ts), ts, 1)
		k.Advance(ts - 10)
	}
	if s := k.Stats(); s.Keys != 1000 || s.Open > 40 {
		t.Errorf("%d keys, %d open; want 1000 and a few", s.Keys, s.Open)
	}
}

func TestNaNKey(t *testing.T) {
	h := must(ReduceKeyed(Count(1), SumInt[int64]{}, func(KeyResult[float64, int64]) error { return nil }, nil, KeyOptions{}))
	if out, err := h.Collect(math.NaN(), 1, 1); out != Refused || err != nil {
		t.Errorf("got %v, %v, want refused", out, err)
	}
}

func TestMaxRows(t *testing.T) {
	rows := 0
	h := must(New(Tumbling(10), func(w Window[int64]) error { rows += w.Len(); return nil }, &Options[int64]{MaxRows: 3}))
	var outs []Outcome
	for _, ts := range []int64{1, 2, 3, 4, 5, 10, 11} {
		out, err := h.Collect(ts, 1)
		if err != nil {
			t.Fatal(err)
		}
		outs = append(outs, out)
	}
	if want := []Outcome{Accepted, Accepted, Accepted, Refused, Refused, Accepted, Accepted}; !slices.Equal(outs, want) || rows != 3 {
		t.Errorf("got %v, %d rows; want %v, 3", outs, rows, want)
	}
}

// A silent hour under one-second windows: as many empty windows as the cap, then
// one record of the gap.
func TestEmptyCap(t *testing.T) {
	for _, c := range []struct {
		most    int
		windows uint64
		gap     string
	}{
		{0, 1 + 1024, "[1025s,3600s) 2575"}, {10, 11, "[11s,3600s) 3589"}, {3599, 3600, ""}, {3600, 3600, ""},
	} {
		var gap string
		o := &Options[int64]{Empty: true, EmptyCap: c.most}
		h := must(New(Tumbling(time.Second), func(w Window[int64]) error {
			if w.Skipped() > 0 {
				gap = fmt.Sprintf("[%ds,%ds) %d", w.Start()/sec, w.End()/sec, w.Skipped())
				if w.Reason() != Gapped || w.Len() != 0 {
					t.Errorf("gap record: %v, %d rows", w.Reason(), w.Len())
				}
			}
			return nil
		}, o))
		var gap2 string
		r := must(Reduce(Tumbling(time.Second), Tally[int64]{}, func(r Result[int64]) error {
			if r.Skipped > 0 {
				gap2 = fmt.Sprintf("[%ds,%ds) %d", r.Start/sec, r.End/sec, r.Skipped)
			}
			return nil
		}, o))
		for _, ts := range []int64{0, 3600 * sec} {
			h.Collect(ts, 1)
			r.Collect(ts, 1)
		}
		for name, s := range map[string]Stats{"rows": h.Stats(), "fold": r.Stats()} {
			if s.Windows != c.windows || s.Empty != c.windows-1 || s.Skipped != 3600-c.windows {
				t.Errorf("%s, cap %d: %+v, want %d windows", name, c.most, s, c.windows)
			}
		}
		if gap != c.gap || gap2 != c.gap {
			t.Errorf("cap %d: got %q and %q, want %q", c.most, gap, gap2, c.gap)
		}
	}
}

func TestOutcomes(t *testing.T) {
	var late []int64
	h := must(New(Tumbling(10).Since(0).Until(100), func(Window[int64]) error { return nil }, &Options[int64]{
		Lateness: 5, OnLate: func(ts, v int64) { late = append(late, ts*1000+v) }}))
	for i, c := range []struct {
		ts   int64
		want Outcome
	}{{-1, Refused}, {12, Accepted}, {8, Accepted}, {16, Accepted}, {9, Late}, {11, Accepted}, {100, Refused}, {99, Accepted}} {
		if out, err := h.Collect(c.ts, int64(i)); out != c.want || err != nil {
			t.Errorf("row %d at %d: got %v, %v, want %v", i, c.ts, out, err, c.want)
		}
	}
	if s := h.Stats(); s.Accepted != 5 || s.Late != 1 || s.Refused != 2 {
		t.Errorf("got %+v", s)
	}
	if want := []int64{9004}; !slices.Equal(late, want) {
		t.Errorf("late handler: got %v, want %v", late, want)
	}
	strict := must(New(Count(2), func(Window[int64]) error { return nil }, &Options[int64]{Strict: true}))
	for _, c := range []struct {
		ts   int64
		want Outcome
	}{{math.MinInt64, Accepted}, {math.MinInt64, NotNewer}, {5, Accepted}, {5, NotNewer}, {4, NotNewer}, {6, Accepted}} {
		if out, _ := strict.Collect(c.ts, 0); out != c.want {
			t.Errorf("strict, %d: got %v, want %v", c.ts, out, c.want)
		}
	}
	panicky := must(New(Count(1), func(Window[int64]) error { return nil }, &Options[int64]{OnLate: func(int64, int64) { panic("late") }}))
	panicky.Collect(5, 1)
	if out, err := panicky.Collect(4, 1); out != Late || err == nil {
		t.Errorf("panic in OnLate: %v, %v", out, err)
	}
	if out, err := panicky.Collect(6, 1); out != Accepted || err != nil {
		t.Errorf("after it: %v, %v", out, err)
	}
}
