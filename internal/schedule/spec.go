package schedule

import (
	"time"

	"github.com/tickwell/tickwell/internal/errs"
)

// Policy says what happens to executions that came due while none could run.
type Policy uint8

// The policies of the documents.
const (
	Blocked Policy = iota // run every one of them, oldest first
	Discard               // run only what is due next
)

// String returns the documents' word.
func (p Policy) String() string {
	if p == Discard {
		return "DISCARD"
	}
	return "BLOCKED"
}

const (
	// DefaultMinEvery is the documents' lower limit of the every interval.
	DefaultMinEvery = time.Second
	// DefaultCatchUp bounds how many missed executions Blocked runs.
	DefaultCatchUp = 10_000
	// MaxRetryDelay bounds the wait after a failed execution.
	MaxRetryDelay = 20 * time.Second
)

// Spec says when a continuous query runs and what range a run covers: EVERY,
// BOUNDARY, RANGE and TIMEOUT POLICY of CREATE CONTINUOUS QUERY.
type Spec struct {
	Every    time.Duration // 0 = GroupBy
	Boundary int64         // an instant the grid goes through, and before which nothing runs
	Cron     string        // instead of Every and Boundary, see [ParseCron]
	Zone     string        // of Cron, an IANA name; "" = UTC

	// RANGE start[, end]: a run at E covers [E-StartOffset, E-EndOffset).
	// Without HasRange the offsets are Every and 0; with Cron a run covers
	// the time since the instant before.
	HasRange    bool
	StartOffset time.Duration
	EndOffset   time.Duration

	GroupBy time.Duration // the query's GROUP BY TIME interval, 0 = none
	Policy  Policy
	CatchUp int           // most missed executions that Blocked runs; 0 = DefaultCatchUp
	Minimum time.Duration // least Every; 0 = DefaultMinEvery
}

// Plan checks the spec and returns its plan. Errors wrap errs.BadInput. The
// checks are the documents' (in their order), except that, as their page says,
// a start offset shorter than the every interval is accepted and leaves gaps,
// and a group interval longer than the start offset is refused.
func (s Spec) Plan() (*Plan, error) {
	if s.Minimum == 0 {
		s.Minimum = DefaultMinEvery
	}
	if s.CatchUp == 0 {
		s.CatchUp = DefaultCatchUp
	}
	if s.CatchUp < 0 {
		return nil, bad("catch-up limit %d must be positive", s.CatchUp)
	}
	p := &Plan{spec: s, start: s.StartOffset, end: s.EndOffset}
	if s.Cron != "" {
		if err := p.cronGrid(); err != nil {
			return nil, err
		}
	} else if err := p.everyGrid(); err != nil {
		return nil, err
	}
	switch {
	case s.HasRange || s.Cron == "":
		p.fixed = true
	case p.spec.StartOffset != 0 || p.spec.EndOffset != 0:
		return nil, bad("range offsets are given but no range")
	default:
		return p, nil
	}
	switch {
	case p.start <= 0:
		return nil, bad("start time offset %v must be greater than 0", p.start)
	case p.end < 0:
		return nil, bad("end time offset %v must be greater than or equal to 0", p.end)
	case p.start <= p.end:
		return nil, bad("start time offset %v must be greater than end time offset %v", p.start, p.end)
	case s.GroupBy > p.start:
		return nil, bad("group by interval %v must not be greater than start time offset %v", s.GroupBy, p.start)
	}
	return p, nil
}

func (p *Plan) cronGrid() error {
	s := p.spec
	if s.Every != 0 || s.Boundary != 0 {
		return bad("every interval and boundary cannot be combined with cron expression %q", s.Cron)
	}
	c, err := ParseCron(s.Cron, s.Zone)
	if err != nil {
		return err
	}
	p.cron, p.due = c, new(due)
	return nil
}

func (p *Plan) everyGrid() error {
	s := &p.spec
	if s.Zone != "" {
		return bad("time zone %q is given without a cron expression", s.Zone)
	}
	if s.Every == 0 {
		s.Every = s.GroupBy
	}
	if s.Every == 0 {
		return bad("at least one of every interval and group by interval must be given")
	}
	if s.Every < s.Minimum {
		return bad("every interval %v must not be lower than the minimum every interval %v", s.Every, s.Minimum)
	}
	if !s.HasRange {
		if s.StartOffset != 0 || s.EndOffset != 0 {
			return bad("range offsets are given but no range")
		}
		p.start = s.Every
	}
	return nil
}

func bad(format string, args ...any) error { return errs.Badf(format, args...) }
