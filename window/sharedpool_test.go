package window

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// While a pool goes on, rows wait for room however long that takes: 32 evaluations
// take longer here than a single one may.
func TestSharedWaitsForPool(t *testing.T) {
	for _, policy := range []Rejection{RejectWait, RunInline} {
		for _, name := range sharedFaces {
			t.Run(fmt.Sprint(name, " ", policy), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const goroutines, rows = 4, 1000
					p := NewPool(PoolOptions{Workers: 1})
					defer p.Close()
					var mu sync.Mutex
					var evaluated []int64
					h := newShared(name, Count(1), func(start int64) error {
						<-time.After(160 * time.Millisecond)
						mu.Lock()
						defer mu.Unlock()
						evaluated = append(evaluated, start)
						return nil
					}, &Options[int64]{Shared: true, Pool: p, Rejection: policy})
					var wg sync.WaitGroup
					var taken []int64
					last := int64(0)
					for range goroutines {
						wg.Go(func() {
							for range rows {
								mu.Lock()
								last++
								ts := last
								mu.Unlock()
								switch out, err := h.collect(ts, 1); {
								case out == Accepted && err == nil:
									mu.Lock()
									taken = append(taken, ts)
									mu.Unlock()
								case out != Late || err != nil: // another goroutine was faster
									t.Errorf("row %d: %v, %v", ts, out, err)
									return
								}
							}
						})
					}
					wg.Wait()
					if err := errors.Join(h.flush(t.Context()), h.close()); err != nil {
						t.Error(err)
					}
					slices.Sort(taken)
					if !slices.Equal(evaluated, taken) {
						t.Errorf("%d windows of %d", len(evaluated), len(taken))
					}
				})
			})
		}
	}
}

// An evaluator that gives its own handler more windows than its pool has room for
// does not wait for itself for ever: it is told so, no window is lost, and the
// handler goes on. So it is also while another handler keeps the pool moving.
func TestSharedPoolFullFromEvaluator(t *testing.T) {
	for _, policy := range []Rejection{RejectWait, RunInline} {
		for _, beside := range []bool{false, true} {
			for _, name := range sharedFaces {
				t.Run(fmt.Sprint(name, " ", policy, " beside ", beside), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						const most, rows = 16, 100
						workers := 1
						if beside {
							workers = 2
						}
						p := NewPool(PoolOptions{Workers: workers, MaxPending: most})
						defer p.Close()
						end := make(chan struct{})
						var other sync.WaitGroup
						if beside {
							b := must(New(Count(1), func(Window[int64]) error { <-time.After(100 * time.Millisecond); return nil },
								&Options[int64]{Pool: p, Rejection: DropNewest}))
							other.Go(func() {
								for ts := int64(0); ; ts++ {
									select {
									case <-end:
										return
									case <-time.After(90 * time.Millisecond):
										_, _ = b.Collect(ts, 1)
									}
								}
							})
						}
						var h sharedFace
						var taken, evaluated []int64
						refused := 0
						var began time.Time
						var took time.Duration
						given, done := make(chan struct{}), make(chan struct{})
						h = newShared(name, Count(1), func(start int64) error {
							if start == 0 {
								<-given // else the call that gave it may take on the others
								began = time.Now()
								for ts := int64(1); ts <= rows; ts++ {
									switch out, err := h.collect(ts, 1); {
									case out == Accepted && err == nil:
										taken = append(taken, ts)
									case out == Refused && errors.Is(err, ErrRejected):
										refused++
									default:
										t.Errorf("row %d: %v, %v", ts, out, err)
									}
								}
								took = time.Since(began)
								close(done)
							}
							evaluated = append(evaluated, start)
							return nil
						}, &Options[int64]{Shared: true, Pool: p, Rejection: policy})
						if out, err := h.collect(0, 1); out != Accepted || err != nil {
							t.Errorf("%v, %v", out, err)
						}
						close(given)
						<-done
						if err := h.wait(t.Context()); err != nil {
							t.Error(err)
						}
						if !beside && (took != patience || len(taken) != most+1 || refused != rows-most-1) {
							t.Errorf("%d rows taken, %d refused in %v; want %d taken in %v", len(taken), refused, took, most+1, patience)
						}
						if out, err := h.collect(2*rows, 1); out != Accepted || err != nil {
							t.Errorf("afterwards: %v, %v", out, err)
						}
						if err := errors.Join(h.flush(t.Context()), h.close()); err != nil {
							t.Error(err)
						}
						if want := append(append([]int64{0}, taken...), 2*rows); !slices.Equal(evaluated, want) {
							t.Errorf("windows %v, want %v", evaluated, want)
						}
						close(end)
						other.Wait()
					})
				})
			}
		}
	}
}
