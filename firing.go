package tickwell

import (
	"fmt"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
)

// A Firing is one call of a trigger. It embeds the rows: the device, and the
// measurements that match the pattern. Rows in which all of them are null are
// left out. The Firing and its Tablet are only valid during the call; nothing
// done to the Tablet changes what is stored.
//
// What a trigger sends out or writes through its Firing takes effect together,
// if Fire succeeds: BEFORE an insert in the very record of the inserted rows,
// AFTER it in one record of its own.
type Firing struct {
	*Tablet
	Trigger string // name of the trigger
	When    When   // BeforeInsert or AfterInsert
	db      *DB
	out     *effects
	run     *trigger
	mu      sync.Mutex // a goroutine that the trigger has left behind must do no harm
	over    bool
	hops    int // see Event.Hops
}

// Emit sends e to the trigger's sinks. Source, and ID if empty, are filled in.
// e is encoded at once: what it points to may be used again.
func (f *Firing) Emit(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		e.Hops = f.hops
		f.out.emit(f.run.spec.Name, f.run.sinks, e)
	}
}

// Write stores the rows of t. They fire triggers of their own once this firing
// is over. t is copied. A trigger BEFORE an insert cannot write: its effects
// are part of the insert; the error satisfies errors.Is(err, [ErrReentrant]).
func (f *Firing) Write(t *Tablet) error {
	if err := f.db.check(t); err != nil {
		return err
	}
	if f.When == BeforeInsert {
		return &Error{Op: "write", Subject: t.Device, Err: fmt.Errorf("trigger %s fires before the insert: %w", f.Trigger, errs.Reentrant)}
	}
	t = t.Clone()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return &Error{Op: "write", Subject: f.Trigger, Err: fmt.Errorf("the firing is over: %w", errs.Closed)}
	}
	f.out.tablets = append(f.out.tablets, t)
	return nil
}

// Put stores value under key as durable state of this trigger; nil removes it.
// [Env] gives it back to Restore. value is copied. Keys that did not change
// need not be put again.
func (f *Firing) Put(key string, value []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		f.out.put(f.run.stateKey(key), value)
	}
}

// Get returns what Put stored last under key, in this firing or before.
func (f *Firing) Get(key string) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return nil, false
	}
	k := f.run.stateKey(key)
	if v, ok := f.out.get(k); ok {
		return v, v != nil
	}
	return f.db.eng.Get(k)
}

// Wake has the trigger's OnWake method called when the store's clock shows at,
// at once if it does already: also after a restart. There is one such time for
// a trigger; the last given holds, and a zero one is none.
func (f *Firing) Wake(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		f.out.wake(f.run, at)
	}
}
