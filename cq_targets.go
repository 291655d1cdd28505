package tickwell

import (
	"context"
	"slices"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/pattern"
)

// What a query writes is its own from its definition on, as far as it can be told
// then: the targets that it names, and those that its templates make of the series
// there are. Those of series that come later are its own from the run on that
// first writes them. Of templates each target is stored: later they may not be told
// any more, since series were dropped, and their results are there all the same.

// targetClaim is what a new definition changes about who owns what.
type targetClaim struct {
	added []string // the query's now
	left  []string // the query's before, and not written any more
}

// claimTargets makes the targets of q its own and adds to b what is to be stored of
// it.
func (db *DB) claimTargets(q *cq, b *engine.Batch) (c targetClaim, err error) {
	name, foreseen := q.spec.Name, q.foreseenTargets()
	for _, p := range db.cqs.targetsOf(name) {
		switch {
		case slices.Contains(q.named, p):
		case q.mayWrite(p) || slices.Contains(foreseen, p):
			// no pattern says that :: may stand for no node, and ${2} for several
			db.storeTarget(b, name, p)
		default:
			c.left = append(c.left, p)
			unput(b, cqKey(name, "t/")+p)
		}
	}
	c.added, err = db.cqs.claim(name, append(foreseen, q.named...), true)
	for _, p := range c.added {
		if !slices.Contains(q.named, p) {
			db.storeTarget(b, name, p)
		}
	}
	return c, err
}

// storeTarget stores with b that a series is a query's.
//
//go:noinline
func (db *DB) storeTarget(b *engine.Batch, name, path string) {
	key := cqKey(name, "t/") + path
	if _, stored := db.eng.Get(key); !stored {
		b.Puts = append(b.Puts, engine.Put{Kind: engine.PutProgress, Key: key, Value: []byte{1}})
	}
}

// restoreTargets makes the targets of stored queries their own again: first what is
// stored or named, so that no query takes it from another by foresight.
func (db *DB) restoreTargets(ctx context.Context, all []*cq) {
	s := &db.cqs
	for _, q := range all {
		prefix := cqKey(q.spec.Name, "t/")
		var stored []string
		for key := range db.eng.Scan(prefix) {
			stored = append(stored, key[len(prefix):])
		}
		_, _ = s.claim(q.spec.Name, stored, false) // two that have the same are of a version that let them
	}
	for _, q := range all {
		if _, err := s.claim(q.spec.Name, q.named, false); err != nil {
			q.inactive = err
		}
	}
	b := engine.Batch{}
	for _, q := range all {
		added, _ := s.claim(q.spec.Name, q.foreseenTargets(), false) // what is another's fails the run
		for _, p := range added {
			db.storeTarget(&b, q.spec.Name, p)
		}
		var err error
		if b.Puts, err = db.noteFound(q, added, b.Puts); err != nil {
			q.inactive = err
		}
	}
	if len(b.Puts) > 0 && !db.opts.ReadOnly {
		_, _ = db.eng.Commit(ctx, &b, false) // or at the next opening
	}
}

// noteOutputs notes what query writes.
func (q *cq) noteOutputs(query *Query) {
	q.outputs = query.outputs()
	for _, out := range q.outputs {
		if p, err := pattern.Parse(out); err == nil {
			q.targets = append(q.targets, p)
			if p.Literal() {
				q.named = append(q.named, p.String())
			}
		}
	}
}

// foreseenTargets are those that templates make of the series there are. It is
// called once.
//
//go:noinline
func (q *cq) foreseenTargets() (all []string) {
	for _, list := range q.into {
		for i := range list {
			if p, err := pattern.Canonical(list[i].path()); err == nil {
				all = append(all, p)
			}
		}
	}
	q.into = nil
	slices.Sort(all)
	return all
}

// mayWrite reports whether path may be a target of q: of a query of the program's
// own, all it has written.
func (q *cq) mayWrite(path string) bool {
	if _, ok := q.spec.Query.(Query); !ok {
		return true
	}
	for _, p := range q.targets {
		if p.Match(path) {
			return true
		}
	}
	return false
}
