package tickwell

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// cqTable is what inserts need to know of continuous queries; it does not change.
type cqTable struct {
	owned map[string]string // path of a series → the query that writes it
	views []*cqView
	plain atomic.Pointer[cqFeeds] // of the columns asked for last that nobody owns
}

// plainRows reports that no query reads or owns any column.
func (t *cqTable) plainRows() bool { return t == nil || len(t.views) == 0 && len(t.owned) == 0 }

// cqFeeds is what a cqTable says about the columns of a binding.
type cqFeeds struct {
	table  *cqTable
	owners []string  // by column; nil: nobody owns any
	views  []*cqView // that read one of them
}

func (b *binding) feedsOf(t *cqTable) *cqFeeds {
	if f := b.feeds.Load(); f != nil && f.table == t {
		return f
	}
	f := &cqFeeds{table: t}
	for i, node := range b.nodes {
		if o := t.owned[pattern.Join(b.path, node)]; o != "" {
			if f.owners == nil {
				f.owners = make([]string, len(b.nodes))
			}
			f.owners[i] = o
		}
	}
	for _, v := range t.views {
		if slices.ContainsFunc(b.nodes, func(node string) bool { return v.reads(b.path, node) }) {
			f.views = append(f.views, v)
		}
	}
	if f.owners == nil { // mostly many devices have the same, which then stay in the processor's cache
		if p := t.plain.Load(); p != nil && slices.Equal(p.views, f.views) {
			f = p
		} else {
			t.plain.Store(f)
		}
	}
	b.feeds.Store(f)
	return f
}

// checkOwner refuses an insert into a column that a continuous query writes,
// unless it is that query's.
func (t *cqTable) checkOwner(in *insertion) error {
	if t == nil || len(t.owned) == 0 {
		return nil
	}
	for i := range in.n {
		b := in.parts[i].bound
		for c, owner := range b.feedsOf(t).owners {
			if owner != "" && owner != in.query {
				return &Error{Op: "insert", Subject: b.device,
					Err: fmt.Errorf("column %q is written by continuous query %s only: %w", b.names[c], owner, errs.ReadOnly)}
			}
		}
	}
	return nil
}

// owns reports whether all columns of in are the query's already.
func (s *cqSet) owns(name string, in *insertion) bool {
	t := s.table.Load()
	if t == nil {
		return in.n == 0
	}
	for i := range in.n {
		b := in.parts[i].bound
		owners := b.feedsOf(t).owners
		if len(owners) < len(b.names) {
			return false
		}
		for _, owner := range owners {
			if owner != name {
				return false
			}
		}
	}
	return true
}

// publish makes the queries' views and targets known to inserts. The lock is
// held.
func (s *cqSet) publish() {
	t := &cqTable{owned: maps.Clone(s.owned)}
	for _, q := range s.sorted() {
		if q.view != nil {
			t.views = append(t.views, q.view)
		}
	}
	if s.leaving != nil {
		t.views = append(t.views, s.leaving)
	}
	watch := !t.plainRows()
	if watch && !s.watching {
		s.eng.Watch(true) // first: points do not look at the table
	}
	s.table.Store(t)
	if !watch && s.watching {
		s.eng.Watch(false)
	}
	s.watching = watch
}

// claim makes the series at paths the query's own and returns those that were not
// before. Where one is another query's it fails: then whole says that none is
// claimed, and else the others are.
func (s *cqSet) claim(name string, paths []string, whole bool) (added []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range paths {
		switch owner := s.owned[p]; owner {
		case name:
		case "":
			if s.owned == nil {
				s.owned = make(map[string]string)
			}
			s.owned[p] = name
			added = append(added, p)
		default:
			err = fmt.Errorf("target %s is written by continuous query %s: %w", p, owner, errs.Exists)
		}
	}
	if err != nil && whole {
		s.disown(added)
		return nil, err
	}
	if len(added) > 0 {
		s.publish()
	}
	return added, err
}

// unclaim undoes a claim whose rows were not stored.
func (s *cqSet) unclaim(paths []string) {
	if len(paths) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disown(paths)
	s.publish()
}

// disown makes paths nobody's; the lock is held.
func (s *cqSet) disown(paths []string) {
	for _, p := range paths {
		delete(s.owned, p)
	}
}

// targetsOf returns the series that a query writes.
func (s *cqSet) targetsOf(name string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, owner := range s.owned {
		if owner == name {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return all
}

// release gives up the targets of a query. The lock is held.
func (s *cqSet) release(name string) {
	maps.DeleteFunc(s.owned, func(_, owner string) bool { return owner == name })
	s.publish()
}

// targetPaths are the series that tablets write.
func targetPaths(ts []*Tablet) ([]string, error) {
	var all []string
	for _, t := range ts {
		device, err := pattern.Canonical(t.Device)
		if err != nil {
			return nil, err
		}
		for i := range t.Columns {
			node, err := pattern.CanonicalNode(t.Columns[i].Name)
			if err != nil {
				return nil, err
			}
			all = append(all, pattern.Join(device, node))
		}
	}
	return all, nil
}
