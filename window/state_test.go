package window

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// States of another spec, type, reducer or option, and damaged ones, are refused
// and change nothing.
func TestLoadRefuses(t *testing.T) {
	give := func(Result[float64]) error { return nil }
	h := must(Reduce(Sliding(10, 2), Avg[float64]{}, give, nil))
	for ts := range int64(30) {
		h.Collect(ts, 1)
	}
	state := must(h.AppendState(nil))
	reseal := func(b []byte) []byte {
		b = slices.Clone(b)
		binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
		return b
	}
	for name, c := range map[string]struct {
		into interface{ LoadState([]byte) error }
		src  []byte
	}{
		"nothing":          {h, nil},
		"short":            {h, state[:10]},
		"cut":              {h, state[:len(state)-9]},
		"cut and resealed": {h, reseal(state[:len(state)-9])},
		"longer":           {h, reseal(append(slices.Clone(state), 0))},
		"one bit":          {h, append(append([]byte{}, state[:50]...), append([]byte{state[50] ^ 1}, state[51:]...)...)},
		"other spec":       {must(Reduce(Sliding(10, 5), Avg[float64]{}, give, nil)), state},
		"other reducer":    {must(Reduce(Sliding(10, 2), Sum[float64]{}, give, nil)), state},
		"other option":     {must(Reduce(Sliding(10, 2), Avg[float64]{}, give, &Options[float64]{Strict: true})), state},
		"other type":       {must(Reduce(Sliding(10, 2), Avg[float32]{}, give, nil)), state},
		"other face":       {must(New(Sliding(10, 2), func(Window[float64]) error { return nil }, nil)), state},
	} {
		if err := c.into.LoadState(c.src); !errors.Is(err, ErrState) {
			t.Errorf("%s: got %v, want ErrState", name, err)
		}
	}
	if again := must(h.AppendState(nil)); !slices.Equal(again, state) {
		t.Error("a refused state changed the handler")
	}
	type opaque struct{ _ int }
	o := must(New(Count(2), func(Window[opaque]) error { return nil }, nil))
	o.Collect(1, opaque{})
	if _, err := o.AppendState(nil); err == nil || !strings.Contains(err.Error(), "Codec") {
		t.Errorf("a type without codec: %v", err)
	}
	u := must(Reduce(Count(2), Reducer[int64, int64, int64](touchyReducer{}), func(Result[int64]) error { return nil }, nil))
	if _, err := u.AppendState(nil); err == nil || !strings.Contains(err.Error(), "StateCodec") {
		t.Errorf("a reducer without codec: %v", err)
	}
}

// Loading a state whose bytes were changed and sealed again gives an error or a
// handler that works; it never panics nor hangs.
func FuzzLoadState(f *testing.F) {
	for seed := range int64(60) {
		f.Add(seed, uint16(seed*7), byte(seed), byte(0))
	}
	f.Fuzz(func(t *testing.T, seed int64, at uint16, val, how byte) {
		r := rand.New(rand.NewSource(seed))
		s := randomScenario(r)
		fc := faces[r.Intn(len(faces))]
		opts := s.options()
		opts.EmptyCap = 100 // a state may tell of any gap
		c := must(fc.make(s, opts, func(string) {}))
		for _, o := range s.ops {
			if o.advance {
				c.Advance(o.ts)
			} else {
				c.Collect(o.ts, o.v)
			}
		}
		state := must(c.AppendState(nil))
		body := len(state) - 4
		switch i := int(at) % body; how % 4 {
		case 0:
			state[i] ^= val
		case 1:
			state[i] = val
		case 2:
			state = append(state[:i], state[body:]...)
		case 3: // a whole number changed
			if i+8 < body {
				binary.LittleEndian.PutUint64(state[i:], uint64(edges[int(val)%len(edges)]))
			}
		}
		state = sealSnapshot(state[:len(state)-4], 0)
		n := 0
		d := must(fc.make(s, opts, func(l string) {
			if n++; n > 1_000_000 {
				t.Fatalf("%s %s: windows without end: %s", fc.name, s.spec(), l)
			}
		}))
		if err := d.LoadState(state); err != nil {
			return
		}
		for ts := range int64(20) {
			if _, err := d.Collect(ts*10-50, 1); err != nil {
				t.Fatal(err)
			}
		}
		d.Flush(t.Context())
	})
}

func FuzzOracle(f *testing.F) {
	f.Add(int64(1))
	f.Fuzz(func(t *testing.T, seed int64) {
		r := rand.New(rand.NewSource(seed))
		p := NewPool(PoolOptions{Workers: 2, MaxPending: 3})
		defer p.Close()
		checkScenario(t, randomScenario(r), r, p)
	})
}

// A restart gives the same bits, floats included, wherever it comes.
func TestRestartBits(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	var vals []float64
	for range 300 {
		vals = append(vals, r.NormFloat64()*1e3)
	}
	for _, s := range []Spec{Count(7).Every(1), Count(9).Every(3), Sliding(40, 4), Tumbling(9), Gap(2), Months(1, "")} {
		for _, late := range []time.Duration{0, 7} {
			run := func(restart int) (out []Result[float64]) {
				o := &Options[float64]{Lateness: late}
				make := func() *Reducing[float64, Moments, float64] {
					return must(Reduce(s, StdDev[float64]{}, func(r Result[float64]) error {
						if r.Value != r.Value {
							r.Value = -1 // NaN, but comparable
						}
						out = append(out, r)
						return nil
					}, o))
				}
				h := make()
				rr := rand.New(rand.NewSource(6))
				ts := int64(0)
				for i, v := range vals {
					if i == restart {
						state := must(h.AppendState(nil))
						h = make()
						if err := h.LoadState(state); err != nil {
							t.Fatal(err)
						}
					}
					ts += int64(rr.Intn(4))
					h.Collect(ts-int64(rr.Intn(8)), v)
				}
				h.Flush(t.Context())
				return out
			}
			want := run(-1)
			for restart := 0; restart < len(vals); restart += 7 {
				if got := run(restart); !slices.Equal(got, want) {
					t.Fatalf("%s lateness %d, restart at %d: windows differ", s, late, restart)
				}
			}
		}
	}
}

// The usual call allocates nothing, in every face.
func TestNoAllocations(t *testing.T) {
	ts := int64(0)
	give := func(Result[float64]) error { return nil }
	cases := map[string]func(){}
	rows := func(name string, s Spec, o *Options[float64]) {
		sum := 0.0 // of this handler alone: a pool evaluates others beside it
		h := must(New(s, func(w Window[float64]) error {
			for _, v := range w.Values() {
				sum += v
			}
			return nil
		}, o))
		cases["rows "+name] = func() { ts++; h.Collect(ts, float64(ts/20)) }
	}
	rows("count 10/5", Count(10).Every(5), nil)
	rows("count 10/1", Count(10).Every(1), nil)
	rows("count 5/20", Count(5).Every(20), nil)
	rows("tumbling", Tumbling(7), nil)
	rows("sliding", Sliding(50, 10), nil)
	rows("session", Gap(0), nil)
	rows("state", Same("v"), nil)
	rows("months", Days(1, ""), nil)
	rows("late", Tumbling(7), &Options[float64]{Lateness: 20})
	rows("strict", Tumbling(7).FromFirst(), &Options[float64]{Strict: true, Empty: true})
	p := NewPool(PoolOptions{Workers: 1})
	defer p.Close()
	pooled := must(New(Count(10), func(Window[float64]) error { return nil }, &Options[float64]{Pool: p, Rejection: RejectWait}))
	cases["rows pool"] = func() { ts++; pooled.Collect(ts, 1) }
	folds := func(name string, s Spec, o *Options[float64]) {
		h := must(Reduce(s, Avg[float64]{}, give, o))
		cases["fold "+name] = func() { ts++; h.Collect(ts, float64(ts/20)) }
		u := must(Reduce(s, Reducer[float64, spanAcc, float64](spanReducer{}), give, o))
		cases["user's fold "+name] = func() { ts++; u.Collect(ts, float64(ts/20)) }
	}
	folds("count 10/5", Count(10).Every(5), nil)
	folds("count 10/1", Count(10).Every(1), nil)
	folds("count 10/10", Count(10), nil)
	folds("tumbling", Tumbling(7), nil)
	folds("sliding", Sliding(50, 10), nil)
	folds("session", Gap(0), nil)
	folds("state", Same("v"), nil)
	folds("late", Sliding(50, 10), &Options[float64]{Lateness: 20})
	k := keyedTumbling()
	names, _ := thousandKeys()
	cases["keyed"] = func() { ts += 50_000_000; k.Collect(names[ts/50_000_000%100], ts, 1) }
	kr := must(Keyed(Count(3), func(string, Window[float64]) error { return nil }, nil, KeyOptions{}))
	cases["keyed rows"] = func() { ts++; kr.Collect(names[ts%100], ts, 1) }
	lru := must(ReduceKeyed(Tumbling(10), Sum[float64]{}, func(KeyResult[string, float64]) error { return nil }, nil, KeyOptions{TTL: 1 << 40, SharedTime: true}))
	cases["keyed, shared time, TTL"] = func() { ts++; lru.Collect(names[ts%100], ts, 1) }
	for name, f := range cases {
		for range 5000 {
			f()
		}
		if n := testing.AllocsPerRun(2000, f); n != 0 {
			t.Errorf("%s: %v allocations a row, want 0", name, n)
		}
	}
}

// Memory: a window of five points, a key without open windows.
func TestMemory(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the figures are for 64 bits")
	}
	const n = 10_000
	for _, s := range []Spec{Count(5), Count(5).Every(1)} {
		bytes := heapOf(func() any {
			hs := make([]*Handler[float64], n)
			for i := range hs {
				hs[i] = must(New(s, average, nil))
				for ts := range int64(13) {
					hs[i].Collect(ts, 1)
				}
			}
			return hs
		}) / n
		if bytes-8 > 513 { // less the pointer that holds it; heap statistics are not exact to the byte
			t.Errorf("%s: %.0f bytes, want at most 512", s, bytes)
		}
		t.Logf("%s: %.0f bytes", s, bytes-8)
	}
	names := make([]string, 50_000)
	for i := range names {
		names[i] = time.Duration(i).String()
	}
	bytes := heapOf(func() any {
		h := keyedTumbling()
		for i, name := range names {
			h.Collect(name, int64(i)*sec, 1)
			h.Advance(int64(i) * sec)
		}
		h.Advance(1 << 60)
		return h
	}) / float64(len(names))
	if bytes > 96 {
		t.Errorf("idle key: %.0f bytes, want at most 96", bytes)
	}
	t.Logf("idle key: %.0f bytes", bytes)
	runtime.GC()
}
