package clock

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestSystemAfterFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := System()
		began, done := c.Now(), make(chan struct{})
		c.AfterFunc(3*time.Second, func() { close(done) })
		<-done
		if got := c.Now().Sub(began); got != 3*time.Second {
			t.Errorf("called after %v of wall time, want 3s", got)
		}
		if got := c.Mono(); got != 3*time.Second {
			t.Errorf("called after %v of Mono, want 3s", got)
		}
	})
}

func TestSystemStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := System()
		called := false
		stop := c.AfterFunc(time.Second, func() { called = true })
		if !stop() {
			t.Error("stop before the time: false, want true")
		}
		if stop() {
			t.Error("second stop: true, want false")
		}
		done := make(chan struct{})
		late := c.AfterFunc(2*time.Second, func() { close(done) })
		<-done
		if called {
			t.Error("the stopped call happened")
		}
		if late() {
			t.Error("stop after the call: true, want false")
		}
	})
}

// record notes calls as "name mono wall".
type record struct {
	c     *Fake
	lines []string
}

func (r *record) at(name string) func() {
	return func() {
		r.lines = append(r.lines, fmt.Sprint(name, " ", r.c.Mono(), " ", r.c.Now().Sub(start)))
	}
}

func (r *record) want(t *testing.T, want ...string) {
	t.Helper()
	if len(r.lines)+len(want) > 0 && !reflect.DeepEqual(r.lines, want) {
		t.Errorf("calls %q, want %q", r.lines, want)
	}
	r.lines = nil
}

func newFake() (*Fake, *record) {
	c := NewFake(start)
	return c, &record{c: c}
}

func TestFakeStandsStill(t *testing.T) {
	c, _ := newFake()
	if !c.Now().Equal(start) || c.Mono() != 0 {
		t.Fatalf("new clock at %v, %v; want %v, 0", c.Now(), c.Mono(), start)
	}
	c.Advance(90 * time.Second)
	if got := c.Now().Sub(start); got != 90*time.Second || c.Mono() != 90*time.Second {
		t.Fatalf("advanced by %v, %v; want 1m30s twice", got, c.Mono())
	}
	c.Advance(-time.Hour)
	if c.Mono() != 90*time.Second {
		t.Fatalf("a negative Advance moved Mono to %v", c.Mono())
	}
}

func TestFakeOrder(t *testing.T) {
	c, r := newFake()
	c.AfterFunc(3*time.Second, r.at("c"))
	c.AfterFunc(time.Second, r.at("a"))
	c.AfterFunc(3*time.Second, r.at("d"))
	c.AfterFunc(2*time.Second, r.at("b"))
	c.AfterFunc(9*time.Second, r.at("late"))
	c.Advance(time.Second - 1)
	r.want(t)
	c.Advance(1)
	r.want(t, "a 1s 1s")
	c.Advance(4 * time.Second)
	r.want(t, "b 2s 2s", "c 3s 3s", "d 3s 3s")
	if c.Mono() != 5*time.Second || c.Timers() != 1 {
		t.Errorf("at %v with %d timers, want 5s and 1", c.Mono(), c.Timers())
	}
}

func TestFakeNestedTimers(t *testing.T) {
	c, r := newFake()
	var tick func()
	tick = func() { r.at("tick")(); c.AfterFunc(2*time.Second, tick) }
	c.AfterFunc(time.Second, tick)
	c.Advance(6 * time.Second)
	r.want(t, "tick 1s 1s", "tick 3s 3s", "tick 5s 5s")
	c.Advance(time.Second)
	r.want(t, "tick 7s 7s")
}

func TestFakeDueAtOnce(t *testing.T) {
	c, r := newFake()
	c.AfterFunc(0, r.at("zero"))
	c.AfterFunc(-time.Second, r.at("past"))
	r.want(t)
	c.Advance(0)
	r.want(t, "zero 0s 0s", "past 0s 0s")
	c.Advance(0)
	r.want(t)
}

func TestFakeStop(t *testing.T) {
	c, r := newFake()
	a := c.AfterFunc(time.Second, r.at("a"))
	b := c.AfterFunc(time.Second, r.at("b"))
	if !a() || a() {
		t.Error("stop of a waiting call must be true once")
	}
	if c.Timers() != 1 {
		t.Errorf("%d timers, want 1", c.Timers())
	}
	c.Advance(time.Second)
	r.want(t, "b 1s 1s")
	if b() {
		t.Error("stop after the call: true, want false")
	}
	var inner func() bool
	c.AfterFunc(time.Second, func() { inner() })
	inner = c.AfterFunc(time.Second, r.at("stopped by the first"))
	c.Advance(time.Second)
	r.want(t)
}

func TestFakeWallJumps(t *testing.T) {
	c, r := newFake()
	c.AfterFunc(2*time.Second, r.at("a"))
	c.Advance(time.Second)
	c.Set(start.Add(-time.Hour))
	if c.Mono() != time.Second {
		t.Errorf("Set moved Mono to %v", c.Mono())
	}
	if got := c.Now().Sub(start); got != -time.Hour {
		t.Errorf("wall time %v from start, want -1h", got)
	}
	r.want(t)
	c.Advance(time.Second)
	r.want(t, "a 2s -59m59s")
	c.Set(start.Add(1000 * time.Hour))
	r.want(t)
}

func TestFakeConcurrentUse(t *testing.T) {
	c := NewFake(start)
	var wg sync.WaitGroup
	var mu sync.Mutex
	calls := 0
	for range 4 {
		wg.Go(func() {
			for range 100 {
				c.AfterFunc(time.Millisecond, func() { mu.Lock(); calls++; mu.Unlock() })
				c.Advance(time.Millisecond)
				c.Now()
				c.Mono()
			}
		})
	}
	wg.Wait()
	c.Advance(time.Millisecond)
	if calls != 400 || c.Timers() != 0 {
		t.Errorf("%d calls, %d timers left; want 400 and 0", calls, c.Timers())
	}
	if c.Mono() > 401*time.Millisecond {
		t.Errorf("Mono %v, want at most 401ms", c.Mono())
	}
}

// The wall clock stands still while monotonic time goes on, also for timers.
func TestFakeAdvanceMono(t *testing.T) {
	c := NewFake(time.Unix(50, 0))
	var at []time.Time
	c.AfterFunc(time.Second, func() { at = append(at, c.Now()) })
	c.AdvanceMono(time.Minute)
	if len(at) != 1 || !at[0].Equal(time.Unix(50, 0)) || c.Mono() != time.Minute {
		t.Errorf("fired at %v after %v, want once at 50 s, after a minute", at, c.Mono())
	}
	c.Advance(time.Second)
	if !c.Now().Equal(time.Unix(51, 0)) {
		t.Errorf("the wall clock says %v, want 51 s", c.Now())
	}
}
