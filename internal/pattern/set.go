package pattern

import "slices"

// Entry is a pattern of a [Set] with what belongs to it.
type Entry[T any] struct {
	Pattern *Pattern
	Value   T
}

// Hit is an entry that matched, and which of the measurements it matched.
type Hit[T any] struct {
	Value        T
	Measurements []int // indexes in the list given to Match, ascending
}

// Set matches many patterns at once. It does not change and is safe for
// concurrent use; build another when the patterns change.
//
// Patterns are found by their literal leading nodes and, where they have one,
// their literal measurement, so that those of other devices or other
// measurements cost nothing.
type Set[T any] struct {
	entries []Entry[T]
	byStart map[string]*bucket
}

// bucket holds the patterns with equal literal leading nodes, as ascending
// indexes of entries.
type bucket struct {
	byMeasurement map[string][]int // content of the last node, when literal
	others        []int
}

// NewSet returns a set of the entries; hits come in their order.
func NewSet[T any](entries []Entry[T]) *Set[T] {
	s := &Set[T]{entries: slices.Clone(entries), byStart: map[string]*bucket{}}
	for i, e := range s.entries {
		p := e.Pattern
		start := p.prefix
		if p.literal {
			start, _ = Split(start)
		}
		b := s.byStart[start]
		if b == nil {
			b = &bucket{byMeasurement: map[string][]int{}}
			s.byStart[start] = b
		}
		if last := p.nodes[len(p.nodes)-1]; last.kind == literalNode {
			b.byMeasurement[last.text] = append(b.byMeasurement[last.text], i)
		} else {
			b.others = append(b.others, i)
		}
	}
	return s
}

// Len returns the number of entries.
func (s *Set[T]) Len() int { return len(s.entries) }

// Match returns the entries that match one measurement or more of the device,
// in the order of the entries, or nil. Device and measurements are canonical.
// It allocates only for what it returns.
func (s *Set[T]) Match(device string, measurements []string) []Hit[T] {
	type pair struct{ entry, measurement int }
	var found []pair
	try := func(entry, measurement int) {
		if s.entries[entry].Pattern.MatchParts(device, measurements[measurement]) {
			found = append(found, pair{entry, measurement})
		}
	}
	look := func(start string) {
		b := s.byStart[start]
		if b == nil {
			return
		}
		for m := range measurements {
			for _, e := range b.byMeasurement[content(measurements[m])] {
				try(e, m)
			}
			for _, e := range b.others {
				try(e, m)
			}
		}
	}
	look("")
	for at, rest, more := 0, device, device != ""; more; {
		var text string
		text, rest, more = cut(rest)
		at += len(text)
		look(device[:at])
		at++ // the dot
	}
	if found == nil {
		return nil
	}
	slices.SortFunc(found, func(a, b pair) int {
		if a.entry != b.entry {
			return a.entry - b.entry
		}
		return a.measurement - b.measurement
	})
	var hits []Hit[T]
	for i, f := range found {
		if i == 0 || f.entry != found[i-1].entry {
			hits = append(hits, Hit[T]{Value: s.entries[f.entry].Value})
		}
		h := &hits[len(hits)-1]
		h.Measurements = append(h.Measurements, f.measurement)
	}
	return hits
}
