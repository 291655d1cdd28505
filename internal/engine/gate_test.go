package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// pointStore is a store with series that take points by the short way.
func pointStore(t *testing.T, cfg Config, devices ...string) (*Engine, []*Shape) {
	e := open(t, cfg)
	var shapes []*Shape
	for _, dev := range devices {
		s, err := e.Shape(dev, []string{"s"}, []column.Kind{column.Int64})
		require.NoError(t, err)
		for i := range int64(40) { // beyond where rows begin to wait
			tb := Tablet{Shape: s, Times: []int64{i}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{i}}}}
			_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
			require.NoError(t, err)
		}
		shapes = append(shapes, s)
	}
	return e, shapes
}

func gateConfigs() map[string]func() Config {
	return map[string]func() Config{
		"memory": memConfig,
		"log":    func() Config { return diskConfig(vfs.NewMem()) },
		"buffer": func() Config { return bufferedConfig(vfs.NewMem()) },
	}
}

// Points go by the gate; what the test is about must not be the long way.
func TestPointsPassTheGate(t *testing.T) {
	for name, cfg := range gateConfigs() {
		t.Run(name, func(t *testing.T) {
			e, shapes := pointStore(t, cfg(), "d")
			e.gate.RLock() // as a commit: others may
			stored, err := e.AppendPoint(bg, shapes[0], 100, 7, 0)
			e.gate.RUnlock()
			require.True(t, stored)
			require.NoError(t, err)
			require.EqualValues(t, used, e.passing.Load())
			require.Equal(t, int64(41), e.Stats().Points)
			e.SetTerms(0, func(last uint64) { require.Equal(t, e.lastLSN(), last) })
			require.EqualValues(t, unused, e.passing.Load())
		})
	}
}

// Who has the gate alone waits for a point that is under way, and points that come
// meanwhile wait for it, or take the long way.
func TestAloneWaitsForPoints(t *testing.T) {
	e, shapes := pointStore(t, memConfig(), "d", "e")
	d := shapes[1].mem.Load()
	d.Lock()
	require.True(t, e.mayPass()) // a point is under way
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Watch(true)
	}()
	shutOrDone := func() bool {
		select {
		case <-done:
			t.Error("the gate was taken alone with a point under way")
			return true
		default:
			return e.passing.Load() == shut
		}
	}
	for !shutOrDone() {
		runtime.Gosched()
	}
	for range 1000 {
		runtime.Gosched()
	}
	if !t.Failed() && (!shutOrDone() || e.mayPass()) {
		t.Error("a second point passes by the gate")
	}
	d.Unlock()
	<-done
	for _, s := range shapes {
		stored, err := e.AppendPoint(bg, s, 1000, 1, 0)
		require.NoError(t, err)
		require.False(t, stored, "watched")
	}
	e.Watch(false)
	stored, err := e.AppendPoint(bg, shapes[0], 1000, 1, 0)
	require.True(t, stored && err == nil)
}

// A snapshot shows the same whenever it is read, whole: what was stored before
// something that it shows, and everything up to its position. Points that are
// refused leave nothing, and none is lost when the table is exchanged, when terms
// change or when other series are dropped meanwhile.
func TestPointsAndSnapshots(t *testing.T) {
	for name, cfg := range gateConfigs() {
		t.Run(name, func(t *testing.T) {
			e, shapes := pointStore(t, cfg(), "a", "b", "c")
			var stop atomic.Bool
			var writers, others sync.WaitGroup
			var stored [2]atomic.Int64 // last time stored in a pair of series
			stored[0].Store(39)
			stored[1].Store(39)
			writers.Go(func() { // b never has what a does not have
				for at := int64(40); at < 6000; at++ {
					for i, s := range shapes[:2] {
						ok, err := e.AppendPoint(bg, s, at, uint64(at), 0)
						if err == nil && !ok {
							tb := Tablet{Shape: s, Times: []int64{at}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{at}}}}
							_, err = e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
						}
						if err != nil {
							t.Error(err)
							return
						}
						stored[i].Store(at)
					}
				}
			})
			last := func(s *Snapshot, i int) int64 {
				c := s.Cursor(shapes[i].Series()[0], 0, 1<<40)
				defer c.Close()
				n := int64(0)
				for c.Next() {
					for k, at := range c.Times() {
						if at != n || c.Values().Int64s[k] != n {
							t.Errorf("point %d of series %d is (%d, %d)", n, i, at, c.Values().Int64s[k])
							return -1
						}
						n++
					}
				}
				if err := c.Err(); err != nil {
					t.Error(err)
				}
				return n - 1
			}
			background := func(f func()) {
				others.Go(func() {
					for !stop.Load() {
						f()
						runtime.Gosched()
					}
				})
			}
			background(func() {
				before := [2]int64{stored[0].Load(), stored[1].Load()}
				s := e.Snapshot()
				defer s.Release()
				b, a := last(s, 1), last(s, 0)
				if a < b || a < before[0] || b < before[1] {
					t.Errorf("a snapshot shows %d of a, %d of b; %v were stored before it", a, b, before)
				}
				for range 3 {
					if a2, b2 := last(s, 0), last(s, 1); a2 != a || b2 != b {
						t.Errorf("a snapshot shows %d, %d, then %d, %d", a, b, a2, b2)
					}
				}
			})
			background(func() { e.SetTerms(0, func(uint64) {}) })
			background(func() {
				s, err := e.Shape("x", []string{"s"}, []column.Kind{column.Int64})
				if err == nil {
					_, err = e.Commit(bg, &Batch{Drops: []*Series{s.Series()[0]}}, false)
				}
				if err != nil {
					t.Error(err)
				}
			})
			if e.log != nil {
				background(func() {
					if err := e.Flush(bg); err != nil {
						t.Error(err)
					}
				})
			}
			background(func() {
				if ok, err := e.AppendPoint(bg, shapes[2], 100+e.Stats().Points, 1, 0); err != nil {
					t.Error(ok, err)
				}
			})
			background(func() { // after Watch there is no point until it is told otherwise
				e.Watch(true)
				defer e.Watch(false)
				n := e.lastOf(shapes[2])
				runtime.Gosched()
				if m := e.lastOf(shapes[2]); n != m {
					t.Errorf("a point of %d was stored while rows were watched", m)
				}
			})
			writers.Wait()
			stop.Store(true)
			others.Wait()
			s := e.Snapshot()
			defer s.Release()
			require.Equal(t, [2]int64{5999, 5999}, [2]int64{last(s, 0), last(s, 1)})
		})
	}
}

// lastOf returns the time of the last point of a shape's only series.
func (e *Engine) lastOf(shape *Shape) int64 {
	s := e.Snapshot()
	defer s.Release()
	p, _, _ := s.Last(shape.Series()[0])
	return p.Time
}
