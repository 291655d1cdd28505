package oracle

// Possible is the set of states that a store may hold when some calls failed in
// a way that leaves open whether they took effect.
type Possible struct{ states []*State }

// Outcome is how a call ended.
type Outcome uint8

// The outcomes.
const (
	Done   Outcome = iota // it returned nil
	Unsure                // it failed: it may have taken effect, in whole steps
	Denied                // it was refused, and has no effect
)

// Only returns the set of one state.
func Only(s *State) *Possible { return &Possible{[]*State{s}} }

// Apply takes in a call. It returns false if no state is left.
func (p *Possible) Apply(c *Call, o Outcome) bool {
	var next []*State
	for _, s := range p.states {
		steps, ok := c.Steps(s)
		switch {
		case o == Done && ok && len(steps) > 0:
			next = append(next, steps[len(steps)-1])
		case o == Done && ok, o == Denied:
			next = append(next, s)
		case o == Unsure:
			next = append(append(next, s), steps...)
		}
	}
	p.states = distinct(next)
	return len(p.states) > 0
}

func distinct(list []*State) (out []*State) {
	seen := map[string]bool{}
	for _, s := range list {
		if k := s.Key(); !seen[k] {
			seen[k] = true
			out = append(out, s)
		}
	}
	return out
}

// Size is how many states there are.
func (p *Possible) Size() int { return len(p.states) }

// Any is one of them.
func (p *Possible) Any() *State { return p.states[len(p.states)-1] }

// With returns those for which keep is true.
func (p *Possible) With(keep func(*State) bool) *Possible {
	out := &Possible{}
	for _, s := range p.states {
		if keep(s) {
			out.states = append(out.states, s)
		}
	}
	return out
}

// Showing returns those whose points are those of d.
func (p *Possible) Showing(d Dump) *Possible {
	hash := d.Hash()
	return p.With(func(s *State) bool { return s.hash == hash && Diff(s.Dump(), d) == "" })
}
