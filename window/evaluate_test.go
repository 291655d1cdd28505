package window

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever an evaluator does, the state has moved on and the next call works.
func TestEvaluatorTrouble(t *testing.T) {
	boom := errors.New("boom")
	for _, face := range []string{"rows", "fold", "keyed rows", "keyed fold"} {
		for _, s := range []Spec{Count(2), Count(4).Every(2), Count(3).Every(1), Tumbling(2), Sliding(4, 2), Gap(0), Same("v")} {
			for _, trouble := range []string{"error", "panic", "panic error", "re-entrant", "goexit"} {
				var got []int64
				var collect func(int64, int64) (Outcome, error)
				var inner error
				var flush func(context.Context) error
				mischief := func(start int64) error {
					got = append(got, start)
					if len(got) != 2 {
						return nil
					}
					switch trouble {
					case "error":
						return boom
					case "panic":
						panic("boom")
					case "panic error":
						panic(boom)
					case "re-entrant":
						var out Outcome
						if out, inner = collect(1000, 1); out != Refused {
							t.Errorf("%s %s: re-entrant Collect: %v", face, s, out)
						}
					case "goexit":
						runtime.Goexit()
					}
					return nil
				}
				switch face {
				case "rows":
					h := must(New(s, func(w Window[int64]) error { return mischief(w.Start()) }, nil))
					collect, flush = h.Collect, h.Flush
				case "fold":
					h := must(Reduce(s, Tally[int64]{}, func(r Result[int64]) error { return mischief(r.Start) }, nil))
					collect, flush = h.Collect, h.Flush
				case "keyed rows":
					h := must(Keyed(s, func(_ string, w Window[int64]) error { return mischief(w.Start()) }, nil, KeyOptions{}))
					collect = func(ts, v int64) (Outcome, error) { return h.Collect("k", ts, v) }
					flush = h.Flush
				case "keyed fold":
					h := must(ReduceKeyed(s, Tally[int64]{}, func(r KeyResult[string, int64]) error { return mischief(r.Start) }, nil, KeyOptions{}))
					collect = func(ts, v int64) (Outcome, error) { return h.Collect("k", ts, v) }
					flush = h.Flush
				}
				var errs []error
				for ts := range int64(20) {
					done := make(chan struct{})
					go func() { // Goexit ends this goroutine only
						defer close(done)
						if _, err := collect(ts, ts/2); err != nil {
							errs = append(errs, err)
						}
					}()
					<-done
				}
				if err := flush(t.Context()); err != nil {
					t.Errorf("%s %s %s: flush: %v", face, s, trouble, err)
				}
				name := fmt.Sprintf("%s %s %s", face, s, trouble)
				var want []int64
				for w, err := range Cut(upTo(0, 19), func() (v []int64) {
					for ts := range int64(20) {
						v = append(v, ts/2)
					}
					return v
				}(), s, nil) {
					if err != nil {
						t.Fatal(err)
					}
					want = append(want, w.Start())
				}
				if trouble == "goexit" { // may take the row along that it met
					if len(got) < len(want)-1 {
						t.Errorf("%s: windows %v, want %v but for one", name, got, want)
					}
					continue
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: windows %v, want %v", name, got, want)
				}
				var pe *PanicError
				switch trouble {
				case "error":
					if len(errs) != 1 || !errors.Is(errs[0], boom) {
						t.Errorf("%s: errors %v", name, errs)
					}
				case "panic":
					if len(errs) != 1 || !errors.As(errs[0], &pe) || pe.Value != "boom" || !strings.Contains(string(pe.Stack), "evaluate_test") {
						t.Errorf("%s: errors %v", name, errs)
					}
				case "panic error":
					if len(errs) != 1 || !errors.Is(errs[0], boom) {
						t.Errorf("%s: errors %v", name, errs)
					}
				case "re-entrant":
					if len(errs) != 0 || !errors.Is(inner, ErrReentrant) {
						t.Errorf("%s: errors %v, inner %v", name, errs, inner)
					}
				}
			}
		}
	}
}

// A reducer's panic is an error too, wherever it happens.
type touchyReducer struct{ at string }

func (r touchyReducer) Init(a *int64) { *a = 0 }
func (r touchyReducer) Add(a *int64, _ int64, v int64) {
	if r.at == "add" && v == 13 {
		panic("13")
	}
	*a += v
}
func (r touchyReducer) Merge(dst, newer *int64) {
	if r.at == "merge" && *newer == 13 {
		panic("13")
	}
	*dst += *newer
}
func (r touchyReducer) Result(a *int64) int64 {
	if r.at == "result" && *a == 13 {
		panic("13")
	}
	return *a
}

func TestReducerPanics(t *testing.T) {
	for _, at := range []string{"add", "merge", "result"} {
		for _, s := range []Spec{Count(1), Count(2).Every(1), Count(4).Every(2), Tumbling(1), Sliding(2, 1), Gap(0)} {
			n, failed := 0, 0
			h := must(Reduce(s, Reducer[int64, int64, int64](touchyReducer{at}), func(Result[int64]) error { n++; return nil }, nil))
			for ts := range int64(40) {
				v := int64(1)
				if ts == 20 {
					v = 13
				}
				if _, err := h.Collect(ts, v); err != nil {
					var pe *PanicError
					if !errors.As(err, &pe) {
						t.Fatalf("%s %s: %v", at, s, err)
					}
					failed++
				}
			}
			if n < 15 {
				t.Errorf("%s %s: only %d windows, %d failed", at, s, n, failed)
			}
			if at == "add" && failed == 0 {
				t.Errorf("%s %s: no failure", at, s)
			}
		}
	}
}

// blockedPool fills a pool with blocked evaluations of windows of one row and
// returns what the next windows meet.
func TestRejection(t *testing.T) {
	for _, c := range []struct {
		policy Rejection
		want   string
	}{
		{RejectError, "evaluated [0 1 2 3] dropped 3 errors 3"},
		{DropNewest, "evaluated [0 1 2 3] dropped 3 errors 0"},
		{DropOldest, "evaluated [0 4 5 6] dropped 3 errors 0"},
		{KeepLatest, "evaluated [0 6] dropped 5 errors 0"},
		{RejectWait, "evaluated [0 1 2 3 4 5 6] dropped 0 errors 0"},
		{RunInline, "evaluated [0 1 2 3 4 5 6] dropped 0 errors 0"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := NewPool(PoolOptions{Workers: 1, MaxPending: 3})
			release := make(chan struct{})
			var got []int64
			h := must(New(Count(1), func(w Window[int64]) error {
				<-release
				got = append(got, w.Start())
				return nil
			}, &Options[int64]{Pool: p, Rejection: c.policy}))
			failed := 0
			done := make(chan struct{})
			if out, err := h.Collect(0, 0); out != Accepted || err != nil {
				t.Errorf("0: %v, %v", out, err)
			}
			synctest.Wait() // the worker has taken it and is blocked
			go func() {
				defer close(done)
				for ts := int64(1); ts < 7; ts++ {
					if out, err := h.Collect(ts, ts); out != Accepted {
						t.Errorf("%d: %v", ts, out)
					} else if errors.Is(err, ErrRejected) {
						failed++
					} else if err != nil {
						t.Error(err)
					}
				}
			}()
			synctest.Wait()
			close(release)
			<-done
			if err := h.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			s := h.Stats()
			if g := fmt.Sprintf("evaluated %v dropped %d errors %d", got, s.Dropped, failed); g != c.want {
				t.Errorf("policy %d:\n got  %s\n want %s", c.policy, g, c.want)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			p.Close()
		})
	}
}

// The documents' capacity: with all evaluators blocked, as many windows as
// workers and waiting places; the next goes to the rejection hook, in the
// caller's goroutine. A handler that was refused goes on.
func TestRejectionHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, pending = 3, 64
		p := NewPool(PoolOptions{Workers: workers, MaxPending: pending})
		defer p.Close()
		release := make(chan struct{})
		var refused []int64
		hook := errors.New("hook")
		var hs []*Handler[float64]
		for range workers { // one handler's windows are evaluated one at a time
			hs = append(hs, must(NewSlidingSize(1, 1, func(w Window[float64]) error { <-release; return nil }, &Options[float64]{
				Pool: p, OnRejection: func(w Window[float64]) error {
					refused = append(refused, w.Time(0))
					return hook
				}})))
		}
		for _, h := range hs {
			if _, err := h.Collect(0, 0); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for ts := int64(1); ts <= pending; ts++ {
			if _, err := hs[0].Collect(ts, 0); err != nil {
				t.Fatalf("window %d: %v", ts, err)
			}
		}
		if _, err := hs[0].Collect(1000, 0); !errors.Is(err, hook) || !slices.Equal(refused, []int64{1000}) {
			t.Errorf("got %v, refused %v, want the hook's error for window 1000", err, refused)
		}
		close(release)
		if err := hs[0].Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := hs[0].Collect(1001, 0); err != nil {
			t.Errorf("after a rejection: %v", err)
		}
		for _, h := range hs {
			h.Close()
		}
		if s := hs[0].Stats(); s.Dropped != 1 || s.Windows != pending+3 {
			t.Errorf("got %+v, want %d windows, 1 dropped", s, pending+3)
		}
	})
}

// Windows of a handler are evaluated in order and one at a time; handlers side
// by side.
func TestPoolOrder(t *testing.T) {
	p := NewPool(PoolOptions{Workers: 4, MaxPending: 7})
	var hs []*Handler[int64]
	got := make([][]int64, 5)
	for i := range got {
		policy := []Rejection{RejectWait, RunInline}[i%2]
		hs = append(hs, must(New(Count(1), func(w Window[int64]) error {
			got[i] = append(got[i], w.Value(0))
			return nil
		}, &Options[int64]{Pool: p, Rejection: policy})))
	}
	done := make(chan struct{})
	for _, h := range hs {
		go func() {
			for v := range int64(2000) {
				h.Collect(v, v)
			}
			h.Flush(context.Background())
			done <- struct{}{}
		}()
	}
	for range hs {
		<-done
	}
	for i := range got {
		if !slices.Equal(got[i], upTo(0, 1999)) {
			t.Errorf("handler %d: %d windows, out of order or lost", i, len(got[i]))
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := hs[0].Collect(5000, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("after the pool's Close: got %v, want ErrClosed", err)
	}
}

// A pool survives evaluators that panic or call Goexit, and tells of errors.
func TestPoolTrouble(t *testing.T) {
	p := NewPool(PoolOptions{Workers: 1})
	var got []int64
	told := make(chan error, 10)
	h := must(New(Count(1), func(w Window[int64]) error {
		switch v := w.Value(0); v {
		case 1:
			panic("one")
		case 2:
			runtime.Goexit()
		case 3:
			return errors.New("three")
		default:
			got = append(got, v)
		}
		return nil
	}, &Options[int64]{Pool: p, Rejection: RejectWait, OnError: func(err error) { told <- err }}))
	for v := range int64(6) {
		if _, err := h.Collect(v, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if !slices.Equal(got, []int64{0, 4, 5}) || len(told) != 2 {
		t.Errorf("got %v and %d errors, want [0 4 5] and 2", got, len(told))
	}
	if s := h.Stats(); s.Failed != 2 {
		t.Errorf("got %d failed, want 2", s.Failed)
	}
}

// Flush gives up waiting with its context.
func TestFlushContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(PoolOptions{})
		release := make(chan struct{})
		h := must(New(Count(5), func(Window[int64]) error { <-release; return nil }, &Options[int64]{Pool: p}))
		h.Collect(1, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want deadline exceeded", err)
		}
		close(release)
		h.Close()
		p.Close()
	})
}

// Nothing runs on after Close.
func TestNoLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	p := NewPool(PoolOptions{Workers: 8})
	var closers []interface{ Close() error }
	for range 20 {
		h := must(New(Tumbling(time.Hour), func(Window[int64]) error { return nil }, &Options[int64]{Pool: p, Rejection: RejectWait, IdleAfter: time.Hour, Emit: Periodic, EmitDelay: time.Hour}))
		r := must(Reduce(Tumbling(time.Hour), Tally[int64]{}, func(Result[int64]) error { return nil }, &Options[int64]{IdleAfter: time.Hour}))
		k := must(ReduceKeyed(Tumbling(time.Hour), Tally[int64]{}, func(KeyResult[int, int64]) error { return nil }, &Options[int64]{IdleAfter: time.Hour}, KeyOptions{}))
		kr := must(Keyed(Tumbling(time.Hour), func(int, Window[int64]) error { return nil }, &Options[int64]{IdleAfter: time.Hour}, KeyOptions{}))
		h.Collect(1, 1)
		r.Collect(1, 1)
		k.Collect(1, 1, 1)
		kr.Collect(1, 1, 1)
		closers = append(closers, h, r, k, kr)
	}
	for _, c := range closers {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	p.Close()
	// One that Close has waited for may be counted until its thread runs again.
	for limit := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; {
		if time.Now().After(limit) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
	}
}

func TestClosed(t *testing.T) {
	h := must(New(Count(1), func(Window[int64]) error { return nil }, nil))
	h.Collect(1, 1)
	h.Close()
	if _, err := h.Collect(2, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if err := h.Flush(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	r := must(Reduce(Tumbling(5), Tally[int64]{}, func(Result[int64]) error { return nil }, nil))
	r.Collect(1, 1)
	r.Close()
	if _, err := r.Collect(2, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}
