package oracle

import (
	"fmt"
	"strings"
)

// Verb says what a call does.
type Verb uint8

// The verbs.
const (
	Insert Verb = iota // Tablets, as one group
	Delete             // points of Pattern in [From, To)
	Drop               // series of Pattern
	Flush
	Sync
	Reopen // close and open again
	Tick   // the clock goes on by one Period
)

var verbNames = [...]string{"insert", "delete", "drop", "flush", "sync", "reopen", "tick"}

// String returns the verb's name.
func (v Verb) String() string { return verbNames[v] }

// Call is one call of a store's interface.
type Call struct {
	Verb    Verb
	Via     uint8 // Insert: which of the ways that are equal
	Durable bool  // Insert: returns only when on disk
	Tablets []Tablet
	Pattern string // a path, "device.*", or "prefix.**"
	From    int64
	To      int64
}

// Tablet is rows of one device by column.
type Tablet struct {
	Device  string
	Times   []int64
	Columns []Column
}

// Column is one measurement; a cell of kind Null was not measured.
type Column struct {
	Name  string
	Kind  Kind
	Cells []Cell
}

// Base is what times are printed relative to.
const Base = int64(1_700_000_000_000_000_000)

func clock(at int64) string {
	switch d := at - Base; {
	case d%1e6 == 0 && d > -1e15 && d < 1e15:
		return fmt.Sprintf("%dms", d/1e6)
	}
	return fmt.Sprint(at)
}

// String prints the call as shrunk operations are printed.
func (c Call) String() string {
	switch c.Verb {
	case Insert:
		var b strings.Builder
		fmt.Fprintf(&b, "insert/%d", c.Via)
		if c.Durable {
			b.WriteString(" durable")
		}
		for _, t := range c.Tablets {
			fmt.Fprintf(&b, " %s{", t.Device)
			for i, at := range t.Times {
				if i > 0 {
					b.WriteString("; ")
				}
				if i == 6 && len(t.Times) > 8 {
					fmt.Fprintf(&b, "… %d rows to %s", len(t.Times), clock(t.Times[len(t.Times)-1]))
					break
				}
				b.WriteString(clock(at) + ":")
				for _, col := range t.Columns {
					fmt.Fprintf(&b, " %s=%v", col.Name, col.Cells[i])
				}
			}
			b.WriteString("}")
		}
		return b.String()
	case Delete:
		return fmt.Sprintf("delete %s [%s, %s)", c.Pattern, clock(c.From), clock(c.To))
	case Drop:
		return "drop " + c.Pattern
	}
	return c.Verb.String()
}

// match reports whether a pattern of the three simple forms covers a path.
func match(pattern, path string) bool {
	if p, ok := strings.CutSuffix(pattern, ".**"); ok {
		return strings.HasPrefix(path, p+".")
	}
	if p, ok := strings.CutSuffix(pattern, ".*"); ok {
		rest, ok := strings.CutPrefix(path, p+".")
		return ok && !strings.Contains(rest, ".")
	}
	return pattern == path
}

// First returns the first n rows of t.
func (t *Tablet) First(n int) Tablet {
	out := Tablet{Device: t.Device, Times: t.Times[:n]}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, Column{c.Name, c.Kind, c.Cells[:n]})
	}
	return out
}
