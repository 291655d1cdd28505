package iotsql_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// moment is what was asked while a writer was at work, between two of its steps.
type moment struct {
	q        *question
	got      *answer
	kinds    []tickwell.Kind
	err      error
	last     map[string]point // of DB.Last; q is nil
	from, to int64            // steps that were surely done, and begun
}

// steps is what a store held after each step of its writer.
type steps struct {
	*store
	states      []map[string]cells
	begun, done atomic.Int64
}

func (w *steps) keep() {
	now := map[string]cells{}
	for p, c := range w.points {
		now[p] = maps.Clone(c)
	}
	w.states = append(w.states, now)
}

// row makes a row of a device and notes it.
func (w *steps) row(dev string, at int64) *tickwell.Tablet {
	tab := &tickwell.Tablet{Device: dev}
	var fields []tickwell.Field
	for _, n := range slices.Sorted(maps.Keys(kindsOf)) {
		if len(w.states) == 0 || n != "t" && (n != "x" || w.rng.IntN(3) > 0) { // all series are there from the start
			fields = append(fields, tickwell.Field{Name: n, Value: w.value(kindsOf[n])})
			p := dev + "." + n
			if w.points[p] == nil {
				w.points[p] = cells{}
			}
			w.points[p][at] = fields[len(fields)-1].Value
		}
	}
	w.check(tab.Append(w.at(at), fields...))
	return tab
}

func (w *steps) step(newest *int64) {
	ctx := context.Background()
	r := w.rng
	next := *newest + 1 + r.Int64N(3)
	at := next
	if r.IntN(4) == 0 {
		at = w.base + r.Int64N(w.span)
	} else {
		*newest = next
	}
	switch op := r.IntN(16); {
	case op < 5: // all devices at once
		var all []*tickwell.Tablet
		for _, d := range devices {
			all = append(all, w.row(d, at))
		}
		w.check(w.db.InsertTablets(ctx, all...))
	case op < 9:
		tab := w.row(pickOf(r, devices...), at)
		var fields []tickwell.Field
		for _, c := range tab.Columns {
			fields = append(fields, tickwell.Field{Name: c.Name, Value: c.Data.Value(0)})
		}
		w.check(w.db.Insert(ctx, tab.Device, w.at(at), fields...))
	case op < 12:
		w.write()
	case op == 12:
		w.erase()
	case op == 13:
		w.check(w.db.Flush(ctx))
	case op == 14:
		w.check(w.db.Compact(ctx))
	default: // a point of one series
		p := deviceOf(w.series[0]) + ".d"
		v := w.value(tickwell.KindFloat64)
		w.check(w.db.Insert(ctx, deviceOf(p), w.at(at), tickwell.Field{Name: "d", Value: v}))
		w.points[p][at] = v
	}
}

func (w *steps) ask(q *question, query tickwell.Query) (*moment, error) {
	m := &moment{q: q, from: w.done.Load()}
	if q == nil {
		all, err := w.db.Last(context.Background(), "root.**")
		m.to, m.last = w.begun.Load(), map[string]point{}
		for _, p := range all {
			m.last[p.Device+"."+p.Name] = point{p.Time.UnixNano() / w.unit, p.Value}
		}
		return m, err
	}
	res, err := w.db.Query(context.Background(), query)
	if err == nil {
		m.got, m.kinds, m.err = w.rowsOf(res, true)
	}
	m.to = w.begun.Load()
	return m, err
}

// fits reports whether what was answered is what the store held at one moment.
func (w *steps) fits(m *moment) (why string) {
	for n := m.from; n <= m.to; n++ {
		w.points = w.states[n]
		if m.q == nil {
			want := map[string]point{}
			for p, c := range w.points {
				for t, v := range c {
					if l, ok := want[p]; !ok || t > l.t {
						want[p] = point{t, v}
					}
				}
			}
			if maps.EqualFunc(want, m.last, func(a, b point) bool { return a.t == b.t && a.v.Equal(b.v) }) {
				return ""
			}
			why = fmt.Sprintf("last: %v, want %v", m.last, want)
			continue
		}
		want := w.answer(m.q)
		switch {
		case want == nil: // of which LIMIT may have left out the row that has no value
			return ""
		case m.err != nil:
			why = fmt.Sprintf("%s\n%v", m.q.sql(), m.err)
			continue
		}
		m.q.refill(want, m.kinds)
		d := want.differs(m.got)
		if d == "" {
			return ""
		}
		why = fmt.Sprintf("%s\n%s\ngot:\n%v\nwant:\n%v", m.q.sql(), d, m.got, want)
	}
	return fmt.Sprintf("of steps %d to %d: %s", m.from, m.to, why)
}

// A result that is read beside a writer, by several who ask the same, is what the
// store held at one moment.
func TestQueriesOfOneMoment(t *testing.T) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 3)
	}
	for seed := first; seed < first+(seeds+1)/2; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			w := &steps{store: newStore(t, seed, time.Nanosecond)}
			for _, d := range devices {
				for range 4 {
					w.check(w.db.InsertTablet(context.Background(), w.row(d, w.base+w.rng.Int64N(w.span))))
				}
			}
			w.list()
			w.tables = w.rng.IntN(4) == 0
			type asked struct {
				q     *question
				query tickwell.Query
			}
			all := []asked{{}}
			for len(all) < 9 {
				q := w.question()
				if res, err := w.db.Query(context.Background(), q.query()); err == nil {
					if _, _, err := w.rowsOf(res, true); err == nil {
						all = append(all, asked{q, q.query()})
					}
				}
			}
			w.keep()
			var wg sync.WaitGroup
			found := make([][]*moment, 2)
			stop := make(chan struct{})
			for i := range found {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(i)))
					for {
						select {
						case <-stop:
							return
						default:
						}
						a := all[r.IntN(len(all))]
						m, err := w.ask(a.q, a.query)
						if err != nil {
							t.Error(err)
							return
						}
						found[i] = append(found[i], m)
					}
				})
			}
			newest := w.base + w.span
			for n := range int64(60) {
				w.begun.Store(n + 1)
				w.step(&newest)
				w.done.Store(n + 1)
				w.keep()
			}
			close(stop)
			wg.Wait()
			for _, m := range slices.Concat(found...) {
				if why := w.fits(m); why != "" {
					t.Fatal(why)
				}
			}
		})
	}
}
