package tickwell

import (
	"cmp"
	"sync"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/sorting"
)

// skipped gathers what a query with AllowDamaged has left out. Several
// goroutines may read, and several cursors the same range.
type skipped struct {
	mu   sync.Mutex
	seen map[Damage]bool
}

// begin forgets what an earlier range was told.
func (s *skipped) begin() func(engine.Damage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = make(map[Damage]bool)
	return s.add
}

func (s *skipped) add(d engine.Damage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[damageOf(&d)] = true
}

// Damage returns what the last range over the result has left out because it
// could not be read, by file and time. It is empty without
// [Query.AllowDamaged].
func (r *Result) Damage() []Damage {
	if r.damage == nil {
		return nil
	}
	r.damage.mu.Lock()
	defer r.damage.mu.Unlock()
	var all []Damage
	for d := range r.damage.seen {
		all = append(all, d)
	}
	sorting.By(all, func(a, b Damage) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}
