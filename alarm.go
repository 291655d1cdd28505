package tickwell

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/pattern"
)

// alarmTrust bounds how long a timer is trusted: an alarm of the wall clock, which
// may be set forward, and goes on while the machine sleeps, as timers do not.
const alarmTrust = time.Minute

// alarm is the timer behind [Firing.Wake].
type alarm struct {
	mu   sync.Mutex
	at   int64
	set  bool
	turn int // of the timer that counts
	stop func() bool
}

type waking struct {
	trigger *trigger
	at      int64
	set     bool
}

func (tr *trigger) wakeKey() string { return "wake/" + pattern.Quote(tr.spec.Name) }

// wake adds that tr is to be woken at a time, or not at all.
func (x *effects) wake(tr *trigger, at time.Time) {
	w := waking{trigger: tr}
	p := engine.Put{Kind: engine.PutEffect, Key: tr.wakeKey(), Delete: true}
	if ns, err := unixNano(at); err == nil && !at.IsZero() {
		w.at, w.set = ns, true
		p.Delete, p.Value = false, appendWord(nil, uint64(ns))
	}
	x.wakes = append(x.wakes, w)
	x.set(p)
}

// setAlarms starts the timers of effects that have been stored.
func (db *DB) setAlarms(x *effects) {
	for _, w := range x.wakes {
		db.setAlarm(w)
	}
}

func (db *DB) setAlarm(w waking) {
	a := &w.trigger.alarm
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.set && w.set && a.at == w.at {
		return
	}
	if a.stop != nil {
		a.stop()
	}
	a.at, a.set, a.stop = w.at, w.set, nil
	if !w.set || w.trigger.state.Load() == stateDropping {
		return
	}
	db.runAlarm(w)
}

// runAlarm starts the timer, unless the store is being closed: nothing would end it.
// The lock is held.
func (db *DB) runAlarm(w waking) {
	if db.life.Err() != nil {
		return
	}
	a := &w.trigger.alarm
	a.turn++
	turn := a.turn
	wait := instant(w.at).Sub(db.clock.Now())
	if db.record == nil { // else a backtest, whose clock does not jump, but goes far
		wait = min(wait, alarmTrust)
	}
	a.stop = db.clock.AfterFunc(wait, func() {
		if db.isTime(w, turn) {
			db.background(w.trigger.spec.Name, func() error { db.ring(w); return nil })
		}
	})
}

// isTime reports whether the clock shows the time of an alarm. If not, and if it is
// still set, it waits on.
func (db *DB) isTime(w waking, turn int) bool {
	a := &w.trigger.alarm
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.set || a.turn != turn {
		return false
	}
	if db.clock.Now().UnixNano() >= w.at {
		return true
	}
	db.runAlarm(w)
	return false
}

func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stop != nil {
		a.stop()
	}
	a.set, a.stop = false, nil
}

// rearm starts the timer that an earlier life of the store has left. What a store
// that was opened for reading holds is for the process that writes.
func (db *DB) rearm(tr *trigger) {
	if db.opts.ReadOnly {
		return
	}
	if b, ok := db.eng.Get(tr.wakeKey()); ok && len(b) == 8 && tr.onWake != nil {
		tr.alarm.clear() // a firing may have set it after the stop, and it may have rung since
		db.setAlarm(waking{tr, int64(binary.LittleEndian.Uint64(b)), true})
	}
}

// ring calls OnWake.
func (db *DB) ring(w waking) {
	tr := w.trigger
	if !tr.busy.enter() {
		return
	}
	defer tr.busy.leave()
	in := db.scratch.Get()
	defer db.end(in)
	act := in.newActivity()
	defer db.settleRest(act)
	if tr.spec.Stateful && tr.queue != nil {
		if err := tr.turn.Lock(db.life); err != nil {
			return
		}
		defer tr.turn.Unlock()
	} else if tr.spec.Stateful {
		if err := db.locks.lock(db.life, db.life, &tr.ticket, act, nil, func() func() bool { return db.warnOfWait(tr, "OnWake") }); err != nil {
			return
		}
		defer db.locks.unlock(&tr.ticket)
	}
	a := &tr.alarm
	a.mu.Lock()
	due := a.set && a.at == w.at && tr.state.Load() == stateActive
	if due {
		a.set, a.stop = false, nil
	}
	a.mu.Unlock()
	if !due || tr.onWake == nil {
		return
	}
	c := in.newCall(db.life, db, tr, &Tablet{}, act, nil)
	c.waking = true
	c.firing.When = AfterInsert // there is no insert whose record could take the effects
	c.fx.wake(tr, time.Time{})
	_ = db.runAfter(c, "") // errors have been reported
	_ = db.settle(db.life, act, nil)
	db.finish(db.life, act)
}

// background runs f in a goroutine that Quiesce and Close wait for.
func (db *DB) background(name string, f func() error) {
	if !db.busy.enter() {
		return
	}
	if !db.work.Go(name, func(context.Context) error {
		defer db.busy.leave()
		return f()
	}) {
		db.busy.leave()
	}
}
