package window

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sharedFace is one of the handlers that several goroutines may share.
type sharedFace struct {
	collect func(ts, v int64) (Outcome, error)
	flush   func(context.Context) error
	wait    func(context.Context) error
	save    func([]byte) ([]byte, error)
	load    func([]byte) error
	close   func() error
}

var sharedFaces = []string{"rows", "fold", "keyed fold"}

func newShared(name string, s Spec, eval func(start int64) error, o *Options[int64]) sharedFace {
	switch name {
	case "rows":
		h := must(New(s, func(w Window[int64]) error { return eval(w.Start()) }, o))
		return sharedFace{h.Collect, h.Flush, h.Wait, h.AppendState, h.LoadState, h.Close}
	case "fold":
		h := must(Reduce(s, Tally[int64]{}, func(r Result[int64]) error { return eval(r.Start) }, o))
		return sharedFace{h.Collect, h.Flush, h.Wait, h.AppendState, h.LoadState, h.Close}
	}
	h := must(ReduceKeyed(s, Tally[int64]{}, func(r KeyResult[string, int64]) error { return eval(r.Start) }, o, KeyOptions{}))
	collect := func(ts, v int64) (Outcome, error) { return h.Collect("k", ts, v) }
	return sharedFace{collect, h.Flush, h.Wait, h.AppendState, h.LoadState, h.Close}
}

// A window that another goroutine closes while AppendState waits for the one
// before is evaluated before the snapshot or comes after it: none is lost.
//
// The pool is full with another handler's windows. The window of row 1 waits for
// room, in the goroutine that collects, when the one of row 0 comes to its end.
func TestSharedSnapshotLosesNothing(t *testing.T) {
	for _, name := range sharedFaces {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPool(PoolOptions{Workers: 2, MaxPending: 1})
				defer p.Close()
				hold := make(chan struct{})
				other := must(New(Count(1), func(Window[int64]) error { <-hold; return nil }, &Options[int64]{Pool: p}))
				first := make(chan struct{})
				var got []int64
				h := newShared(name, Count(1), func(start int64) error {
					if start == 0 {
						<-first
					}
					got = append(got, start)
					return nil
				}, &Options[int64]{Shared: true, Pool: p, Rejection: RejectWait})
				collect := func(f func(ts, v int64) (Outcome, error), ts int64) {
					if out, err := f(ts, ts); out != Accepted || err != nil {
						t.Errorf("row %d: %v, %v", ts, out, err)
					}
				}
				collect(h.collect, 0)
				synctest.Wait() // a worker evaluates it
				collect(other.Collect, 0)
				synctest.Wait() // and the other worker this one
				collect(other.Collect, 1)

				var state []byte
				var done []int64
				saved := make(chan struct{})
				go func() {
					defer close(saved)
					var err error
					if state, err = h.save(nil); err != nil {
						t.Error(err)
					}
					done = slices.Clone(got)
				}()
				synctest.Wait() // the snapshot waits for window 0
				go collect(h.collect, 1)
				synctest.Wait() // window 1 is closed and waits for room
				close(first)
				synctest.Wait()
				close(hold)
				<-saved

				again := newShared(name, Count(1), func(start int64) error { done = append(done, start); return nil },
					&Options[int64]{Shared: true})
				if err := again.load(state); err != nil {
					t.Fatal(err)
				}
				collect(again.collect, 2)
				if want := []int64{0, 1, 2}; !slices.Equal(done, want) {
					t.Errorf("windows before the snapshot and after it: %v, want %v", done, want)
				}
				if err := errors.Join(h.wait(t.Context()), h.close(), again.close(), other.Close()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Goroutines that collect faster than one evaluates do not let windows pile up in
// memory.
func TestSharedHoldsBack(t *testing.T) {
	for _, name := range sharedFaces {
		t.Run(name, func(t *testing.T) {
			const goroutines, rows, limit = 4, 20_000, 10_000
			var collected, evaluated, most atomic.Int64
			h := newShared(name, Count(1), func(int64) error {
				for range 3 { // slower than rows come
					runtime.Gosched()
				}
				if waiting := collected.Load() - evaluated.Add(1); waiting > most.Load() {
					most.Store(waiting) // one evaluation at a time
				}
				return nil
			}, &Options[int64]{Shared: true})
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() {
					for range rows {
						if out, err := h.collect(0, 1); out != Accepted || err != nil {
							t.Error(out, err)
						}
						collected.Add(1)
					}
				})
			}
			wg.Wait()
			if err := errors.Join(h.flush(t.Context()), h.close()); err != nil {
				t.Error(err)
			}
			if n := evaluated.Load(); n != goroutines*rows || most.Load() > limit {
				t.Errorf("%d windows of %d, and %d waited at once; want %d at most", n, goroutines*rows, most.Load(), limit)
			}
		})
	}
}

// Close and an evaluation in the caller may meet calls of other goroutines.
func TestSharedCloseWhileCollecting(t *testing.T) {
	for _, name := range sharedFaces {
		t.Run(name, func(t *testing.T) {
			p := NewPool(PoolOptions{Workers: 1, MaxPending: 1})
			defer p.Close()
			h := newShared(name, Count(1), func(int64) error { return nil },
				&Options[int64]{Shared: true, Pool: p, Rejection: RunInline})
			var started, wg sync.WaitGroup
			for g := range int64(3) {
				started.Add(1)
				wg.Go(func() {
					for i, after := int64(0), 0; after < 100; i++ {
						_, err := h.collect(i*3+g, 1)
						if errors.Is(err, ErrClosed) {
							after++
						} else if err != nil {
							t.Error(err)
						}
						if i == 100 {
							started.Done()
						}
					}
				})
			}
			started.Wait()
			if err := h.close(); err != nil {
				t.Error(err)
			}
			wg.Wait()
		})
	}
}

// An evaluator that flushes its own handler with a context that is done does not
// wait for itself; the open window comes after its own.
func TestSharedFlushFromEvaluator(t *testing.T) {
	for _, name := range sharedFaces {
		t.Run(name, func(t *testing.T) {
			over, cancel := context.WithCancel(t.Context())
			cancel()
			var h sharedFace
			var got []int64
			var inner error
			h = newShared(name, Tumbling(10), func(start int64) error {
				if start == 0 {
					inner = h.flush(over)
				}
				got = append(got, start)
				return nil
			}, &Options[int64]{Shared: true})
			for _, ts := range []int64{0, 10, 20} {
				if _, err := h.collect(ts, 1); err != nil {
					t.Error(err)
				}
			}
			if err := h.flush(t.Context()); err != nil {
				t.Error(err)
			}
			if want := []int64{0, 10, 20}; !slices.Equal(got, want) || !errors.Is(inner, context.Canceled) {
				t.Errorf("windows %v, the inner Flush %v; want %v and context.Canceled", got, inner, want)
			}
			if err := h.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// While a single evaluation goes on, calls from other goroutines wait for room
// rather than fill the memory, and go on with it.
func TestSharedWaitsForSlowEvaluation(t *testing.T) {
	for _, name := range sharedFaces {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const goroutines, rows = 4, 2000
				hold := make(chan struct{})
				var evaluated atomic.Int64
				h := newShared(name, Count(1), func(int64) error {
					if evaluated.Add(1) == 1 {
						<-hold
					}
					return nil
				}, &Options[int64]{Shared: true})
				var collected atomic.Int64
				var wg sync.WaitGroup
				for range goroutines {
					wg.Go(func() {
						for range rows {
							if out, err := h.collect(0, 1); out != Accepted || err != nil {
								t.Error(out, err)
								return
							}
							collected.Add(1)
						}
					})
				}
				synctest.Wait() // all wait, one of them for its evaluation
				if n := collected.Load(); n < mostWaiting || n > mostWaiting+goroutines {
					t.Errorf("%d windows wait, want %d", n, mostWaiting)
				}
				close(hold)
				wg.Wait()
				if err := errors.Join(h.flush(t.Context()), h.close()); err != nil {
					t.Error(err)
				}
				if n := evaluated.Load(); n != goroutines*rows {
					t.Errorf("%d windows of %d", n, goroutines*rows)
				}
			})
		})
	}
}

// An evaluator that gives its own handler more windows than may wait, itself or by
// a goroutine that it waits for, is told so; the handler goes on.
func TestSharedFullFromEvaluator(t *testing.T) {
	for _, name := range sharedFaces {
		for _, by := range []string{"itself", "goroutine"} {
			t.Run(name+" "+by, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var h sharedFace
					var taken, refused []int64
					var evaluated []int64
					more := func() {
						for ts := int64(1); ts <= 3*mostWaiting; ts++ {
							switch out, err := h.collect(ts, 1); {
							case out == Accepted && err == nil:
								taken = append(taken, ts)
							case out == Refused && errors.Is(err, ErrRejected):
								refused = append(refused, ts)
							default:
								t.Errorf("row %d: %v, %v", ts, out, err)
							}
						}
					}
					h = newShared(name, Count(1), func(start int64) error {
						if start == 0 {
							if by == "itself" {
								more()
							} else {
								done := make(chan struct{})
								go func() { defer close(done); more() }()
								<-done
							}
						}
						evaluated = append(evaluated, start)
						return nil
					}, &Options[int64]{Shared: true})
					began := time.Now()
					if out, err := h.collect(0, 1); out != Accepted || err != nil {
						t.Errorf("%v, %v", out, err)
					}
					if d := time.Since(began); d != patience {
						t.Errorf("it took %v, want %v once", d, patience)
					}
					if out, err := h.collect(4*mostWaiting, 1); out != Accepted || err != nil {
						t.Errorf("afterwards: %v, %v", out, err)
					}
					if len(taken) != mostWaiting || len(taken)+len(refused) != 3*mostWaiting {
						t.Errorf("%d rows taken, %d refused; want %d taken", len(taken), len(refused), mostWaiting)
					}
					if want := append(append([]int64{0}, taken...), 4*mostWaiting); !slices.Equal(evaluated, want) {
						t.Errorf("windows %v, want %v", evaluated, want)
					}
					if err := errors.Join(h.flush(t.Context()), h.close()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// A handler whose evaluation hangs refuses rows until it ends.
func TestSharedHangingEvaluation(t *testing.T) {
	for _, name := range sharedFaces {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hold := make(chan struct{})
				h := newShared(name, Count(1), func(start int64) error {
					if start == 0 {
						<-hold
					}
					return nil
				}, &Options[int64]{Shared: true})
				var wg sync.WaitGroup
				wg.Go(func() {
					if out, err := h.collect(0, 1); out != Accepted || err != nil {
						t.Error(out, err)
					}
				})
				synctest.Wait()
				var out Outcome
				var err error
				taken := 0
				for ; err == nil && taken <= 2*mostWaiting; taken++ {
					out, err = h.collect(1, 1)
				}
				if taken--; taken != mostWaiting || out != Refused || !errors.Is(err, ErrRejected) {
					t.Errorf("after %d rows: %v, %v; want %d, Refused and ErrRejected", taken, out, err, mostWaiting)
				}
				close(hold)
				wg.Wait()
				if out, err := h.collect(2, 1); out != Accepted || err != nil {
					t.Errorf("afterwards: %v, %v", out, err)
				}
				if err := errors.Join(h.flush(t.Context()), h.close()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
