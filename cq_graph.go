package tickwell

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// splitNodes cuts a path or pattern at the dots outside of backquotes.
//
//go:noinline
func splitNodes(p string) []string {
	var nodes []string
	quoted, from := false, 0
	for i := range len(p) {
		switch p[i] {
		case '`':
			quoted = !quoted
		case '.':
			if !quoted {
				nodes = append(nodes, p[from:i])
				from = i + 1
			}
		}
	}
	return append(nodes, p[from:])
}

// overlap reports whether a path may match both patterns. Nodes with a wildcard
// among other letters count as a plain wildcard, so it may say so in vain.
func overlap(a, b string) bool { return overlapNodes(loosen(a), loosen(b)) }

// loosen writes ** as one node and any number of further ones.
func loosen(p string) []string {
	var out []string
	for _, n := range splitNodes(p) {
		switch {
		case n == "**":
			out = append(out, "*", "**")
		case n[:min(1, len(n))] != "`" && strings.Contains(n, "*"):
			out = append(out, "*")
		default:
			out = append(out, n)
		}
	}
	return out
}

func overlapNodes(a, b []string) bool {
	switch {
	case len(a) > 0 && a[0] == "**":
		return overlapNodes(a[1:], b) || len(b) > 0 && overlapNodes(a, b[1:])
	case len(b) > 0 && b[0] == "**":
		return overlapNodes(b, a)
	case len(a) == 0 || len(b) == 0:
		return len(a) == len(b)
	}
	return (a[0] == "*" || b[0] == "*" || a[0] == b[0]) && overlapNodes(a[1:], b[1:])
}

// feeds reports whether results of q may be rows that o reads.
func (q *cq) feeds(o *cq) bool {
	for _, out := range q.outputs {
		for _, in := range o.inputs {
			if overlap(out, in) {
				return true
			}
		}
	}
	return false
}

// checkCycle refuses q if its results come back to it, directly or through
// others.
func (s *cqSet) checkCycle(q *cq) error {
	var path []*cq
	seen := map[*cq]bool{}
	var walk func(*cq) bool
	walk = func(at *cq) bool {
		path = append(path, at)
		if at.feeds(q) {
			return true
		}
		seen[at] = true
		for _, o := range s.sorted() {
			if o.spec.Name != q.spec.Name && !seen[o] && at.feeds(o) && walk(o) {
				return true
			}
		}
		path = path[:len(path)-1]
		return false
	}
	if !walk(q) {
		return nil
	}
	var names []string
	for _, p := range path {
		names = append(names, p.spec.Name)
	}
	return fmt.Errorf("its results feed its own input (%s → %s): %w", strings.Join(names, " → "), q.spec.Name, errs.BadInput)
}

// sorted returns the queries by name. The lock is held.
func (s *cqSet) sorted() []*cq {
	all := make([]*cq, 0, len(s.all))
	for _, q := range s.all {
		all = append(all, q)
	}
	slices.SortFunc(all, func(a, b *cq) int { return strings.Compare(a.spec.Name, b.spec.Name) })
	return all
}

// ordered returns the incremental queries so that each comes after those that
// feed it, also by way of scheduled ones.
func (s *cqSet) ordered() []*cq {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.order != nil {
		return s.order
	}
	all := s.sorted()
	s.order = []*cq{}
	placed := map[*cq]bool{}
	var place func(*cq)
	place = func(q *cq) {
		if placed[q] {
			return
		}
		placed[q] = true
		for _, o := range all {
			if o != q && o.feeds(q) {
				place(o)
			}
		}
		if q.view != nil {
			s.order = append(s.order, q)
		}
	}
	for _, q := range all {
		if q.view != nil {
			place(q)
		}
	}
	return s.order
}
