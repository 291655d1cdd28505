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

// CQSpec says when a [ContinuousQuery] runs and over which range. There are two
// modes.
//
// Scheduled: any of Every, Boundary, StartOffset, EndOffset and Cron is given,
// Policy is Discard, or the query is not a [Query]. The run due at time E covers
// [E-StartOffset, E-EndOffset). The first is due at Boundary or a whole number
// of periods after it, not before now; a query that was created under the same
// name before goes on where it stopped. A clock that was not set yet, which says a
// year before 2000, does not change where that is; if it has run in no other, it
// goes on with the newest run that is due once the clock is set.
//
// Incremental: none of them is given. The query must be a [Query] with GROUP BY.
// A window is computed when it is over, and again when rows in it have changed:
// the stored result is what the query says about the stored rows. All rows that
// are stored already count too. Windows of time are counted from Origin. Others
// are of the rows of the query, or with AlignByDevice of each device, and late
// rows, overwrites and deletes move their borders: a result whose window is gone
// is deleted, and an event that takes it back is sent. Such a window that is not
// over is read from its first row at every run that new rows of it cause, so a
// session or a state that never ends costs more the longer it goes on, and none of
// its rows expires.
type CQSpec struct {
	Name  string // unique, case-sensitive
	Query ContinuousQuery
	// Text is shown by the listing, such as the statement it was made from.
	Text string
	// New refuses the name of any definition that is stored, also of one that
	// this program has not created again since the store was opened.
	New bool

	// Every is the period. Zero: the interval of the Query's GROUP BY time.
	Every time.Duration
	// Boundary is what periods are counted from. Zero: the Unix epoch.
	Boundary time.Time
	// StartOffset is where the range begins, before the due time. Zero: Every.
	StartOffset time.Duration
	// EndOffset is where it ends. Zero: at the due time.
	EndOffset time.Duration
	// Cron is a five-field schedule, such as "CRON_TZ=Europe/Berlin 5 * * * *",
	// in place of Every and Boundary. Without offsets a run covers the time
	// since the due time before. The build tag tickwell_small leaves it out.
	Cron string
	// Policy is what becomes of runs that are late. Default Blocked.
	Policy TimeoutPolicy

	// Lateness is how much longer than its end an incremental window waits: it
	// is over when a row arrives that is newer than its end by Lateness. A window
	// by variation or condition ends with the row that is not in it any more, one
	// by count with its last row, a session when its gap is over.
	Lateness time.Duration
	// IdleTimeout ends windows when no row has arrived for so long. Zero: never.
	IdleTimeout time.Duration
	// OnChange computes incremental windows that are not over yet as well.
	OnChange bool
	// Origin is what incremental windows are counted from. Zero: the Unix epoch,
	// for months January 1970 in the zone of the Query.
	Origin time.Time
	// From leaves out incremental windows of time that begin before it; of other
	// windows the rows before it.
	From time.Time

	// AtEnd gives rows the end of their window as time, instead of its start.
	AtEnd bool
	// Sinks are the names of the sinks that get its events. A [Query] sends
	// each row as an event if Sinks are given; it needs no Into then. Its fields
	// have the names of the query's columns, sum(v) or what As calls it, also
	// where Into stores them under others. Events
	// that another ContinuousQuery emits go to all sinks if Sinks is empty.
	//
	// What was sent is remembered for the newest 8192 windows and series of an
	// incremental query: a correction of an older one gets a Revision above all
	// that were sent, and one that vanishes is deleted, but not taken back.
	Sinks []string
}

// CQInfo describes a continuous query as SHOW CONTINUOUS QUERIES does.
type CQInfo struct {
	Spec CQSpec // as it was created
	// State is ACTIVE; PAUSED; FAILING while the last run failed and is going to
	// be repeated; INACTIVE if the definition is stored, but this program has not
	// created it and it is not a [Query], or what it needs is missing.
	State   string
	LastRun time.Time     // due time of the last run that succeeded; zero: none yet
	NextRun time.Time     // due time of the next run; zero for incremental ones
	Runs    int64         // runs that succeeded since Open; of incremental ones, those with something to compute
	Failed  int64         // runs that failed since Open
	Skipped int64         // due times that will never run: Discard, or too many missed
	LastErr error         // of the last run, nil if it succeeded
	Lag     time.Duration // how long the next run is overdue; incremental: how old the oldest window that is over and dirty is

	Incremental bool      // has no schedule: windows are computed when they are over and when rows in them change
	Watermark   time.Time // incremental: windows that end until then are over
	// Dirty counts the windows that are to be computed, at most; of windows that
	// are not of time the changes that are to be looked at.
	Dirty    int64
	Computed int64 // incremental: windows computed since Open
	// Sealed counts the windows that changed since Open after some of their rows
	// had expired: their results stay as they were.
	Sealed int64
}

// A CQRun is one run of a continuous query: its range, one cut of the store to
// read, and where its results go. It is only valid during the call and not safe
// for concurrent use.
type CQRun struct {
	Name       string    // of the continuous query
	At         time.Time // when the run was due
	Start, End time.Time // the range to compute, [Start, End)

	db       *DB
	snap     *engine.Snapshot
	from, to int64
	out      *effects
	spec     *cq
	wrote    []*Tablet // what it wrote, once it is over
	over     bool
	claimed  bool // it has made series its query's
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
