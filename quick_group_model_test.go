package tickwell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
)

// groupWorld is a store that gets groups of one-row tablets, and one that gets the
// tablets one by one; triggers note what they see, and one refuses rows.
type groupWorld struct {
	t    *testing.T
	r    *rand.Rand
	dbs  [2]*DB
	mu   sync.Mutex
	saw  [2][]string
	kind map[string]Kind // of each series
	at   int64
	ops  []string
}

// unwanted reports whether the trigger "no" refuses a row, if it is there.
func unwanted(device string, at int64) bool { return at%13 == 5 && device != "root.d1" }

// thirteenth refuses what is unwanted.
type thirteenth struct{}

func (thirteenth) Fire(_ context.Context, f *Firing) error {
	for _, at := range f.Times {
		if unwanted(f.Device, at) {
			return errors.New("no")
		}
	}
	return nil
}

func (thirteenth) FailureStrategy() FailureStrategy { return Pessimistic }

func (w *groupWorld) both(what string, f func(i int, db *DB) error) {
	w.t.Helper()
	w.ops = append(w.ops, what)
	for i, db := range w.dbs {
		must(w.t, f(i, db))
	}
}

// note is a trigger that keeps what it is given, by store.
func (w *groupWorld) note(i int, name string) TriggerFunc {
	return func(_ context.Context, f *Firing) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for n, at := range f.Times {
			for _, c := range f.Columns {
				if !c.Nulls.Get(n) {
					w.saw[i] = append(w.saw[i], fmt.Sprint(name, " ", f.Device, ".", c.Name, "@", at, "=", c.Data.Value(n)))
				}
			}
		}
		return nil
	}
}

// want says why a group must be refused, and notes the kinds of its series if it
// must not.
func (w *groupWorld) want(group []*Tablet, veto bool) error {
	made := map[string]Kind{}
	var err error
	for _, t := range group {
		for _, c := range t.Columns {
			path := t.Device + "." + c.Name
			k, ok := w.kind[path]
			if !ok {
				k, ok = made[path]
			}
			if ok && k != c.Data.Kind() {
				return ErrKindMismatch
			}
			made[path] = c.Data.Kind()
		}
		if veto && unwanted(t.Device, t.Times[0]) {
			err = ErrRejected
		}
	}
	if err == nil {
		for path, k := range made {
			w.kind[path] = k
		}
	}
	return err
}

// group draws tablets of mixed devices, some of them twice, some late, some with
// columns in another order or of a kind of their own.
func (w *groupWorld) group() (group []*Tablet) {
	r := w.r
	layouts := [][]int{{4}, {0, 1, 2, 3, 4}, {3, 4}, {2}, {4, 5}}
	w.at += int64(1 + r.IntN(4))
	for range 1 + r.IntN(6) {
		d, at := r.IntN(5), w.at
		if r.IntN(6) == 0 {
			at -= int64(r.IntN(60))
		}
		cols := layouts[d]
		if r.IntN(10) == 0 {
			cols = layouts[r.IntN(len(layouts))]
		}
		if r.IntN(10) == 0 {
			cols = slices.Clone(cols)
			slices.Reverse(cols)
		}
		group = append(group, oneRow(r, fmt.Sprint("root.d", d), max(at, 0), cols))
		if r.IntN(4) == 0 { // the same row again, or other cells at its time
			again := group[len(group)-1]
			if r.IntN(2) == 0 {
				again = oneRow(r, again.Device, again.Times[0], cols)
			}
			group = append(group, again)
		}
	}
	if r.IntN(12) == 0 {
		t := group[r.IntN(len(group))]
		t.Columns[r.IntN(len(t.Columns))].Data = []Vector{Float64s{9}, Int64s{9}, Bools{true}, Texts{"9"}}[r.IntN(4)]
	}
	return group
}

// Groups of one-row tablets leave behind what InsertTablet does with one after the
// other, beside triggers and continuous queries that come and go: or nothing, where
// one of them is refused.
func TestGroupsAgainstSingleTablets(t *testing.T) {
	ctx := context.Background()
	seeds, steps := uint64(12), 300
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		w := &groupWorld{t: t, r: rand.New(rand.NewPCG(seed, 17)), kind: map[string]Kind{}, at: 1000}
		opts := [2]Options{{Clock: newFake()}, {Clock: newFake()}}
		for i := range w.dbs {
			if seed%2 == 0 {
				opts[i].FS = memFS()
				w.dbs[i] = openDir(t, "data", &opts[i])
			} else {
				w.dbs[i] = openMem(t, &opts[i])
			}
		}
		on := map[string]bool{}
		toggle := func(name string, make, drop func(i int, db *DB) error) {
			f := make
			if on[name] {
				f = drop
			}
			on[name] = !on[name]
			w.both(name, f)
		}
		trigger := func(name string, sp func(i int) TriggerSpec) {
			toggle(name, func(i int, db *DB) error {
				sp := sp(i)
				sp.Name = name
				return db.CreateTrigger(ctx, sp)
			}, func(_ int, db *DB) error { return db.DropTrigger(ctx, name) })
		}
		cq := func() {
			toggle("view", func(_ int, db *DB) error {
				return db.CreateContinuousQuery(ctx, CQSpec{Name: "view", Query: Query{From: []string{"root.d0", "root.d1"}, AlignByDevice: true,
					Select: []expr.Expr{expr.Count(expr.Col("c4")), expr.Call("last_value", expr.Col("c4"))}, GroupBy: GroupByTime{Interval: 50 * time.Nanosecond},
					Into: []Target{{Device: "root.view.${1}", Columns: []string{"n", "last"}}}}})
			}, func(_ int, db *DB) error { return db.DropContinuousQuery(ctx, "view") })
		}
		compare := func() {
			t.Helper()
			for _, db := range w.dbs {
				must(t, db.Quiesce(ctx))
			}
			if one, other := shownNow(t, w.dbs[1]), shownNow(t, w.dbs[0]); !maps.Equal(one, other) {
				require.Equal(t, one, other, "seed %d, after %v", seed, w.ops[max(0, len(w.ops)-12):])
			}
			for i := range w.saw {
				slices.Sort(w.saw[i])
			}
			require.Equal(t, w.saw[1], w.saw[0], "seed %d: what triggers saw", seed)
			w.saw = [2][]string{}
		}
		stored := 0
		for range steps {
			group := w.group()
			w.ops = append(w.ops, renderAll(group))
			want := w.want(group, on["no"])
			err := w.dbs[0].InsertTablets(ctx, group...)
			// Of two reasons either may be given.
			if !errors.Is(err, want) && !(want == ErrKindMismatch && on["no"] && errors.Is(err, ErrRejected)) || want == nil && err != nil {
				t.Fatalf("seed %d: %v, want %v, after %v", seed, err, want, w.ops[max(0, len(w.ops)-12):])
			}
			if want == nil {
				stored++
				for _, one := range group {
					must(t, w.dbs[1].InsertTablet(ctx, one))
				}
			}
			switch w.r.IntN(40) {
			case 0:
				trigger("all", func(i int) TriggerSpec { return TriggerSpec{Pattern: "root.**", Trigger: w.note(i, "all")} })
			case 1:
				trigger("d2", func(i int) TriggerSpec { return TriggerSpec{Pattern: "root.d2.*", Trigger: w.note(i, "d2")} })
			case 2, 3:
				trigger("no", func(int) TriggerSpec {
					return TriggerSpec{Pattern: "root.*.*", When: BeforeInsert, Trigger: thirteenth{}}
				})
			case 4:
				if w.kind["root.d0.c4"] == KindFloat64 && w.kind["root.d1.c4"] == KindFloat64 {
					cq()
				}
			case 5: // made again, it may be of another kind
				if on["view"] {
					break
				}
				if paths := slices.Sorted(maps.Keys(w.kind)); len(paths) > 0 {
					path := paths[w.r.IntN(len(paths))]
					w.both("drop "+path, func(_ int, db *DB) error { return db.DropSeries(ctx, path) })
					delete(w.kind, path)
				}
			case 6:
				from, to := ns(w.at-int64(w.r.IntN(100))), ns(w.at+int64(w.r.IntN(3)))
				w.both("delete", func(_ int, db *DB) error { return db.Delete(ctx, "root.*.c4", from, to) })
			case 7:
				if seed%2 == 0 {
					w.both("flush", func(_ int, db *DB) error { return db.Flush(ctx) })
				}
			case 8, 9:
				compare()
			}
		}
		compare()
		if stored < steps/3 {
			t.Errorf("seed %d: only %d of %d groups were stored", seed, stored, steps)
		}
	}
}

func renderAll(ts []*Tablet) (s string) {
	for _, t := range ts {
		s += render(t) + "; "
	}
	return s
}
