package window

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// What the documents promise of the two helpers beside their worked examples.

// A window tells its size, and time and value of each row, for every kind.
func TestHelperWindow(t *testing.T) {
	read := func(name, want string, collect func(take func(string)) error) {
		t.Helper()
		got := ""
		if err := collect(func(s string) { got += s }); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
	}
	read("bool", "2 rows: 5 true, 6 false; ", helperOf(true, false))
	read("int32", "2 rows: 5 -1, 6 2; ", helperOf(int32(-1), 2))
	read("int64", "2 rows: 5 -1, 6 2; ", helperOf(int64(-1), 2))
	read("float32", "2 rows: 5 0.5, 6 2; ", helperOf(float32(0.5), 2))
	read("float64", "2 rows: 5 0.5, 6 2; ", helperOf(0.5, 2))
	read("text", "2 rows: 5 a, 6 b; ", helperOf("a", "b"))
}

func helperOf[T any](a, b T) func(take func(string)) error {
	return func(take func(string)) error {
		h, err := NewSlidingSize(2, 2, func(w Window[T]) error {
			s := fmt.Sprintf("%d rows:", w.Len())
			for i := range w.Len() {
				if i > 0 {
					s += ","
				}
				s += fmt.Sprintf(" %d %v", w.Time(i), w.Value(i))
			}
			take(s + "; ")
			return nil
		}, nil)
		if err != nil {
			return err
		}
		if _, err := h.Collect(5, a); err != nil {
			return err
		}
		_, err = h.Collect(6, b)
		return err
	}
}

// Without a step it is the size, or the interval.
func TestHelperWithoutStep(t *testing.T) {
	for _, c := range []struct {
		short, long Spec
	}{
		{Count(10), Count(10).Every(10)},
		{Tumbling(1000), Sliding(1000, 1000)},
	} {
		var got [2]string
		for i, s := range []Spec{c.short, c.long} {
			h := must(New(s, func(w Window[float64]) error { got[i] += contents(w); return nil }, nil))
			for ts := range int64(35) {
				if _, err := h.Collect(ts*100, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got[0] != got[1] || got[0] == "" {
			t.Errorf("%s gives %s, %s gives %s", c.short, got[0], c.long, got[1])
		}
	}
}

// The first row may be at time 0 with value 0.
func TestHelperFirstRow(t *testing.T) {
	for _, size := range []bool{true, false} {
		got := helper(t, size, 1, 1, []int64{0, 1})
		want := map[bool]string{true: "[{0} {1}]", false: "[[0,1){0}]"}[size]
		if fmt.Sprint(got) != want {
			t.Errorf("size %v: got %v, want %s", size, got, want)
		}
	}
}

// Late rows are no errors: they are left out and counted.
func TestHelperLateRows(t *testing.T) {
	h := must(NewSlidingTime(5, 5, func(Window[float64]) error { return nil }, nil))
	for _, c := range []struct {
		ts   int64
		want Outcome
	}{{10, Accepted}, {11, Accepted}, {11, NotNewer}, {3, Late}, {12, Accepted}} {
		out, err := h.Collect(c.ts, 0)
		if err != nil || (out == Accepted) != (c.want == Accepted) {
			t.Errorf("row at %d: %v, %v; want %v and no error", c.ts, out, err, c.want)
		}
	}
	if s := h.Stats(); s.Late+s.NotNewer != 2 || s.Accepted != 3 {
		t.Errorf("got %+v, want 3 rows accepted and 2 left out", s)
	}
}

// A blocked evaluator blocks nobody who collects, and what waits for it stays
// within its bound.
func TestHelperAsynchronous(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolOptions{Workers: 1})
		defer p.Close()
		release := make(chan struct{})
		refused := 0
		h := must(NewSlidingSize(1, 1, func(Window[float64]) error { <-release; return nil },
			&Options[float64]{Pool: p, OnRejection: func(Window[float64]) error { refused++; return nil }}))
		if _, err := h.Collect(0, 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the only worker is blocked now
		for ts := int64(1); ts <= 1000; ts++ {
			if out, err := h.Collect(ts, 0); out != Accepted || err != nil {
				t.Fatalf("row %d: %v, %v", ts, out, err)
			}
			if n := p.Pending(); n > 64 {
				t.Fatalf("%d windows wait, at most 64 may", n)
			}
		}
		if refused != 1000-64 {
			t.Errorf("%d windows refused, want %d: the 65th beside the blocked one is the first", refused, 1000-64)
		}
		close(release)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// As many evaluators as processors unless told otherwise.
func TestPoolDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolOptions{})
		defer p.Close()
		release, running := make(chan struct{}), make(chan struct{}, 1000)
		var hs []*Handler[float64]
		n := runtime.GOMAXPROCS(0)
		for range n + 3 {
			h := must(NewSlidingSize(1, 1, func(Window[float64]) error { running <- struct{}{}; <-release; return nil }, &Options[float64]{Pool: p}))
			hs = append(hs, h)
			if _, err := h.Collect(0, 0); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(running) != n {
			t.Errorf("%d windows are evaluated at once, want %d", len(running), n)
		}
		close(release)
		for _, h := range hs {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// The page's hook: a window of time 1 step 1 that finds no room goes to the
// hook, once, in the goroutine that collects; later windows are right.
func TestHelperRejectionPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolOptions{Workers: 1, MaxPending: 1})
		defer p.Close()
		release := make(chan struct{})
		var got, refused []string
		h := must(NewSlidingTime(time.Duration(1), 1, func(w Window[int32]) error {
			<-release
			got = append(got, fmt.Sprint(w.Start()))
			return nil
		}, &Options[int32]{Pool: p, OnRejection: func(w Window[int32]) error {
			refused = append(refused, fmt.Sprint(w.Start())) // no lock: the goroutine is this one
			return nil
		}}))
		for ts := range int64(6) {
			if _, err := h.Collect(ts, int32(ts)); err != nil {
				t.Errorf("row %d: %v", ts, err)
			}
			synctest.Wait()
		}
		close(release)
		if err := h.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		for ts := int64(6); ts < 9; ts++ {
			if _, err := h.Collect(ts, int32(ts)); err != nil {
				t.Error(err)
			}
			if err := h.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if fmt.Sprint(got, refused) != "[0 1 5 6 7] [2 3 4]" {
			t.Errorf("evaluated %v, refused %v; want [0 1 5 6 7] and [2 3 4]", got, refused)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}
