package iotsql_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// Results that are left before their end, and queries after them.

// taken are rows of a result as they come.
type taken struct {
	answer
	err error
}

func (a *taken) row(s *store, t *tickwell.Tablet, i int) {
	r := answered{device: t.Device, t: t.Times[i] / s.unit}
	for c := range t.Columns {
		v := t.Row(i).Value(c)
		if v.Kind() == tickwell.KindText {
			v = tickwell.TextValue(strings.Clone(v.Text()))
		}
		r.vals = append(r.vals, v)
	}
	a.rows = append(a.rows, r)
}

// read takes rows from an open result until there are n of them, and tells
// whether there are more.
func (a *taken) read(s *store, next func() (*tickwell.Tablet, error, bool), n int) bool {
	for len(a.rows) < n {
		t, err, ok := next()
		if !ok {
			return false
		}
		if err != nil {
			a.err = err
			return false
		}
		for i := range t.Times {
			a.row(s, t, i)
		}
	}
	return true
}

// begins says how what was taken differs from the first rows of all.
func (a *taken) begins(all *answer) string {
	if len(a.rows) > len(all.rows) {
		return fmt.Sprintf("%d rows, want %d", len(a.rows), len(all.rows))
	}
	return (&answer{rows: all.rows[:len(a.rows)]}).differs(&a.answer)
}

var leavings = []string{"tablets", "rows", "sql", "cancel", "canceled", "cancel inside", "panic", "written", "twice"}

// leave asks q and leaves its result in some way, then asks again.
func (s *store) leave(q *question, w *watched, refused map[string]int) {
	r := s.rng
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	query := q.query()
	res, err := s.db.Query(ctx, query)
	if err != nil {
		refused[err.Error()]++
		return
	}
	want := s.answer(q)
	if want == nil {
		return
	}
	kinds := make([]tickwell.Kind, len(res.Columns()))
	for i, c := range res.Columns() {
		kinds[i] = c.Kind
	}
	q.refill(want, kinds)
	want.heads = nil
	n := 0
	if len(want.rows) > 0 {
		n = r.IntN(len(want.rows) + 1)
	}
	how := pickOf(r, leavings...)
	text := fmt.Sprintf("%s\nleft: %s after %d of %d rows", q.sql(), how, n, len(want.rows))
	fail := func(format string, args ...any) {
		s.t.Helper()
		s.t.Fatalf("%s: %s", text, fmt.Sprintf(format, args...))
	}
	got := &taken{}
	again, close := true, func() {}
	switch how {
	case "tablets":
		for t, err := range res.Tablets() {
			s.check(err)
			for i := range t.Times {
				got.row(s, t, i)
			}
			if len(got.rows) >= n {
				break
			}
		}
	case "rows", "panic":
		func() {
			defer func() { _ = recover() }()
			for row, err := range res.Rows() {
				s.check(err)
				a := answered{t: row.UnixNano() / s.unit}
				for c := range row.Len() {
					a.vals = append(a.vals, row.Value(c))
				}
				if len(got.rows) >= n {
					if how == "panic" {
						panic("left")
					}
					break
				}
				for c, v := range a.vals {
					if v.Kind() == tickwell.KindText {
						a.vals[c] = tickwell.TextValue(strings.Clone(v.Text()))
					}
				}
				a.device = want.rows[len(got.rows)].device
				got.rows = append(got.rows, a)
			}
		}()
	case "sql":
		sql, err := s.conn.Exec(ctx, q.sql())
		s.check(err)
		for _, err := range sql.Rows() {
			s.check(err)
			if n--; n < 0 {
				break
			}
		}
	case "cancel", "canceled", "cancel inside":
		again = false
		if how == "canceled" {
			cancel()
		}
		if how == "cancel inside" && w != nil {
			w.mu.Lock()
			w.fail, w.calls, w.cancel = "cancel "+pickOf(r, "add", "result", "merge", "reset"), 1+r.IntN(20), cancel
			w.mu.Unlock()
		}
		next, stop := iter.Pull2(res.Tablets())
		if got.read(s, next, n) && how == "cancel" {
			cancel()
		}
		got.read(s, next, 1<<30)
		stop()
		if w != nil {
			w.mu.Lock()
			w.fail = ""
			w.mu.Unlock()
		}
		if got.err != nil && (!errors.Is(got.err, context.Canceled) || ctx.Err() == nil) {
			fail("%v", got.err)
		}
		if got.err == nil && len(got.rows) != len(want.rows) {
			fail("%d rows and no error", len(got.rows))
		}
	case "written", "twice":
		n = max(n, 1) // what is read is what there is when the first row is asked for
		next, stop := iter.Pull2(res.Tablets())
		got.read(s, next, n)
		if how == "written" {
			for range 1 + r.IntN(3) {
				pickOf(r, s.write, s.erase, func() { s.check(s.db.Flush(context.Background())) }, func() { s.check(s.db.Compact(context.Background())) })()
			}
			again = false
		} else {
			other := &taken{}
			next, stop := iter.Pull2(res.Tablets())
			other.read(s, next, r.IntN(n+1))
			if d := other.begins(want); d != "" || other.err != nil {
				fail("beside: %s %v", d, other.err)
			}
			close = stop
		}
		got.read(s, next, 1<<30)
		stop()
		close()
		if got.err != nil || len(got.rows) != len(want.rows) {
			fail("%d rows, %v", len(got.rows), got.err)
		}
	}
	if d := got.begins(want); d != "" {
		fail("%s\ngot:\n%v\nwant:\n%v", d, &got.answer, want)
	}
	if again {
		all, _, err := s.rowsOf(res, r.IntN(2) == 0)
		s.check(err)
		if d := want.differs(all); d != "" {
			fail("ranged over again: %s\ngot:\n%v\nwant:\n%v", d, all, want)
		}
	}
	s.try(q, refused)
	if w != nil {
		cancel()
		for end := time.Now().Add(10 * time.Second); !w.ended() && time.Now().Before(end); {
			runtime.Gosched() // who was left behind ends by itself
		}
		w.settled(s.t, text)
	}
}

func (w *watched) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.made == w.destroyed
}

// A result that is left, or whose context ends, gives the first rows of the answer,
// and what is asked after it gives all.
func TestResultsThatAreLeft(t *testing.T) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	refused := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, time.Nanosecond)
			s.wide = true
			var w *watched
			if s.rng.IntN(2) == 0 {
				w = s.folds()
			}
			s.tables = s.rng.IntN(3) == 0
			for i := range 60 {
				if i%20 == 19 {
					s.write()
				}
				q := s.question()
				if s.rng.IntN(5) == 0 {
					q = s.level()
				}
				s.leave(q, w, refused)
			}
		})
	}
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}
