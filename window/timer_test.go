package window

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// log collects what evaluators see, with the clock's time since start.
type eventLog struct {
	mu    sync.Mutex
	start time.Time
	lines []string
}

func (l *eventLog) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%v ", time.Since(l.start))+fmt.Sprintf(format, args...))
}

func (l *eventLog) check(t *testing.T, name string, want ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.lines, want) {
		t.Errorf("%s:\n got  %s\n want %s", name, strings.Join(l.lines, "\n      "), strings.Join(want, "\n      "))
	}
}

type timedFace struct {
	collect func(ts int64, v float64) (Outcome, error)
	close   func() error
}

// timedFaces are the faces that windows may be given by a clock, alike to the
// test.
func timedFaces(s Spec, o Options[float64], l *eventLog) map[string]timedFace {
	ev := func(start, end int64, n int, why Reason, rev int, final bool) {
		l.add("[%v,%v) %d rows %v rev %d final %t", time.Duration(start), time.Duration(end), n, why, rev, final)
	}
	h := must(New(s, func(w Window[float64]) error {
		ev(w.Start(), w.End(), w.Len(), w.Reason(), w.Revision(), w.Final())
		return nil
	}, &o))
	r := must(Reduce(s, Tally[float64]{}, func(r Result[int64]) error {
		ev(r.Start, r.End, int(r.Value), r.Reason, r.Revision, r.Final)
		return nil
	}, &o))
	k := must(Keyed(s, func(_ string, w Window[float64]) error {
		ev(w.Start(), w.End(), w.Len(), w.Reason(), w.Revision(), w.Final())
		return nil
	}, &o, KeyOptions{}))
	kr := must(ReduceKeyed(s, Tally[float64]{}, func(r KeyResult[string, int64]) error {
		ev(r.Start, r.End, int(r.Value), r.Reason, r.Revision, r.Final)
		return nil
	}, &o, KeyOptions{}))
	return map[string]timedFace{
		"rows":       {h.Collect, h.Close},
		"fold":       {r.Collect, r.Close},
		"keyed rows": {func(ts int64, v float64) (Outcome, error) { return k.Collect("k", ts, v) }, k.Close},
		"keyed fold": {func(ts int64, v float64) (Outcome, error) { return kr.Collect("k", ts, v) }, kr.Close},
	}
}

func forTimedFaces(t *testing.T, s Spec, o Options[float64], f func(t *testing.T, name string, c timedFace, l *eventLog)) {
	t.Helper()
	for _, name := range []string{"rows", "fold", "keyed rows", "keyed fold"} {
		synctest.Test(t, func(t *testing.T) {
			l := &eventLog{start: time.Now()}
			faces := timedFaces(s, o, l)
			f(t, name, faces[name], l)
			for _, c := range faces {
				if err := c.close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

const sec = int64(time.Second)

// A silent source: the window closes when the clock has gone past its end.
func TestIdle(t *testing.T) {
	forTimedFaces(t, Tumbling(10*time.Second), Options[float64]{IdleAfter: 2 * time.Second}, func(t *testing.T, name string, c timedFace, l *eventLog) {
		c.collect(1*sec, 1)
		time.Sleep(time.Second)
		c.collect(3*sec, 1) // clock 1 s: time 3 s; 10 s is 7 s later
		time.Sleep(20 * time.Second)
		l.check(t, name, "8s [0s,10s) 2 rows idle rev 0 final true")
		if out, err := c.collect(9*sec, 1); out != Late || err != nil {
			t.Errorf("%s: a row of the closed window: %v, %v", name, out, err)
		}
		c.collect(30*sec, 1)
		c.collect(40*sec, 1) // closes by itself
		l.check(t, name, "8s [0s,10s) 2 rows idle rev 0 final true", "21s [30s,40s) 1 rows closed rev 0 final true")
	})
}

// Idleness shorter than IdleAfter does nothing, and lateness delays the end.
func TestIdleLateness(t *testing.T) {
	forTimedFaces(t, Tumbling(2*time.Second), Options[float64]{IdleAfter: 5 * time.Second, Lateness: time.Second}, func(t *testing.T, name string, c timedFace, l *eventLog) {
		c.collect(1*sec, 1)
		time.Sleep(4900 * time.Millisecond)
		l.check(t, name)
		time.Sleep(200 * time.Millisecond)
		l.check(t, name, "5s [0s,2s) 1 rows idle rev 0 final true")
	})
}

func TestIdleSession(t *testing.T) {
	forTimedFaces(t, Gap(30*time.Second), Options[float64]{IdleAfter: 10 * time.Second}, func(t *testing.T, name string, c timedFace, l *eventLog) {
		c.collect(1*sec, 1)
		c.collect(2*sec, 1)
		time.Sleep(time.Minute)
		l.check(t, name, "30.000000001s [1s,2s) 2 rows idle rev 0 final true")
	})
}

func TestEarly(t *testing.T) {
	forTimedFaces(t, Tumbling(10*time.Second), Options[float64]{Emit: Early, EmitDelay: 3 * time.Second}, func(t *testing.T, name string, c timedFace, l *eventLog) {
		c.collect(1*sec, 1)
		time.Sleep(2 * time.Second)
		c.collect(2*sec, 1)
		time.Sleep(10 * time.Second)
		c.collect(9*sec, 1)
		c.collect(10*sec, 1)
		l.check(t, name, "3s [0s,10s) 2 rows updated rev 0 final false", "12s [0s,10s) 3 rows closed rev 1 final true")
	})
}

func TestPeriodic(t *testing.T) {
	forTimedFaces(t, Sliding(10*time.Second, 5*time.Second), Options[float64]{Emit: Periodic, EmitDelay: 2 * time.Second}, func(t *testing.T, name string, c timedFace, l *eventLog) {
		c.collect(6*sec, 1) // in [0,10) and [5,15)
		time.Sleep(5 * time.Second)
		c.collect(12*sec, 1) // closes [0,10); in [5,15) and [10,20)
		time.Sleep(10 * time.Second)
		l.check(t, name,
			"2s [0s,10s) 1 rows updated rev 0 final false",
			"2s [5s,15s) 1 rows updated rev 0 final false",
			"5s [0s,10s) 1 rows closed rev 1 final true",
			"7s [5s,15s) 2 rows updated rev 1 final false",
			"7s [10s,20s) 1 rows updated rev 0 final false") // and nothing while nothing changes
	})
}

func TestPeriodicCountAndState(t *testing.T) {
	for _, s := range []Spec{Count(3), Within("v", 0.5), Gap(time.Hour)} {
		forTimedFaces(t, s, Options[float64]{Emit: Periodic, EmitDelay: time.Second}, func(t *testing.T, name string, c timedFace, l *eventLog) {
			c.collect(1*sec, 7)
			c.collect(2*sec, 7)
			time.Sleep(5 * time.Second)
			l.check(t, name, "1s [1s,2s) 2 rows updated rev 0 final false")
		})
	}
}

// With empty windows wanted, silence gives them too, up to the cap.
func TestIdleEmpty(t *testing.T) {
	forTimedFaces(t, Tumbling(time.Second), Options[float64]{IdleAfter: time.Second, Empty: true, EmptyCap: 2}, func(t *testing.T, name string, c timedFace, l *eventLog) {
		c.collect(0, 1)
		time.Sleep(10 * time.Second)
		l.check(t, name,
			"1s [0s,1s) 1 rows idle rev 0 final true",
			"2s [1s,2s) 0 rows idle rev 0 final true",
			"3s [2s,3s) 0 rows idle rev 0 final true")
	})
}

// An evaluator run by the timer may call its handler; a panic in it is told to
// OnError.
func TestTimerTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs []error
		var h *Handler[int64]
		n := 0
		h = must(New(Tumbling(time.Second), func(w Window[int64]) error {
			if n++; n == 1 {
				if out, err := h.Collect(5*sec, 1); out != Accepted || err != nil {
					t.Errorf("Collect inside: %v, %v", out, err)
				}
				panic("first")
			}
			return nil
		}, &Options[int64]{IdleAfter: time.Second, OnError: func(err error) { errs = append(errs, err) }}))
		h.Collect(0, 1)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var pe *PanicError
		if n != 2 || len(errs) != 1 || !errors.As(errs[0], &pe) {
			t.Errorf("%d evaluations, errors %v; want 2 and the panic", n, errs)
		}
		h.Close()
	})
}

// Collect from several goroutines at once, with a pool and a timer about.
func TestShared(t *testing.T) {
	p := NewPool(PoolOptions{Workers: 2})
	defer p.Close()
	rows := 0
	h := must(New(Tumbling(100), func(w Window[int64]) error { rows += w.Len(); return nil },
		&Options[int64]{Shared: true, Lateness: time.Hour, Pool: p, Rejection: RejectWait}))
	var wg sync.WaitGroup
	for g := range int64(4) {
		wg.Go(func() {
			for i := range int64(1000) {
				if out, err := h.Collect(i*4+g, 1); out != Accepted || err != nil {
					t.Errorf("%v, %v", out, err)
				}
			}
		})
	}
	wg.Wait()
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Close()
	if rows != 4000 {
		t.Errorf("got %d rows, want 4000", rows)
	}
}

func TestMaxFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := must(New(Tumbling(time.Second), func(Window[int64]) error { return nil }, &Options[int64]{MaxFuture: time.Minute}))
		now := time.Now().UnixNano()
		for _, c := range []struct {
			ts   int64
			want Outcome
		}{{now, Accepted}, {now + 60*sec, Accepted}, {now + 61*sec, Future}, {now + 60*sec, Accepted}} {
			if out, err := h.Collect(c.ts, 1); out != c.want || err != nil {
				t.Errorf("%v ahead: got %v, %v, want %v", time.Duration(c.ts-now), out, err, c.want)
			}
		}
		if s := h.Stats(); s.Future != 1 || s.Accepted != 3 {
			t.Errorf("got %+v", s)
		}
	})
}
