package oracle

import "fmt"

// The world that the oracle knows besides the points: a trigger before inserts,
// one after, and a continuous query. Whoever drives the store installs the same.
//
//	guard  BEFORE, on root.a.*: refuses a group that holds the cell Refused in
//	       column i; else counts rows, keeps the count as state, emits one event
//	       a firing. All of it is in the insert's own step.
//	tally  AFTER, on root.b.*: counts rows, keeps the count, writes it to
//	       root.tally.n at the latest time of the rows, emits one event: a step
//	       of its own.
//	roll   every Period over the Period before: writes to root.roll how many
//	       points root.a.i has there (n) and their sum (x), emits one event: one
//	       step with its progress.
const (
	Guarded = "root.a"
	Tallied = "root.b"
	Rolled  = "root.roll"
	Refused = int64(-999)
	Period  = int64(1e9)
)

// GuardEvent is the identity of an event of guard.
func GuardEvent(count int64) string { return fmt.Sprint("guard|", count) }

// TallyEvent is the identity of an event of tally.
func TallyEvent(count int64) string { return fmt.Sprint("tally|", count) }

// RollEvent is the identity of an event of roll.
func RollEvent(due int64) string { return fmt.Sprint("roll|", due) }

// Steps returns the states that follow s one after the other while the call
// takes effect; each follows the one before in one atomic step. A crash may
// leave s or any of them, success means the last. None: the call changes
// nothing. ok is false if the store must refuse the call.
func (c *Call) Steps(s *State) (steps []*State, ok bool) {
	switch c.Verb {
	case Insert:
		return c.insert(s)
	case Delete:
		return c.delete(s), true
	case Drop:
		return c.drop(s), true
	case Tick:
		n := s.clone()
		n.now += Period
		if n.last == 0 {
			return []*State{n, n.roll(n.now - n.now%Period)}, true
		}
		return append([]*State{n}, n.Due()...), true
	}
	return nil, true
}

// Final is the state after the call succeeded.
func (c *Call) Final(s *State) *State {
	if steps, ok := c.Steps(s); ok && len(steps) > 0 {
		return steps[len(steps)-1]
	}
	return s
}

func (c *Call) insert(s *State) ([]*State, bool) {
	n, owned, rows := s.clone(), map[string]bool{}, 0
	for i := range c.Tablets {
		t := &c.Tablets[i]
		rows += len(t.Times)
		if t.Device != Guarded {
			continue
		}
		fired := 0
		for r := range t.Times {
			any := false
			for _, col := range t.Columns {
				if any = any || col.Cells[r].Kind != Null; col.Name == "i" && col.Cells[r] == IntCell(Refused) {
					return nil, false
				}
			}
			if any {
				fired++
			}
		}
		if fired > 0 {
			n.kv["guard"] += int64(fired)
			n.emit(GuardEvent(n.kv["guard"]))
		}
	}
	if rows == 0 {
		return nil, true
	}
	for i := range c.Tablets {
		c.Tablets[i].store(n, owned)
	}
	steps := []*State{n}
	for i := range c.Tablets {
		if t := &c.Tablets[i]; t.Device == Tallied {
			if next := t.tally(steps[len(steps)-1]); next != nil {
				steps = append(steps, next)
			}
		}
	}
	return steps, true
}

// store puts the cells of t: the later row wins, nulls overwrite nothing.
func (t *Tablet) store(s *State, owned map[string]bool) {
	for _, col := range t.Columns {
		for r, at := range t.Times {
			if col.Cells[r].Kind != Null {
				s.put(owned, t.Device+"."+col.Name, at, col.Cells[r])
			}
		}
	}
}

func (t *Tablet) tally(s *State) *State {
	var rows, latest int64
	for r, at := range t.Times {
		for _, col := range t.Columns {
			if col.Cells[r].Kind != Null {
				if rows == 0 || at > latest {
					latest = at
				}
				rows++
				break
			}
		}
	}
	if rows == 0 {
		return nil
	}
	n := s.clone()
	n.kv["tally"] += rows
	n.put(map[string]bool{}, "root.tally.n", latest, IntCell(n.kv["tally"]))
	n.emit(TallyEvent(n.kv["tally"]))
	return n
}

func (c *Call) delete(s *State) []*State {
	n, owned := s.clone(), map[string]bool{}
	for path, ser := range s.series {
		if !match(c.Pattern, path) {
			continue
		}
		for at := range ser.cells {
			if c.From <= at && at < c.To {
				n.remove(owned, path, at)
			}
		}
	}
	return []*State{n}
}

func (c *Call) drop(s *State) []*State {
	n := s.clone()
	for path, ser := range s.series {
		if match(c.Pattern, path) {
			n.hash ^= ser.hash
			delete(n.series, path)
		}
	}
	return []*State{n}
}

// Due returns the steps of the query's runs that are due and have not been
// made. A query that never ran has missed none: it begins with the next instant.
func (s *State) Due() (steps []*State) {
	if s.last == 0 {
		return nil
	}
	for at := s.last + Period; at <= s.now; at += Period {
		s = s.roll(at)
		steps = append(steps, s)
	}
	return steps
}

func (s *State) roll(due int64) *State {
	count, sum := s.Window(due-Period, due)
	n, owned := s.clone(), map[string]bool{}
	n.put(owned, Rolled+".n", due-Period, IntCell(count))
	n.put(owned, Rolled+".x", due-Period, IntCell(sum))
	n.emit(RollEvent(due))
	n.last = due
	return n
}

// Window returns what the query computes over [from, to).
func (s *State) Window(from, to int64) (count, sum int64) {
	for at, c := range s.Points(Guarded + ".i") {
		if from <= at && at < to {
			count++
			sum += int64(c.Bits)
		}
	}
	return count, sum
}

// Trimmed is s without the history of its events and without the rows that the
// query wrote longer than keep ago, for runs without end.
func (s *State) Trimmed(keep int64) *State {
	n, owned := s.clone(), map[string]bool{}
	n.events, n.count = nil, 0
	for _, col := range []string{".n", ".x"} {
		for at := range s.Points(Rolled + col) {
			if at < s.now-keep {
				n.remove(owned, Rolled+col, at)
			}
		}
	}
	return n
}
