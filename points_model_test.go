package tickwell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
)

// pointKey is a cell of a series of an owner.
type pointKey struct {
	series int
	at     int64
}

// pointOp is a step of an owner: cells that come at once, or times that are deleted.
type pointOp struct {
	puts     map[pointKey]uint64
	series   int
	from, to int64
}

func (op *pointOp) apply(m map[pointKey]uint64) {
	maps.Copy(m, op.puts)
	if op.puts == nil {
		maps.DeleteFunc(m, func(k pointKey, _ uint64) bool { return k.series == op.series && op.from <= k.at && k.at < op.to })
	}
}

// pointOwner is the only one who writes some series, one step after the other. A
// snapshot therefore shows what there was between two of its steps.
type pointOwner struct {
	t      *testing.T
	ctx    context.Context
	db     *DB
	rng    *rand.Rand
	paths  []string
	insert []func(at int64, n uint64) error // by handle, one for each series
	head   []int64
	now    map[pointKey]uint64

	drops sync.RWMutex // while it is held nothing is dropped
	mu    sync.Mutex
	steps []pointOp // those begun
	base  int       // steps before it are in first
	first map[pointKey]uint64
	done  atomic.Int64 // steps that have ended
}

const ownerSeries = 7

var ownerKinds = [ownerSeries]Kind{KindFloat64, KindInt64, KindFloat64, KindInt64, KindFloat32, KindBool, KindText}

// bitsAs is what is left of n in a value of a kind.
func bitsAs(k Kind, n uint64) uint64 {
	switch k {
	case KindBool:
		return n & 1
	case KindInt32, KindFloat32:
		return uint64(uint32(n))
	}
	return n
}

func handleOf[T Type](t *testing.T, db *DB, path string, value func(n uint64) T) func(at int64, n uint64) error {
	s, err := SeriesOf[T](db, path)
	require.NoError(t, err)
	return func(at int64, n uint64) error { return s.Insert(context.Background(), ns(at), value(n)) }
}

func newPointOwner(t *testing.T, db *DB, no int, seed uint64) *pointOwner {
	o := &pointOwner{
		t: t, ctx: context.Background(), db: db, rng: rand.New(rand.NewPCG(seed, uint64(no))),
		now: map[pointKey]uint64{}, first: map[pointKey]uint64{}, head: make([]int64, ownerSeries),
	}
	for i, k := range ownerKinds {
		path := fmt.Sprintf("root.o%d.d%d.s", no, i)
		if i == 2 || i == 3 { // others write to the device too
			path = fmt.Sprintf("root.all.d%d.s%d", i, no)
		}
		o.paths = append(o.paths, path)
		var f func(int64, uint64) error
		switch k {
		case KindFloat64:
			f = handleOf(t, db, path, math.Float64frombits)
		case KindInt64:
			f = handleOf(t, db, path, func(n uint64) int64 { return int64(n) })
		case KindFloat32:
			f = handleOf(t, db, path, func(n uint64) float32 { return math.Float32frombits(uint32(n)) })
		case KindBool:
			f = handleOf(t, db, path, func(n uint64) bool { return n&1 != 0 })
		case KindText:
			f = handleOf(t, db, path, func(n uint64) string { return fmt.Sprint(n) })
		}
		o.insert = append(o.insert, f)
	}
	return o
}

// number returns bits of a value, sometimes of one that is not a number.
func (o *pointOwner) number() uint64 {
	switch o.rng.IntN(6) {
	case 0:
		return o.rng.Uint64()
	case 1:
		return math.Float64bits(math.NaN()) + o.rng.Uint64N(3)
	case 2:
		return 1 << 63 // -0
	}
	return math.Float64bits(float64(o.rng.IntN(1000)) / 8)
}

// begin notes a step, end that it is over.
func (o *pointOwner) begin(op pointOp) {
	o.mu.Lock()
	o.steps = append(o.steps, op)
	o.mu.Unlock()
	op.apply(o.now)
}

func (o *pointOwner) end(err error) {
	if err != nil {
		o.t.Error(err)
	}
	o.done.Add(1)
}

func valueAs(k Kind, n uint64) Value {
	switch k {
	case KindFloat64:
		return Float64Value(math.Float64frombits(n))
	case KindInt64:
		return Int64Value(int64(n))
	case KindFloat32:
		return Float32Value(math.Float32frombits(uint32(n)))
	case KindBool:
		return BoolValue(n&1 != 0)
	}
	return TextValue(fmt.Sprint(n))
}

// step does one thing to a series.
func (o *pointOwner) step() {
	i := o.rng.IntN(ownerSeries)
	if o.rng.IntN(3) > 0 {
		i = o.rng.IntN(4)
	}
	kind, device, name := ownerKinds[i], "", ""
	device, name, _ = splitPath(o.paths[i])
	at := o.head[i] + o.rng.Int64N(4) // the last one's time, too
	if o.rng.IntN(15) == 0 {
		at -= o.rng.Int64N(60)
	}
	put := func(at int64) (n uint64) {
		n = o.number()
		o.head[i] = max(o.head[i], at)
		o.begin(pointOp{puts: map[pointKey]uint64{{i, at}: bitsAs(kind, n)}})
		return n
	}
	switch o.rng.IntN(60) {
	case 0:
		op := pointOp{series: i, from: at - o.rng.Int64N(40), to: at + o.rng.Int64N(3)}
		o.begin(op)
		o.end(o.db.Delete(o.ctx, o.paths[i], ns(op.from), ns(op.to)))
	case 1:
		if o.rng.IntN(3) == 0 {
			o.drops.Lock()
			o.begin(pointOp{series: i, from: math.MinInt64, to: math.MaxInt64})
			o.end(o.db.DropSeries(o.ctx, o.paths[i]))
			n := put(at)
			o.end(o.insert[i](at, n))
			o.drops.Unlock()
		}
	case 2, 3:
		o.end(o.db.Insert(o.ctx, device, ns(at), Field{name, valueAs(kind, put(at))}))
	case 4:
		w, err := o.db.Writer(device, ColumnInfo{name, kind})
		require.NoError(o.t, err)
		o.end(w.Insert(o.ctx, ns(at), valueAs(kind, put(at))))
	case 5:
		puts, tab := map[pointKey]uint64{}, &Tablet{Device: device}
		var floats Float64s
		for range 1 + o.rng.IntN(40) {
			n := o.number()
			puts[pointKey{0, at}] = n
			tab.Times, floats = append(tab.Times, at), append(floats, math.Float64frombits(n))
			at += 1 + o.rng.Int64N(3)
		}
		if i != 0 {
			return
		}
		o.head[0] = max(o.head[0], at)
		tab.Columns = []Column{{Name: name, Data: floats}}
		o.begin(pointOp{puts: puts})
		o.end(o.db.InsertTablet(o.ctx, tab))
	default:
		for range o.rng.IntN(20) {
			o.end(o.insert[i](at, put(at)))
			at = o.head[i] + o.rng.Int64N(4)
		}
		if o.rng.IntN(4) == 0 {
			o.checkOwn(i)
		}
	}
}

// checkOwn reads back what the owner has just written.
func (o *pointOwner) checkOwn(i int) {
	want := map[int64]uint64{}
	from := o.head[i] - o.rng.Int64N(100)
	for k, n := range o.now {
		if k.series == i && k.at >= from {
			want[k.at] = n
		}
	}
	got := map[int64]uint64{}
	q, err := o.db.Query(o.ctx, Query{From: []string{o.paths[i][:len(o.paths[i])-len(lastNode(o.paths[i]))-1]}, Start: ns(from)})
	if err != nil {
		o.t.Error(err)
		return
	}
	cols := q.Columns()
	for row, err := range q.Rows() {
		if err != nil {
			o.t.Error(err)
			return
		}
		for c := range cols {
			if v := row.Value(c); lastNode(cols[c].Name) == lastNode(o.paths[i]) && !v.IsNull() {
				got[row.Time().UnixNano()] = bitsOfValue(v)
			}
		}
	}
	if !maps.Equal(got, want) {
		o.t.Errorf("%s from %d on: read %v, written %v", o.paths[i], from, got, want)
	}
}

func lastNode(path string) string {
	for k := len(path) - 1; k >= 0; k-- {
		if path[k] == '.' {
			return path[k+1:]
		}
	}
	return path
}

func bitsOfValue(v Value) uint64 {
	if v.Kind() == KindText {
		var n uint64
		fmt.Sscan(v.Text(), &n)
		return n
	}
	return v.cell().Num
}

// series looks up those that exist; the others are nil.
func (o *pointOwner) series() []*engine.Series {
	all := make([]*engine.Series, len(o.paths))
	for i, p := range o.paths {
		device, name, _ := splitPath(p)
		all[i], _ = o.db.eng.Lookup(device, name)
	}
	return all
}

// shown is what a snapshot shows of the owner's series.
func (o *pointOwner) shown(s *engine.Snapshot, all []*engine.Series) map[pointKey]uint64 {
	out := map[pointKey]uint64{}
	for i, ser := range all {
		if ser == nil {
			continue
		}
		c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
		for c.Next() {
			v := c.Values()
			for k, at := range c.Times() {
				cell := v.Cell(k)
				n := cell.Num
				if cell.Kind == column.Text {
					fmt.Sscan(cell.Text, &n)
				}
				if _, twice := out[pointKey{i, at}]; twice {
					o.t.Errorf("%s: two points at %d", o.paths[i], at)
				}
				out[pointKey{i, at}] = n
			}
		}
		if err := c.Err(); err != nil {
			o.t.Error(err)
		}
		c.Close()
	}
	return out
}

// checkSnapshot takes a snapshot beside the owner.
func (o *pointOwner) checkSnapshot(pause func()) {
	o.drops.RLock()
	defer o.drops.RUnlock()
	from := int(o.done.Load())
	s := o.db.eng.Snapshot()
	defer s.Release()
	all := o.series() // after the snapshot: what is made since, it does not show
	o.mu.Lock()
	steps := o.steps
	if o.base < from {
		for k := range steps[o.base:from] {
			steps[o.base+k].apply(o.first)
		}
		o.base = from
	}
	if o.base > from {
		o.mu.Unlock()
		return // another has looked since
	}
	want := maps.Clone(o.first)
	o.mu.Unlock()
	got := o.shown(s, all)
	ok := maps.Equal(got, want)
	for k := from; k < len(steps) && !ok; k++ {
		steps[k].apply(want)
		ok = maps.Equal(got, want)
	}
	if !ok {
		o.t.Errorf("a snapshot shows what there never was after %d to %d steps:%s", from, len(steps), difference(got, want))
	}
	pause()
	if again := o.shown(s, all); !maps.Equal(got, again) {
		o.t.Errorf("a snapshot shows other things later:%s", difference(again, got))
	}
}

// difference lists some of what got has that want has not, and the other way round.
func difference(got, want map[pointKey]uint64) (out string) {
	for k, n := range got {
		if m, ok := want[k]; (!ok || m != n) && len(out) < 600 {
			out += fmt.Sprintf(" %v=%x (%x, %v)", k, n, m, ok)
		}
	}
	for k, n := range want {
		if _, ok := got[k]; !ok && len(out) < 1200 {
			out += fmt.Sprintf(" no %v=%x", k, n)
		}
	}
	return out
}

// TestPointsOfManyOwners: points in order, late, of equal times, of every kind and
// with every value, by handles and in other ways, deleted, dropped and made again while
// their handles are held, are what their writers have written, at any moment as far as
// they had got, whatever happens to the store meanwhile.
func TestPointsOfManyOwners(t *testing.T) {
	for seed := range uint64(6) {
		for _, where := range []string{"memory", "buffered", "interval"} {
			t.Run(fmt.Sprint(where, seed), func(t *testing.T) { pointsOfManyOwners(t, where, seed, 400) })
		}
	}
}

func pointsOfManyOwners(t *testing.T, where string, seed uint64, rounds int) {
	ctx, dir := context.Background(), ""
	opts := &Options{Logger: openMemLogger(), Profile: Profile{BlockRows: []int{16, 64, 1024}[seed%3]}}
	if seed%2 == 1 { // rows are encoded twice
		opts.Profile.MemtableBytes = 8 << 20
	}
	switch where {
	case "buffered":
		dir, opts.Sync = t.TempDir(), AckBuffered(time.Second)
	case "interval":
		dir, opts.Sync = t.TempDir(), SyncInterval(time.Second)
	}
	db := openDir(t, dir, opts)
	var owners []*pointOwner
	for no := range 3 {
		owners = append(owners, newPointOwner(t, db, no, seed))
	}
	var writers, others sync.WaitGroup
	var stop atomic.Bool
	for _, o := range owners {
		writers.Go(func() {
			for n := 0; n < rounds && !t.Failed(); n++ {
				o.step()
			}
		})
	}
	beside := func(f func(n int) error) {
		others.Go(func() {
			for n := 0; !stop.Load() && !t.Failed(); n++ {
				if err := f(n); err != nil && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				runtime.Gosched()
			}
		})
	}
	beside(func(n int) error { owners[n%3].checkSnapshot(runtime.Gosched); return nil })
	beside(func(n int) error { owners[(n+1)%3].checkSnapshot(func() { db.Stats() }); return nil })
	beside(func(n int) error {
		o := owners[n%3]
		err := db.CreateTrigger(ctx, TriggerSpec{Name: "t", Pattern: o.paths[n%4], When: AfterInsert, Trigger: TriggerFunc(func(context.Context, *Firing) error { return nil })})
		for range 100 {
			runtime.Gosched()
		}
		if err == nil {
			if err = db.DropTrigger(ctx, "t"); errors.Is(err, ErrNotFound) {
				err = nil // it went with the series
			}
		}
		return err
	})
	beside(func(n int) error {
		for range 200 {
			runtime.Gosched()
		}
		return db.Flush(ctx)
	})
	if seed%3 == 2 {
		beside(func(n int) error {
			if n == 50 { // long enough for all there is
				return db.SetTTL(ctx, "root.o0", 200*365*24*time.Hour)
			}
			return nil
		})
	}
	writers.Wait()
	stop.Store(true)
	others.Wait()
	check := func() {
		for _, o := range owners {
			o.db = db
			s := db.eng.Snapshot()
			got := o.shown(s, o.series())
			s.Release()
			require.Empty(t, difference(got, o.now), "%s, seed %d", o.paths[0], seed)
		}
	}
	check()
	if dir == "" {
		return
	}
	must(t, db.Close())
	for _, o := range owners {
		require.ErrorIs(t, o.insert[0](1, 1), ErrClosed)
	}
	db = openDir(t, dir, opts)
	for _, o := range owners { // of a store that is closed
		require.ErrorIs(t, o.insert[0](1, 1), ErrClosed)
	}
	check()
}
