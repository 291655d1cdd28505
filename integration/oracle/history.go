package oracle

// History is what happened to a store, as a chain of states and marks of when
// which of them was promised. Ops are numbers of file system operations.
type History struct {
	states []*State
	marks  []mark
}

// mark is the end of one call.
type mark struct {
	ops     int // operations when it returned
	last    int // newest state it led to
	acked   int // newest state that a killed process must not lose
	durable int // newest state that a power cut must not lose
}

// NewHistory begins with a store that holds s for sure.
func NewHistory(s *State) *History {
	return &History{states: []*State{s}, marks: []mark{{}}}
}

// Promise says what the return of a call means for what happened so far.
type Promise uint8

// The promises.
const (
	Nothing   Promise = iota
	KillSafe          // the operating system has it
	PowerSafe         // the disk has it
)

// Returned takes in that a call returned after ops operations, having led to
// steps, and what that promises.
func (h *History) Returned(steps []*State, p Promise, ops int) {
	m := h.marks[len(h.marks)-1]
	h.states = append(h.states, steps...)
	m.ops, m.last = ops, len(h.states)-1
	if p >= KillSafe {
		m.acked = m.last
	}
	if p >= PowerSafe {
		m.durable = m.last
	}
	h.marks = append(h.marks, m)
}

// Ended is the number of operations when call number n, counted from 1, had
// returned. Opening the store counts as call 0.
func (h *History) Ended(n int) int { return h.marks[n+1].ops }

// BeforeLast is the number of the state before the last call that led anywhere.
func (h *History) BeforeLast() int {
	for i := len(h.marks) - 2; i >= 0; i-- {
		if h.marks[i].last < len(h.states)-1 {
			return h.marks[i].last
		}
	}
	return 0
}

// Begun takes in the steps of a call that did not return.
func (h *History) Begun(steps []*State) { h.states = append(h.states, steps...) }

// Now is the state after the last call.
func (h *History) Now() *State { return h.states[len(h.states)-1] }

// State returns state number i.
func (h *History) State(i int) *State { return h.states[i] }

// Len is the number of states.
func (h *History) Len() int { return len(h.states) }

// Acked is the number of the newest state that was acknowledged at all.
func (h *History) Acked() int { return h.marks[len(h.marks)-1].last }

// Bounds returns the first and the last state that a store may hold when it was
// stopped after ops operations: by a power cut, or by the death of its process.
// The watermark is that of the calls that had returned by then.
func (h *History) Bounds(ops int, power bool) (lo, hi int) {
	i := 0
	for i+1 < len(h.marks) && h.marks[i+1].ops <= ops {
		i++
	}
	if lo = h.marks[i].acked; power {
		lo = h.marks[i].durable
	}
	if i+1 < len(h.marks) {
		return lo, h.marks[i+1].last
	}
	return lo, len(h.states) - 1
}

// Find returns the states in [lo, hi] whose points are those of d.
func (h *History) Find(d Dump, lo, hi int) (found []int) {
	hash := d.Hash()
	for i := lo; i <= hi; i++ {
		if h.states[i].hash == hash && Diff(h.states[i].Dump(), d) == "" {
			found = append(found, i)
		}
	}
	return found
}

// Wrote reports whether some state of the history held the cell at that place:
// what a damaged store may show of the past.
func (h *History) Wrote(path string, at int64, c Cell) bool {
	for _, s := range h.states {
		if got, ok := s.Points(path)[at]; ok && got == c {
			return true
		}
	}
	return false
}
