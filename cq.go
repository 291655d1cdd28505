package tickwell

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
)

// A ContinuousQuery computes results from stored rows again and again; a
// [CQSpec] says when. [Query] is one; a program may bring its own.
//
// Run is called for one range at a time, never twice at once for the same
// specification. What it writes and emits through r, and the progress of the
// query, are stored in one atomic step if it returns nil. After an error the
// same range is tried again.
type ContinuousQuery interface {
	Run(ctx context.Context, r *CQRun) error
}

// TimeoutPolicy is what happens when a run is late (the documents' TIMEOUT
// POLICY).
type TimeoutPolicy uint8

const (
	// Blocked runs every missed range, oldest first.
	Blocked TimeoutPolicy = iota
	// Discard jumps to the newest range.
	Discard
)

// String returns "BLOCKED" or "DISCARD".
func (p TimeoutPolicy) String() string {
	if p == Discard {
		return "DISCARD"
	}
	return "BLOCKED"
}

// CQSpec says when a [ContinuousQuery] runs and over which range. The run due
// at time E covers [E-StartOffset, E-EndOffset). The first is due at Boundary or
// a whole number of periods after it, not before now; a query that was created
// under the same name before goes on where it stopped.
type CQSpec struct {
	Name  string // unique, case-sensitive
	Query ContinuousQuery

	// Every is the period. Zero: the interval of the Query's GROUP BY time.
	Every time.Duration
	// Boundary is what periods are counted from. Zero: the Unix epoch.
	Boundary time.Time
	// StartOffset is where the range begins, before the due time. Zero: Every.
	StartOffset time.Duration
	// EndOffset is where it ends. Zero: at the due time.
	EndOffset time.Duration
	// Cron is a five-field schedule, such as "CRON_TZ=Europe/Berlin 5 * * * *",
	// in place of Every and Boundary. StartOffset must be given.
	Cron   string
	Policy TimeoutPolicy
	// Sinks are the names of the sinks that get its events. Empty: all.
	Sinks []string
}

// CQInfo describes a continuous query as SHOW CONTINUOUS QUERIES does.
type CQInfo struct {
	Spec    CQSpec
	State   string    // ACTIVE
	LastRun time.Time // due time of the last run that succeeded; zero: none yet
	NextRun time.Time // due time of the next run
	Runs    int64     // runs that succeeded since Open
	Failed  int64     // runs that failed since Open
	LastErr error     // of the last run, nil if it succeeded
}

// A CQRun is one run of a continuous query: its range, one cut of the store to
// read, and where its results go. It is only valid during the call and not safe
// for concurrent use.
type CQRun struct {
	Name       string
	At         time.Time // when the run was due
	Start, End time.Time // the range to compute, [Start, End)

	db       *DB
	snap     *engine.Snapshot
	from, to int64
	out      *effects
	spec     *cq
	wrote    []*Tablet // what it wrote, once it is over
	over     bool
}

var errRunOver = fmt.Errorf("the run is over: %w", errs.Closed)

// Query runs q on the run's cut of the store. It does not see what the run has
// written so far. The result must be read before the run ends.
func (r *CQRun) Query(ctx context.Context, q Query) (*Result, error) {
	if r.over {
		return nil, &Error{Op: "query", Subject: r.Name, Err: errRunOver}
	}
	return r.db.queryCut(ctx, q, r.snap)
}

// Write adds the rows of t to the results. t is copied.
func (r *CQRun) Write(t *Tablet) error {
	if r.over {
		return &Error{Op: "write", Subject: r.Name, Err: errRunOver}
	}
	if err := r.db.check(t); err != nil {
		return err
	}
	r.out.tablets = append(r.out.tablets, t.Clone())
	return nil
}

// Emit adds an event to the results.
func (r *CQRun) Emit(e Event) {
	if !r.over {
		r.out.emit(r.Name, r.spec.sinks, e)
	}
}
