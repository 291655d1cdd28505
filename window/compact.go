package window

import (
	"math"
	"time"
)

// compact is a valid Spec in less than half of its memory: a handler is made for
// each of many series, and the parameters of different kinds share a place.
type compact struct {
	Kind             Kind
	unit             Unit
	Anchor           Anchor
	HasBegin, HasEnd bool
	a, b             int64  // the two parameters of the kind
	extra            uint64 // Origin, or the bits of Delta
	Begin, End       int64
	name             string // Zone or Column
}

func compacted(s Spec) compact {
	c := compact{Kind: s.Kind, unit: s.Unit, Anchor: s.Anchor, HasBegin: s.HasBegin, HasEnd: s.HasEnd,
		extra: uint64(s.Origin), Begin: s.Begin, End: s.End, name: s.Zone + s.Column}
	switch s.Kind {
	case Size:
		c.a, c.b = int64(s.Rows), int64(s.Stride)
	case Time:
		c.a, c.b = int64(s.Interval), int64(s.Step)
	case Calendar:
		c.a, c.b = int64(s.Units), int64(s.UnitStep)
	case Session:
		c.a, c.b = int64(s.Gap), int64(s.MaxSpan)
	case State:
		c.extra = math.Float64bits(s.Delta)
	case Condition:
		c.a, c.b = int64(s.MinRows), int64(s.MaxRows)
	}
	return c
}

// spec returns the Spec that c was made of.
func (c *compact) spec() Spec {
	s := Spec{Kind: c.Kind, Unit: c.unit, Anchor: c.Anchor, HasBegin: c.HasBegin, HasEnd: c.HasEnd, Begin: c.Begin, End: c.End}
	switch c.Kind {
	case Size:
		s.Rows, s.Stride = int(c.a), int(c.b)
	case Time:
		s.Interval, s.Step, s.Origin = time.Duration(c.a), time.Duration(c.b), int64(c.extra)
	case Calendar:
		s.Units, s.UnitStep, s.Origin, s.Zone = int(c.a), int(c.b), int64(c.extra), c.name
	case Session:
		s.Gap, s.MaxSpan = time.Duration(c.a), time.Duration(c.b)
	case State:
		s.Delta, s.Column = math.Float64frombits(c.extra), c.name
	case Condition:
		s.MinRows, s.MaxRows, s.Column = int(c.a), int(c.b), c.name
	}
	return s
}

// endless is more rows than will ever come: positions so far ahead can be added to
// each other.
const endless = 1 << 60

// The parameters of the kind at hand.
func (c *compact) rows() int64    { return min(c.a, endless) } // size
func (c *compact) stride() int64  { return min(c.b, endless) }
func (c *compact) gap() int64     { return c.a } // session
func (c *compact) maxSpan() int64 { return c.b }
func (c *compact) minRows() int64 { return c.a } // condition
func (c *compact) maxRows() int64 { return c.b }
