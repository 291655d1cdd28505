package window

import (
	"fmt"
	"math"
	"time"
)

// Kind says by what a [Spec] cuts rows into windows.
type Kind uint8

// The kinds of windows.
const (
	Size      Kind = iota + 1 // a number of rows
	Time                      // a span of time
	Calendar                  // days, weeks, months or years of a zone
	Session                   // rows without a long gap between them
	State                     // rows whose value stays the same, or near the first
	Condition                 // rows while something holds
)

// Anchor says where the grid of a time or calendar window begins.
type Anchor uint8

// The anchors.
const (
	Epoch      Anchor = iota // 1970-01-01T00:00 (of the zone, for calendar windows; weeks begin on Monday)
	FirstPoint               // the first row, or Begin where it is given: the documents' rule
	Instant                  // Origin
)

// Unit is a unit of the calendar.
type Unit uint8

// The units of calendar windows.
const (
	Day Unit = iota + 1
	Week
	Month
	Year
)

// Spec says where windows begin and end. It is plain data: compare it with ==,
// print it with String, read it with [ParseSpec], store it. Make one with
// [Count], [Tumbling], [Sliding], [Days], [Months], [Gap], [Same], [Within] or
// [While] and refine it with its methods; each returns a changed copy.
//
// Times are int64 and mean Unix nanoseconds, durations likewise. Nothing but
// calendar windows and the text form depends on the unit: who counts in
// milliseconds or in plain numbers may do so throughout.
type Spec struct {
	Kind   Kind   // which of the families: the fields of the others are zero
	Unit   Unit   // calendar: what Every and Step count
	Anchor Anchor // time, calendar

	HasBegin, HasEnd bool // whether Begin and End are given

	Rows   int // size: rows of a window
	Stride int // size: rows from the start of one window to the next

	Interval time.Duration // time: length of a window
	Step     time.Duration // time: from the start of one window to the next

	Units    int   // calendar: length in units
	UnitStep int   // calendar: from start to start in units
	Origin   int64 // anchor Instant

	Gap     time.Duration // session: a longer silence ends the window
	MaxSpan time.Duration // session: longest distance from first to last row; 0: no limit

	Delta   float64 // state: largest distance from the first value; 0: equality
	MinRows int     // condition: shorter windows are not given
	MaxRows int     // condition: longer windows are not given; 0: no limit

	Begin, End int64 // only rows in [Begin, End) take part

	Zone   string // calendar: IANA name; "" is UTC
	Column string // state, condition: the watched column, for those who have columns
}

// Count makes windows of n rows, one after the other.
func Count(n int) Spec { return Spec{Kind: Size, Rows: n, Stride: n} }

// Every sets the number of rows from one size window's start to the next.
func (s Spec) Every(rows int) Spec { s.Stride = rows; return s }

// Tumbling makes windows of length d that follow each other without overlap.
func Tumbling(d time.Duration) Spec { return Sliding(d, d) }

// Sliding makes windows of length interval that begin every step. Windows
// overlap where step is the smaller; where it is the larger, the rows between
// two windows belong to none.
func Sliding(interval, step time.Duration) Spec {
	return Spec{Kind: Time, Interval: interval, Step: step}
}

// Days makes windows of n days of the zone: 23 or 25 hours long where clocks
// change. A day the zone skipped has no window.
func Days(n int, zone string) Spec { return calendar(n, Day, zone) }

// Weeks makes windows of n weeks, Monday to Sunday.
func Weeks(n int, zone string) Spec { return calendar(n, Week, zone) }

// Months makes windows of n months. Counted from an instant or from Begin,
// a window begins on that day of the month, or on its last day where the month
// is shorter.
func Months(n int, zone string) Spec { return calendar(n, Month, zone) }

// Years makes windows of n years.
func Years(n int, zone string) Spec { return calendar(n, Year, zone) }

func calendar(n int, u Unit, zone string) Spec {
	return Spec{Kind: Calendar, Unit: u, Units: n, UnitStep: n, Zone: zone}
}

// EveryUnits sets the number of units from one calendar window's start to the
// next.
func (s Spec) EveryUnits(n int) Spec { s.UnitStep = n; return s }

// Gap makes a session of rows whose distance from row to row is at most d.
// With 0 each timestamp is its own window.
func Gap(d time.Duration) Spec { return Spec{Kind: Session, Gap: d} }

// AtMost limits a session: a row further than d from its first row begins a
// new one.
func (s Spec) AtMost(d time.Duration) Spec { s.MaxSpan = d; return s }

// Same makes a window of rows whose column keeps the value it had in the
// window's first row.
func Same(column string) Spec { return Spec{Kind: State, Column: column} }

// Within makes a window of rows whose column is at most delta away from its
// value in the window's first row.
func Within(column string, delta float64) Spec {
	return Spec{Kind: State, Column: column, Delta: delta}
}

// While makes a window of rows while column is true.
func While(column string) Spec { return Spec{Kind: Condition, Column: column} }

// Keep gives condition windows of at least least rows and, where most is not 0,
// at most that many.
func (s Spec) Keep(least, most int) Spec { s.MinRows, s.MaxRows = least, most; return s }

// FromFirst counts the windows from the first row, or from Begin if given.
func (s Spec) FromFirst() Spec { s.Anchor = FirstPoint; return s }

// From counts the windows from instant t, in both directions.
func (s Spec) From(t int64) Spec { s.Anchor, s.Origin = Instant, t; return s }

// Since leaves out the rows before begin: the documents' display window begin.
func (s Spec) Since(begin int64) Spec { s.HasBegin, s.Begin = true, begin; return s }

// Until leaves out the rows at or after end: the documents' display window end.
func (s Spec) Until(end int64) Spec { s.HasEnd, s.End = true, end; return s }

// ParamError tells which parameter makes a [Spec] or an option unusable.
type ParamError struct {
	Param  string // the documents' name of it: windowSize, slidingStep, timeInterval …
	Value  string // as it was given
	Reason string // what is wrong with it
}

// Error returns the text.
func (e *ParamError) Error() string {
	return fmt.Sprintf("window: parameter %s(%s) %s", e.Param, e.Value, e.Reason)
}

// noFunction is for a handler that has nobody to give its windows to.
func noFunction() error {
	return bad("eval", nil, "is missing: windows need a function to be given to")
}

//go:noinline
func bad(param string, value any, reason string) error {
	return &ParamError{Param: param, Value: fmt.Sprint(value), Reason: reason}
}

// Validate reports the first parameter that can produce no window as a
// [*ParamError]. It does not look for the zone's file; New, NewGrid and their
// like do.
func (s Spec) Validate() error {
	if err := s.validateKind(); err != nil {
		return err
	}
	switch {
	case s.Anchor > Instant:
		return bad("anchor", uint8(s.Anchor), "is unknown")
	case s.HasBegin && s.HasEnd && s.End < s.Begin:
		return bad("displayWindowEnd", s.End, fmt.Sprintf("should not be smaller than displayWindowBegin(%d)", s.Begin))
	}
	return s.validateUnused()
}

func (s Spec) validateKind() error {
	switch s.Kind {
	case Size:
		if s.Rows <= 0 {
			return bad("windowSize", s.Rows, "should be positive")
		}
		if s.Stride <= 0 {
			return bad("slidingStep", s.Stride, "should be positive")
		}
	case Time:
		if s.Interval <= 0 {
			return bad("timeInterval", int64(s.Interval), "should be positive")
		}
		if s.Step <= 0 {
			return bad("slidingStep", int64(s.Step), "should be positive")
		}
	case Calendar:
		if s.Unit < Day || s.Unit > Year {
			return bad("unit", uint8(s.Unit), "is unknown")
		}
		if s.Units <= 0 || s.Units > maxUnits {
			return bad("timeInterval", s.Units, fmt.Sprintf("should be between 1 and %d units", maxUnits))
		}
		if s.UnitStep <= 0 || s.UnitStep > maxUnits {
			return bad("slidingStep", s.UnitStep, fmt.Sprintf("should be between 1 and %d units", maxUnits))
		}
	case Session:
		if s.Gap < 0 {
			return bad("sessionTimeGap", int64(s.Gap), "should not be negative")
		}
		if s.MaxSpan < 0 {
			return bad("maxSpan", int64(s.MaxSpan), "should not be negative")
		}
	case State:
		if !(s.Delta >= 0) || math.IsInf(s.Delta, 0) {
			return bad("delta", s.Delta, "should be a finite number, not negative")
		}
	case Condition:
		if s.MinRows < 0 {
			return bad("keep", s.MinRows, "should not be negative")
		}
		if s.MaxRows < 0 || s.MaxRows > 0 && s.MaxRows < s.MinRows {
			return bad("keep", s.MaxRows, fmt.Sprintf("should not be smaller than %d", s.MinRows))
		}
	default:
		return bad("kind", uint8(s.Kind), "is unknown")
	}
	return nil
}

// validateUnused refuses parameters of another kind: they would be lost in the
// text form and make equal windows unequal.
func (s Spec) validateUnused() error {
	used := Spec{Kind: s.Kind, HasBegin: s.HasBegin, HasEnd: s.HasEnd}
	if s.HasBegin {
		used.Begin = s.Begin
	}
	if s.HasEnd {
		used.End = s.End
	}
	switch s.Kind {
	case Size:
		used.Rows, used.Stride = s.Rows, s.Stride
	case Time:
		used.Interval, used.Step = s.Interval, s.Step
	case Calendar:
		used.Unit, used.Units, used.UnitStep, used.Zone = s.Unit, s.Units, s.UnitStep, s.Zone
	case Session:
		used.Gap, used.MaxSpan = s.Gap, s.MaxSpan
	case State:
		used.Column, used.Delta = s.Column, s.Delta
	case Condition:
		used.Column, used.MinRows, used.MaxRows = s.Column, s.MinRows, s.MaxRows
	}
	if s.Kind == Time || s.Kind == Calendar {
		used.Anchor = s.Anchor
		if s.Anchor == Instant {
			used.Origin = s.Origin
		}
	}
	if used != s {
		return bad("kind", s.Kind, "was given parameters of another kind")
	}
	return nil
}

// maxUnits keeps calendar arithmetic far from overflow: more units than fit
// into the range of int64 nanoseconds are one endless window anyway.
const maxUnits = 1 << 20

// String returns it in words.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

var kindNames = [...]string{Size: "size", Time: "time", Calendar: "calendar", Session: "session", State: "state", Condition: "condition"}

// String returns it in words.
func (u Unit) String() string {
	if int(u) < len(unitNames) && u > 0 {
		return unitNames[u]
	}
	return fmt.Sprintf("unit %d", uint8(u))
}

var unitNames = [...]string{Day: "day", Week: "week", Month: "month", Year: "year"}
