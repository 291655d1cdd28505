package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
)

// pointsWorld is a store into which points go by handles while everything else
// happens to it.
type pointsWorld struct {
	t    *testing.T
	ctx  context.Context
	db   *DB
	all  []*Series[int64]
	done []atomic.Int64 // the last point that was acknowledged, of each series
	stop atomic.Bool
	wg   sync.WaitGroup
}

func (w *pointsWorld) path(i int) string { return fmt.Sprintf("root.in%d.d%d.s", i%2, i) }

// check looks at what a read of series i shows: all points from 0 on, those that
// were acknowledged before it among them.
func (w *pointsWorld) check(i int) int64 {
	before, n := w.done[i].Load(), int64(0)
	for p, err := range w.all[i].Range(w.ctx, time.Time{}, time.Time{}) {
		if err != nil {
			if !errors.Is(err, ErrClosed) {
				w.t.Error(err)
			}
			return 0
		}
		if p.Time.UnixNano() != n || p.Value != n {
			w.t.Errorf("point %d of series %d is %d at %d", n, i, p.Value, p.Time.UnixNano())
			return 0
		}
		n++
	}
	if n <= before {
		w.t.Errorf("series %d: %d points, number %d was acknowledged", i, n, before)
	}
	return n
}

// beside does f again and again until the test stops.
func (w *pointsWorld) beside(f func(n int) error) {
	w.wg.Go(func() {
		for n := 0; !w.stop.Load(); n++ {
			if err := f(n); err != nil && !errors.Is(err, ErrClosed) {
				w.t.Error(err)
				return
			}
			runtime.Gosched()
		}
	})
}

// trigger watches a series for a while: it has to fire for all points in a row, from
// one that came while it was made to one that came while it was dropped.
func (w *pointsWorld) trigger(n int) error {
	i := n % len(w.all)
	var mu sync.Mutex
	var fired []int64
	name, when := fmt.Sprint("t", n), []When{BeforeInsert, AfterInsert}[n/len(w.all)%2]
	least := w.done[i].Load()
	err := w.db.CreateTrigger(w.ctx, TriggerSpec{Name: name, Pattern: w.path(i), When: when, Stateful: true, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
		mu.Lock()
		defer mu.Unlock()
		fired = append(fired, f.Tablet.Times...)
		return nil
	})})
	if err != nil {
		return err
	}
	from := w.done[i].Load()
	for end := from + 20; w.done[i].Load() < end && !w.stop.Load(); {
		runtime.Gosched()
	}
	to := w.done[i].Load()
	if err := w.db.DropTrigger(w.ctx, name); err != nil {
		return err
	}
	most := w.done[i].Load() + 1
	mu.Lock()
	defer mu.Unlock()
	if len(fired) == 0 {
		if to > from+1 {
			w.t.Errorf("trigger %s of series %d never fired; points %d to %d", name, i, from, to)
		}
		return nil
	}
	for k, at := range fired {
		if at != fired[0]+int64(k) {
			w.t.Errorf("trigger %s of series %d fired for %v", name, i, fired)
			return nil
		}
	}
	if first, last := fired[0], fired[len(fired)-1]; first <= least || first > from+2 || last < to || last > most+1 {
		w.t.Errorf("trigger %s of series %d fired for %d to %d; there when %d was next, asked to go after %d", name, i, first, last, from+1, to)
	}
	return nil
}

func (w *pointsWorld) counts(i int) CQSpec {
	return CQSpec{Name: fmt.Sprint("c", i), Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("s")), expr.Sum(expr.Col("s"))}, From: []string{fmt.Sprintf("root.in%d.d%d", i%2, i)},
		GroupBy: GroupByTime{Interval: 100}, Into: []Target{{Device: fmt.Sprint("root.c", i), Columns: []string{"n", "sum"}}},
	}}
}

// counted compares what a continuous query has stored with the points 0 to last.
func (w *pointsWorld) counted(i int, last int64) {
	var got, want []string
	for p, err := range mustSeries[int64](w.t, w.db, fmt.Sprintf("root.c%d.n", i)).Range(w.ctx, time.Time{}, time.Time{}) {
		require.NoError(w.t, err)
		got = append(got, fmt.Sprintf("%d=%d", p.Time.UnixNano(), p.Value))
	}
	for at := int64(0); at+100 <= last; at += 100 {
		want = append(want, fmt.Sprintf("%d=%d", at, 100))
	}
	require.Equal(w.t, want, got, "windows of series %d, points to %d", i, last)
}

func mustSeries[T Type](t *testing.T, db *DB, path string) *Series[T] {
	s, err := SeriesOf[T](db, path)
	require.NoError(t, err)
	return s
}

// TestPointsBesideEverything: points by handles, which pass by the locks that all
// else takes, are neither lost nor shown in part while memory is flushed, series are
// made, dropped and deleted from, triggers and continuous queries come and go, and
// the store is closed in the midst of it.
func TestPointsBesideEverything(t *testing.T) {
	for _, policy := range []struct {
		name string
		sync SyncPolicy
	}{{"memory", SyncPolicy{}}, {"interval", SyncInterval(time.Second)}, {"buffered", AckBuffered(time.Second)}} {
		t.Run(policy.name, func(t *testing.T) { pointsBesideEverything(t, policy.name == "memory", policy.sync) })
	}
}

func pointsBesideEverything(t *testing.T, memory bool, policy SyncPolicy) {
	dir := t.TempDir()
	if memory {
		dir = ""
	}
	opts := func() *Options { return &Options{Sync: policy, Logger: openMemLogger()} }
	w := &pointsWorld{t: t, ctx: context.Background(), db: openDir(t, dir, opts())}
	const series, enough = 6, 3000
	w.done = make([]atomic.Int64, series)
	for i := range series {
		w.all = append(w.all, mustSeries[int64](t, w.db, w.path(i)))
		for k := range int64(40) {
			require.NoError(t, w.all[i].Insert(w.ctx, ns(k), k))
		}
		w.done[i].Store(39)
	}
	var writers, far sync.WaitGroup
	ended, end := context.WithCancel(w.ctx)
	defer end()
	far.Add(3)
	for g := range 3 {
		writers.Go(func() {
			left := sync.OnceFunc(far.Done)
			defer left()
			for at := int64(40); ; at++ {
				for i := g; i < series; i += 3 {
					err := w.all[i].Insert(w.ctx, ns(at), at)
					if errors.Is(err, ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					w.done[i].Store(at)
				}
				if at == enough {
					left()
				}
			}
		})
	}
	w.beside(func(n int) error { w.check(n % series); return nil })
	w.beside(func(int) error { return w.db.Flush(w.ctx) })
	w.beside(w.trigger)
	w.beside(func(n int) error { // not read by others
		p := fmt.Sprintf("root.x.s%d", n%3)
		s, err := SeriesOf[int64](w.db, p)
		for k := range int64(50) {
			if err == nil {
				err = s.Insert(w.ctx, ns(k), k)
			}
		}
		if err == nil && n%2 == 0 {
			err = w.db.Delete(w.ctx, p, ns(0), ns(20))
		}
		if err == nil {
			err = w.db.DropSeries(w.ctx, p)
		}
		w.db.Stats()
		return err
	})
	w.beside(func(n int) error {
		spec := w.counts(n % (series - 1))
		err := w.db.CreateContinuousQuery(w.ctx, spec)
		if err == nil && n%2 == 0 {
			if err = w.db.Quiesce(ended); errors.Is(err, context.Canceled) { // where points come faster than they are counted
				err = nil
			}
		}
		if err == nil {
			err = w.db.DropContinuousQuery(w.ctx, spec.Name)
		}
		return err
	})
	far.Wait()
	must(t, w.db.CreateContinuousQuery(w.ctx, w.counts(series-1)))
	w.stop.Store(true)
	end()
	w.wg.Wait()
	if memory {
		must(t, w.db.DropContinuousQuery(w.ctx, fmt.Sprint("c", series-1)))
		for i := range series {
			w.check(i)
		}
		must(t, w.db.Close())
		writers.Wait()
		return
	}
	must(t, w.db.Close())
	writers.Wait()
	w.db = openDir(t, dir, opts())
	require.Empty(t, w.db.Recovery().Damage)
	for i := range series {
		w.all[i] = mustSeries[int64](t, w.db, w.path(i))
		last := w.check(i) - 1
		require.LessOrEqual(t, last, w.done[i].Load()+1)
		if i == series-1 {
			require.NoError(t, w.db.Quiesce(w.ctx))
			w.counted(i, last)
		}
	}
}
