package tickwell

// intoRoom is memory of what a continuous query writes, from one run to the next:
// rows of numbers go to where those of the run before were. It is used again when
// what it holds has been stored.
type intoRoom struct {
	shown Tablet    // of the result
	made  []*Tablet // for targets
	n     int       // of those, in use
	all   []*Tablet // what intoOf returns
	out   map[string]*Tablet
}

// What of a run is kept at most: tablets, and rows of one.
const (
	roomTablets = 64
	roomRows    = 256
)

// begin makes the room free, also of what a run that failed has left.
func (m *intoRoom) begin() {
	clear(m.out)
	if m.n, m.all = 0, m.all[:0]; m.out == nil {
		m.out = make(map[string]*Tablet)
	}
}

// rest is called when the last row of a run was copied.
func (m *intoRoom) rest(all []*Tablet) {
	clear(m.out)
	if m.all = all; len(all) > m.n { // those that are not of the room may be large
		m.all = nil
	}
	if len(all) > roomTablets {
		m.out = nil
	}
	for i, t := range m.made[:m.n] {
		if len(t.Times) > roomRows { // rows of others came to it
			m.made[i] = nil
		}
	}
	if len(m.shown.Times) > roomRows {
		m.shown = Tablet{}
	}
}

// copy is [Tablet.Clone] of t, which is dense, but for names.
func (m *intoRoom) copy(t *Tablet) *Tablet {
	if m == nil || m.n == roomTablets || len(t.Times) > roomRows {
		return t.Clone()
	}
	if m.n == len(m.made) {
		m.made = append(m.made, nil)
	}
	to := m.made[m.n]
	if to == nil || !to.overwrite(t) {
		to = t.Clone()
		m.made[m.n] = to
	}
	m.n++
	return to
}

// overwrite makes times and values of t those of to. It returns false if they have
// not the same number of rows and columns, or other columns than of the usual kinds.
func (to *Tablet) overwrite(t *Tablet) bool {
	if len(to.Times) != len(t.Times) || len(to.Columns) != len(t.Columns) {
		return false
	}
	copy(to.Times, t.Times)
	for i := range t.Columns {
		switch d := to.Columns[i].Data.(type) {
		case Float64s:
			s, ok := t.Columns[i].Data.(Float64s)
			if !ok {
				return false
			}
			copy(d, s)
		case Int64s:
			s, ok := t.Columns[i].Data.(Int64s)
			if !ok {
				return false
			}
			copy(d, s)
		default:
			return false
		}
	}
	return true
}
