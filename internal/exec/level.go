package exec

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// An Aggregate is what an aggregate of a plan is, apart from its windows. Two
// plans with equal ones give the same value for the same rows. The zero
// Aggregate stands for one that cannot be told.
type Aggregate struct {
	Fn    string // in lower case
	Args  string // encoded, names as whole paths
	Where string // the same
	Unit  int64
}

// PlannedAggregate is a column of a plan that is an aggregate and nothing else.
type PlannedAggregate struct {
	Aggregate
	Device string // if aligned by device
	Column int
	Input  *Series // its only input, if that is a stored series
	Kind   column.Kind
}

// Aggregates returns the columns of p that are aggregates. The query must have
// asked for it by Query.Stored.
func (p *Plan) Aggregates() []PlannedAggregate {
	var all []PlannedAggregate
	for _, pt := range p.parts {
		a, ok := pt.in.(*aggRows)
		if !ok { // HAVING leaves out windows
			continue
		}
		for i, n := range pt.outputs {
			if n.op != opSlot || n.slot == endSlot {
				continue
			}
			if s := a.slots[n.slot]; s.stored != (Aggregate{}) {
				all = append(all, PlannedAggregate{Aggregate: s.stored, Device: pt.device, Column: i, Input: s.input, Kind: s.kind.Kind})
			}
		}
	}
	return all
}

// Levels is a [Source] that knows where aggregates are stored already.
type Levels interface {
	// LevelsOf returns the levels of an aggregate, the coarsest first. For
	// sums, those of an average are the ones of its sum with its count.
	LevelsOf(a Aggregate) []*Level
}

// Level is a series that holds, for windows that follow each other, the value
// of an aggregate.
type Level struct {
	Name  string
	Value *Series
	Count *Series // if Value is a sum and an average is asked: the count
	// Seek returns the first window that begins at or after t, Window the times
	// [start, end) of window k and the time of its row, Clean whether the row is
	// what the rows of the window give. A window without a row is not.
	Seek   func(t int64) int64
	Window func(k int64) (start, end, row int64)
	Clean  func(k int64) bool
}

// How values of parts of a window become that of the window, bit by bit as if
// all its rows were folded.
const (
	joinNone  = iota // not at all
	joinCount        // counts are added
	joinSame         // by the aggregate itself
	joinTime         // the first or last time
	joinSum          // sums of integers are added, while none is rounded
	joinMean         // the same, by counts
)

// joinOf says how parts of an aggregate over inputs of a kind are put together.
// Sums of floats are rounded at each step, so theirs are not.
func joinOf(fn string, kind column.Kind) int {
	switch fn {
	case "count": // count_if counts runs, which may go on from one window to the next
		return joinCount
	case "min_value", "max_value", "extreme", "first_value", "last_value":
		return joinSame
	case "min_time", "max_time":
		return joinTime
	case "sum":
		if integer(kind) {
			return joinSum
		}
	case "avg":
		if integer(kind) {
			return joinMean
		}
	}
	return joinNone
}

// Stored returns the aggregates of p that may be answered from levels.
func (p *Plan) Stored() []Aggregate {
	var all []Aggregate
	for _, pt := range p.parts {
		in := pt.in
		if f, ok := in.(*filtered); ok {
			in = f.in
		}
		if a, ok := in.(*aggRows); ok && p.q.Group.Kind <= GroupTime {
			for _, s := range a.slots {
				if s.stored != (Aggregate{}) && !slices.Contains(all, s.stored) {
					all = append(all, s.stored)
				}
			}
		}
	}
	return all
}

// Composes reports whether outer over the values of inner, window by window, is
// inner over the rows of all of them.
func Composes(inner, outer string) bool {
	switch inner {
	case "count":
		return outer == "sum"
	case "min_time":
		return outer == "min_value"
	case "max_time":
		return outer == "max_value"
	case "min_value", "max_value", "extreme", "first_value", "last_value":
		return inner == outer
	}
	return false
}

// storedAs tells what an aggregate is, with names as whole paths.
func (s *scope) storedAs(e expr.Expr, device string) Aggregate {
	if !s.p.q.Stored || len(s.p.q.Levels) > 0 || !isBuiltinAgg(e.Name()) || countTime(e) {
		return Aggregate{}
	}
	whole := func(e expr.Expr) []byte {
		return e.Map(func(x expr.Expr) (expr.Expr, bool) {
			if x.Op() != expr.OpColumn {
				return x, false
			}
			if ser := s.series[x.Name()]; ser != nil {
				return expr.Col(ser.Path()), true
			}
			return expr.Col(device + "." + x.Name()), true
		}).AppendBinary(nil)
	}
	var b []byte
	for _, a := range e.Args() {
		b = append(b, whole(a.As(""))...)
	}
	for _, a := range e.Attrs() {
		b = binary.AppendUvarint(b, uint64(len(a.Key)))
		b = binary.AppendUvarint(append(b, a.Key...), uint64(len(a.Value)))
		b = append(b, a.Value...)
	}
	out := Aggregate{Fn: strings.ToLower(e.Name()), Args: string(b), Unit: perUnit(s.p.q.Unit)}
	if !s.cond.IsZero() {
		out.Where = string(whole(s.cond))
	}
	return out
}

// fits reports whether a level can stand for the aggregate of a slot.
func (l *Level) fits(s *aggSlot) bool {
	if l.Value == nil {
		return false
	}
	k := l.Value.Kind
	switch {
	case l.Count != nil:
		return s.join == joinMean && k == column.Float64 && (l.Count.Kind == column.Int64 || l.Count.Kind == column.Float64)
	case s.join == joinCount:
		return k == column.Int64 || k == column.Float64 // of a sum of counts
	}
	return k == s.kind.Kind
}
