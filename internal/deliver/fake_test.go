package deliver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
)

// ev is an event of the tests: its id and its ordering key.
type ev struct {
	id  int
	key string
}

// outbox is a Source in memory. It checks the contract of a pipeline: reads
// after what was read, acknowledges forward only.
type outbox struct {
	t      *testing.T
	mu     sync.Mutex
	items  []Item[ev]
	acked  Pos
	notify chan struct{}
	fail   int // so many calls of Next and Ack fail
	lost   map[string]int64
	most   int // largest max asked for
	size   int // of an item
	floor  Pos
}

func newOutbox(t *testing.T) *outbox { return &outbox{t: t, notify: make(chan struct{}, 1)} }

// add queues events with the given ids, keys taken round robin.
func (o *outbox) add(from, to int, keys ...string) {
	o.mu.Lock()
	for id := from; id < to; id++ {
		key := ""
		if len(keys) > 0 {
			key = keys[id%len(keys)]
		}
		// Three events a record, so that positions have ordinals.
		o.items = append(o.items, Item[ev]{Pos: posOf(id), Time: time.Now().UnixNano(), Size: o.size, Event: ev{id, key}})
	}
	o.mu.Unlock()
	select {
	case o.notify <- struct{}{}:
	default:
	}
}

func posOf(id int) Pos { return Pos{uint64(id/3 + 1), uint32(id % 3)} }

// drop gives up the oldest items up to the id.
func (o *outbox) drop(id int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.floor = posOf(id)
	for len(o.items) > 0 && !o.floor.Less(o.items[0].Pos) {
		o.items = o.items[1:]
	}
}

// lose makes an item unreadable.
func (o *outbox) lose(id int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.items {
		if o.items[i].Pos == posOf(id) {
			o.items[i].Lost, o.items[i].Event = errors.New("bad checksum"), ev{}
		}
	}
}

func (o *outbox) Floor() Pos {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.floor
}

func (o *outbox) Notify() <-chan struct{} { return o.notify }

func (o *outbox) failing() error {
	if o.fail > 0 {
		o.fail--
		return errors.New("disk trouble")
	}
	return nil
}

func (o *outbox) Next(_ context.Context, after Pos, limit int) ([]Item[ev], error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.failing(); err != nil {
		return nil, err
	}
	o.most = max(o.most, limit)
	var out []Item[ev]
	for _, it := range o.items {
		if after.Less(it.Pos) && len(out) < limit {
			out = append(out, it)
		}
	}
	return out, nil
}

func (o *outbox) Ack(_ context.Context, upTo Pos) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.failing(); err != nil {
		return err
	}
	if upTo.Less(o.acked) {
		o.t.Errorf("acknowledged %v after %v", upTo, o.acked)
	}
	o.acked = upTo
	for len(o.items) > 0 && !upTo.Less(o.items[0].Pos) {
		o.items = o.items[1:]
	}
	return nil
}

func (o *outbox) Backlog() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int64(len(o.items))
}

func (o *outbox) asked() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most
}

func (o *outbox) position() Pos {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acked
}

func (o *outbox) Dropped() map[string]int64 { return o.lost }

// left returns the ids that are not acknowledged.
func (o *outbox) left() (ids []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, it := range o.items {
		ids = append(ids, it.Event.id)
	}
	return ids
}

// dice is a random source for handlers that run at the same time.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed uint64) *dice { return &dice{rng: rand.New(rand.NewPCG(seed, 9))} }

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// target is the outside world: it keeps what was accepted and checks that no
// key is attempted twice at once.
type target struct {
	t        *testing.T
	mu       sync.Mutex
	accepted []int            // ids in the order of acceptance
	byKey    map[string][]int // the same by key
	calls    [][]int
	active   map[string]bool
	inFlight int
	most     int
	opens    int
	closes   int
	openErr  func(n int) error
	answer   func(ctx context.Context, n int, events []ev) error // n counts calls from 1
	dead     []Dead[ev]
	deadErr  func() error
}

func newTarget(t *testing.T) *target {
	return &target{t: t, byKey: map[string][]int{}, active: map[string]bool{}}
}

func (g *target) open(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opens++
	if g.inFlight > 0 {
		g.t.Errorf("opened with %d attempts in flight", g.inFlight)
	}
	if g.openErr != nil {
		return g.openErr(g.opens)
	}
	return nil
}

func (g *target) close(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closes++
	if g.inFlight > 0 {
		g.t.Errorf("closed with %d attempts in flight", g.inFlight)
	}
	return nil
}

func (g *target) handle(ctx context.Context, events []ev) error {
	g.mu.Lock()
	var ids []int
	keys := map[string]bool{}
	for _, e := range events {
		ids = append(ids, e.id)
		keys[e.key] = e.key != ""
	}
	for key, ordered := range keys {
		if ordered && g.active[key] {
			g.t.Errorf("key %q attempted twice at once", key)
		}
		g.active[key] = ordered
	}
	g.calls = append(g.calls, ids)
	n := len(g.calls)
	g.inFlight++
	g.most = max(g.most, g.inFlight)
	g.mu.Unlock()

	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.inFlight--
		for key := range keys {
			delete(g.active, key)
		}
	}()
	var err error
	if g.answer != nil {
		err = g.answer(ctx, n, events)
	}
	var done []int
	var p *Partial
	switch {
	case err == nil:
		for i := range events {
			done = append(done, i)
		}
	case errors.As(err, &p):
		done = p.Done
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, i := range done {
		g.accepted = append(g.accepted, events[i].id)
		g.byKey[events[i].key] = append(g.byKey[events[i].key], events[i].id)
	}
	return err
}

func (g *target) bury(_ context.Context, d Dead[ev]) error {
	if g.deadErr != nil {
		if err := g.deadErr(); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dead = append(g.dead, d)
	return nil
}

// seen is a copy of what a target has recorded.
type seen struct {
	accepted     []int
	byKey        map[string][]int
	calls        [][]int
	dead         []Dead[ev]
	opens        int
	closes, most int
}

func (g *target) snap() seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	byKey := map[string][]int{}
	for key, ids := range g.byKey {
		byKey[key] = append([]int(nil), ids...)
	}
	return seen{
		append([]int(nil), g.accepted...), byKey, append([][]int(nil), g.calls...), append([]Dead[ev](nil), g.dead...),
		g.opens, g.closes, g.most,
	}
}

// deadIDs returns ids and causes of the dead letters as text.
func (g *target) deadIDs() (out []string) {
	for _, d := range g.snap().dead {
		out = append(out, fmt.Sprintf("%d %v", d.Event.id, d.Class))
	}
	return out
}

// rig is a pipeline with its surroundings.
type rig struct {
	t   *testing.T
	src *outbox
	tgt *target
	p   *Pipeline[ev]
	cfg Config[ev]
}

func newRig(t *testing.T, o Options) *rig {
	r := &rig{t: t, src: newOutbox(t), tgt: newTarget(t)}
	r.cfg = Config[ev]{
		Name: "s", Clock: clock.System(), Seed: 1, Source: r.src,
		Open: r.tgt.open, Handle: r.tgt.handle, Close: r.tgt.close, DeadLetter: r.tgt.bury,
		Key:     func(e ev) string { return e.key },
		Options: o,
	}
	return r
}

// start runs a pipeline from the source's position, as after a restart.
func (r *rig) start() {
	r.t.Helper()
	r.cfg.From = r.src.position()
	p, err := New(r.cfg)
	require.NoError(r.t, err)
	r.p = p
	require.NoError(r.t, p.Start())
	r.t.Cleanup(func() { _ = p.Close(time.Minute) }) // lets a failed test end
}

func (r *rig) flush() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 100*24*time.Hour)
	defer cancel()
	require.NoError(r.t, r.p.Flush(ctx))
}

func (r *rig) close() {
	r.t.Helper()
	require.NoError(r.t, r.p.Close(time.Minute))
}

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func seq(from, to int) (out []int) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

func uniq(ids []int) (out []int) {
	seen := map[int]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
