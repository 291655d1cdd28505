package tickwell

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/pattern"
)

// trigger is a registered [Trigger]. What is not atomic does not change once it
// is in the table; a change of its definition makes a new one.
type trigger struct {
	spec     TriggerSpec
	code     Trigger // nil while its class is not there
	rewrite  func(context.Context, *Firing) (*Tablet, error)
	onWake   func(context.Context, *Firing) error
	seq      uint64 // order of creation
	pattern  *pattern.Pattern
	sinks    []string
	hooks    []string
	strategy FailureStrategy // as it was at creation
	missing  error           // why code is nil

	ticket  ticket          // of a stateful trigger
	turn    dispatch.Ticket // of hooks, and of firings outside inserts
	busy    gate            // inserts that fire it
	queue   *dispatch.Queue[string, *job]
	state   atomic.Int32
	stuck   atomic.Int32 // calls over their budget that have not returned
	halting atomic.Int32 // stops that are not over: OnStop is yet to be called
	fired   atomic.Int64
	failed  atomic.Int64
	dropped atomic.Int64
	inRow   atomic.Int64  // failures in a row
	since   atomic.Uint64 // log positions between which it fires, see TriggerInfo
	until   atomic.Uint64
	last    atomic.Pointer[TriggerError]
	alarm   alarm
	owed    atomic.Bool // while the store opens: it has firings to make up for
	listed  bool        // while a table is made, under tabling.mu
}

// The states of a trigger. STUCK is not among them: it is ACTIVE and stuck.
const (
	stateInactive int32 = iota // being created, or its code is not there
	stateActive
	stateStopped
	stateDropping
)

var stateNames = [...]string{"INACTIVE", "ACTIVE", "STOPPED", "DROPPING"}

// triggerTable is the immutable set of triggers. It comes into force between two
// log positions: what is stored after it fires exactly its triggers, AFTER ones
// by nature, BEFORE ones because an insert that has begun under an earlier table
// catches up.
type triggerTable struct {
	all   []*trigger // by name
	live  []*trigger // those that fire, in firing order
	terms uint64     // its number, from 1
	come  []*trigger // those of live that did not fire before
	gone  []*trigger // those that did and do not now
}

// newTable sorts out which of the triggers, given by name, fire. They are
// ordered by what they were before, old, for sorting thousands anew at each
// change would make the creation of many slow.
func newTable(all, old []*trigger) *triggerTable {
	t := &triggerTable{all: all}
	for _, tr := range all {
		tr.listed = true
	}
	t.live = make([]*trigger, 0, len(old)+1)
	for _, tr := range old {
		if tr.listed && tr.fires() {
			t.live = append(t.live, tr)
			tr.listed = false
		} else {
			t.gone = append(t.gone, tr)
		}
	}
	for _, tr := range all {
		if tr.listed && tr.fires() {
			i, _ := slices.BinarySearchFunc(t.live, tr, firingOrder)
			t.live = slices.Insert(t.live, i, tr)
			t.come = append(t.come, tr)
		}
		tr.listed = false
	}
	return t
}

func (tr *trigger) fires() bool {
	s := tr.state.Load()
	return s == stateActive || s == stateInactive && tr.missing != nil && tr.spec.Class != ""
}

// firingOrder is by priority, then by creation.
func firingOrder(a, b *trigger) int {
	return cmp.Or(cmp.Compare(a.spec.Priority, b.spec.Priority), cmp.Compare(a.seq, b.seq))
}

func byName(tr *trigger, name string) int { return strings.Compare(tr.spec.Name, name) }

func (t *triggerTable) find(name string) *trigger {
	if i, ok := slices.BinarySearchFunc(t.all, name, byName); ok {
		return t.all[i]
	}
	return nil
}

// tabling makes changes of the table one after the other.
type tabling struct{ mu sync.Mutex }

// retable puts the table in force that change makes of the triggers there are.
func (db *DB) retable(change func(all []*trigger) []*trigger) {
	db.tabling.mu.Lock()
	defer db.tabling.mu.Unlock()
	old := db.triggers.Load()
	t := newTable(change(slices.Clone(old.all)), old.live)
	t.terms = old.terms + 1
	db.eng.SetTerms(t.terms, func(last uint64) {
		for _, tr := range t.come {
			tr.since.Store(last)
			tr.until.Store(0)
		}
		for _, tr := range t.gone {
			tr.until.Store(last)
		}
		db.triggers.Store(t)
	})
}

func (db *DB) addTrigger(tr *trigger) {
	db.retable(func(all []*trigger) []*trigger {
		i, there := slices.BinarySearchFunc(all, tr.spec.Name, byName)
		if there {
			all[i] = tr
			return all
		}
		return slices.Insert(all, i, tr)
	})
}

func (db *DB) removeTrigger(tr *trigger) {
	db.retable(func(all []*trigger) []*trigger {
		return slices.DeleteFunc(all, func(o *trigger) bool { return o == tr })
	})
}

func (db *DB) setState(tr *trigger, state int32) {
	db.retable(func(all []*trigger) []*trigger {
		tr.state.Store(state)
		return all
	})
}

// matches are the triggers that a binding fires under one table.
type matches struct {
	table         *triggerTable
	before, after []match
	all           []*trigger // of both, in firing order
}

type match struct {
	trigger *trigger
	cols    []int // matching columns, in the order of the insert; nil: all
}

func (b *binding) matching(table *triggerTable) *matches {
	if m := b.matches.Load(); m != nil && m.table == table {
		return m
	}
	m := &matches{table: table}
	for _, tr := range table.live {
		var cols []int
		for i, name := range b.nodes {
			if tr.pattern.MatchParts(b.path, name) {
				cols = append(cols, i)
			}
		}
		if cols == nil {
			continue
		}
		if len(cols) == len(b.nodes) {
			cols = nil
		}
		m.all = append(m.all, tr)
		if tr.spec.When == BeforeInsert {
			m.before = append(m.before, match{tr, cols})
		} else {
			m.after = append(m.after, match{tr, cols})
		}
	}
	b.matches.Store(m)
	return m
}
