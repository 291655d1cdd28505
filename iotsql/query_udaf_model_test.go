package iotsql_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// Aggregates of a user, in the reference of queries: they tell which rows they saw.
// Those whose names end in _m can be merged.

// userAggs gives what an aggregate makes of the rows of a group, one of each series
// of a level after the other.
var userAggs = map[string]func(rows []inRow) value{
	"fold_rows": foldRows, "fold_rows_m": foldRows, "fold_size": foldSize, "fold_size_m": foldSize,
}

func init() {
	for name := range userAggs {
		aggregates[name] = true
	}
}

func foldRows(rows []inRow) value {
	if len(rows) == 0 {
		return null
	}
	s := ""
	for _, r := range rows {
		s += fmt.Sprint(r.t, "=", printed(r.vals), ";")
	}
	return tickwell.TextValue(s)
}

func foldSize(rows []inRow) value {
	if len(rows)%4 == 3 {
		return null
	}
	return tickwell.Int64Value(int64(len(rows)))
}

// inRows are the rows of a group that an aggregate of a user sees: those in which
// one of its inputs that is no constant is not null.
func (t *tree) inRows(r *row) (all []inRow) {
	for i := range r.group {
		in := inRow{t: r.group[i].t}
		any := false
		for _, a := range t.args {
			v := a.eval(&r.group[i])
			in.vals = append(in.vals, v)
			any = any || !v.IsNull() && !a.constant()
		}
		if any {
			all = append(all, in)
		}
	}
	return all
}

// constant reports whether t reads nothing.
func (t *tree) constant() bool {
	is := true
	t.walk(func(x *tree) { is = is && x.op != "col" && x.op != "time" })
	return is
}

// watched is what the aggregates of a store did.
type watched struct {
	mu        sync.Mutex
	made      int
	destroyed int
	wrong     []string
	fail      string // where one of them fails, and how: panic add 3
	calls     int    // until it does
	failed    int
	cancel    func() // what fail does if it is cancel
}

func (w *watched) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

var errFold = errors.New("no luck")

// hook fails if it is to.
func (w *watched) hook(name string) error {
	w.mu.Lock()
	how, where, _ := strings.Cut(w.fail, " ")
	if where != name {
		w.mu.Unlock()
		return nil
	}
	w.calls--
	now := w.calls == 0
	if now {
		w.failed++
	}
	w.mu.Unlock()
	switch {
	case !now:
		return nil
	case how == "panic":
		panic("no luck")
	case how == "cancel":
		w.cancel()
		return nil
	}
	return errFold
}

// fold is an aggregate of a user that looks whether it is called as it should be.
type fold struct {
	watch *watched
	size  bool
	unit  int64
	state string // new, started, open, destroyed
	busy  sync.Mutex
	rows  []inRow
	last  int64
	own   int // rows since Reset that were added, not merged
}

func (f *fold) in(method string, states ...string) func() {
	if !f.busy.TryLock() {
		f.watch.note("%s beside another call", method)
		return func() {}
	}
	if !slices.Contains(states, f.state) {
		f.watch.note("%s of one that is %s", method, f.state)
	}
	return f.busy.Unlock
}

func (f *fold) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	defer f.in("BeforeStart", "new")()
	f.state, f.unit = "started", int64(in.Unit)
	if err := f.watch.hook("start"); err != nil {
		return 0, err
	}
	if f.size {
		return tickwell.KindInt64, nil
	}
	return tickwell.KindText, nil
}

func (f *fold) Reset() {
	defer f.in("Reset", "started", "open")()
	_ = f.watch.hook("reset")
	f.state, f.rows, f.own = "open", nil, 0
}

func (f *fold) Add(row tickwell.Row) error {
	defer f.in("Add", "open")()
	if err := f.watch.hook("add"); err != nil {
		return err
	}
	r := inRow{t: row.UnixNano() / f.unit}
	for c := range row.Len() {
		v := row.Value(c)
		if v.Kind() == tickwell.KindText {
			v = tickwell.TextValue(strings.Clone(v.Text()))
		}
		r.vals = append(r.vals, v)
	}
	if f.own > 0 && r.t <= f.last {
		f.watch.note("a row at %d after one at %d", r.t, f.last)
	}
	f.own, f.last = f.own+1, r.t
	f.rows = append(f.rows, r)
	return nil
}

func (f *fold) Result() (value, error) {
	defer f.in("Result", "open")()
	if err := f.watch.hook("result"); err != nil {
		return null, err
	}
	if f.size {
		return foldSize(f.rows), nil
	}
	return foldRows(f.rows), nil
}

func (f *fold) BeforeDestroy() {
	defer f.in("BeforeDestroy", "new", "started", "open")()
	f.state = "destroyed"
	f.watch.mu.Lock()
	f.watch.destroyed++
	f.watch.mu.Unlock()
	_ = f.watch.hook("destroy")
}

// merging is a fold that can be merged.
type merging struct{ fold }

func (f *merging) Merge(other tickwell.UDAF) error {
	defer f.in("Merge", "open")()
	o := other.(*merging)
	if o == f {
		f.watch.note("Merge with itself")
		return nil
	}
	defer o.in("Merge of another", "open")()
	if err := f.watch.hook("merge"); err != nil {
		return err
	}
	f.rows = slices.Concat(f.rows, o.rows)
	return nil
}

func foldSpecs(w *watched) (all []tickwell.FunctionSpec) {
	for _, name := range slices.Sorted(maps.Keys(userAggs)) {
		all = append(all, tickwell.FunctionSpec{Name: name, UDAF: func() tickwell.UDAF {
			w.mu.Lock()
			w.made++
			w.mu.Unlock()
			if strings.HasSuffix(name, "_m") {
				m := &merging{}
				m.watch, m.size, m.state = w, strings.Contains(name, "size"), "new"
				return m
			}
			return &fold{watch: w, size: strings.Contains(name, "size"), state: "new"}
		}})
	}
	return all
}

// userAgg is a call of an aggregate of a user.
func (s *store) userAgg(names ...string) *tree {
	r := s.rng
	arg := func() *tree {
		switch r.IntN(6) {
		case 0:
			return s.text(1)
		case 1:
			return s.truth(1)
		case 2:
			return s.num(1)
		}
		return col(pickOf(r, slices.Sorted(maps.Keys(kindsOf))...))
	}
	e := call(pickOf(r, names...), arg())
	for r.IntN(3) == 0 && len(e.args) < 3 {
		e.args = append(e.args, arg())
	}
	if r.IntN(8) == 0 {
		e.args = append(e.args, lit(tickwell.Int32Value(5)))
	}
	if e.constant() {
		return s.userAgg(names...)
	}
	return e
}

// settled looks what aggregates did since the last time.
func (w *watched) settled(t *testing.T, text string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.made != w.destroyed {
		t.Fatalf("%s\n%d aggregates were made, %d ended", text, w.made, w.destroyed)
	}
	if len(w.wrong) > 0 {
		t.Fatalf("%s\n%s", text, strings.Join(w.wrong, "\n"))
	}
}

// folds lets the questions of a store call aggregates of a user.
func (s *store) folds() *watched {
	w := &watched{}
	for _, spec := range foldSpecs(w) {
		s.check(s.db.RegisterUDAF(context.Background(), spec.Name, spec.UDAF))
	}
	w.made, s.users = 0, true
	return w
}

// Aggregates of a user see the rows that the reference says, and end.
func TestUserAggregatesAgainstReference(t *testing.T) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	refused := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, pickOf(newRand(seed, 5), time.Nanosecond, time.Microsecond))
			s.wide = true
			w := s.folds()
			s.tables = s.rng.IntN(3) == 0
			for i := range 50 {
				if i%20 == 19 {
					s.write()
				}
				q := s.question()
				if s.rng.IntN(3) == 0 {
					q = s.level()
				}
				s.try(q, refused)
				w.settled(t, q.sql())
			}
		})
	}
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}

// One of them that fails ends the query with its error, and nothing else: the query
// before and after gives what it should.
func TestUserAggregatesThatFail(t *testing.T) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	failed := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, time.Nanosecond)
			s.wide = true
			w := s.folds()
			s.tables = s.rng.IntN(3) == 0
			refused := map[string]int{}
			for range 40 {
				q := s.question()
				if s.rng.IntN(3) == 0 {
					q = s.level()
				}
				uses := false
				for _, e := range slices.Concat(q.sel, q.order, []*tree{q.having}) {
					if e != nil {
						e.walk(func(x *tree) { uses = uses || userAggs[x.name] != nil })
					}
				}
				if !uses {
					continue
				}
				s.failing(q, w, failed)
				s.try(q, refused)
				w.settled(t, q.sql())
			}
		})
	}
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(failed)) {
			t.Log(failed[e], e)
		}
	}
}

// failing asks q while an aggregate fails.
func (s *store) failing(q *question, w *watched, failed map[string]int) {
	r := s.rng
	if _, err := s.db.Query(context.Background(), q.query()); err != nil {
		return
	}
	want := s.answer(q)
	w.mu.Lock()
	w.fail = pickOf(r, "panic", "error") + " " + pickOf(r, "start", "reset", "add", "add", "result", "merge", "destroy")
	w.calls, w.failed = pickOf(r, 1, 2, 5, 1+r.IntN(40)), 0
	how := w.fail + " at call " + strconv.Itoa(w.calls)
	w.mu.Unlock()
	silent := strings.HasSuffix(w.fail, "destroy") || w.fail == "error reset" // who cannot tell
	res, err := s.db.Query(context.Background(), q.query())
	var got *answer
	var kinds []tickwell.Kind
	if err == nil {
		got, kinds, err = s.rowsOf(res, r.IntN(2) == 0)
	}
	w.mu.Lock()
	hit := w.failed > 0
	w.fail = ""
	w.mu.Unlock()
	text := q.sql() + "\n" + how
	w.settled(s.t, text)
	switch {
	case err != nil && (!hit || silent) && want != nil:
		s.t.Fatalf("%s\n%v", text, err)
	case err == nil && hit && !silent:
		s.t.Fatalf("%s\nit failed, the query did not:\n%v", text, got)
	case err == nil && want != nil:
		q.refill(want, kinds)
		if d := want.differs(got); d != "" {
			s.t.Fatalf("%s\n%s\ngot:\n%v\nwant:\n%v", text, d, got, want)
		}
	case err != nil && hit && !silent:
		failed[how[:strings.Index(how, " at ")]]++
		var p *tickwell.PanicError
		if !strings.Contains(err.Error(), "fold_") || !errors.Is(err, errFold) && !errors.As(err, &p) {
			s.t.Fatalf("%s\n%v", text, err)
		}
	}
}
