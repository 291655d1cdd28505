package window

import "time"

// Options refine a handler. The zero value, or nil, evaluates in the caller's
// goroutine, once for each window, and takes rows in any order as long as a
// window of theirs is open.
type Options[T any] struct {
	// Strict accepts only rows newer than all before: the rule of the
	// documents' helpers. It excludes Lateness.
	Strict bool

	// Lateness is how far a row may lag behind the newest one. Windows wait
	// that much longer. The watermark, up to which all rows are taken to have
	// arrived, is the newest time less Lateness.
	Lateness time.Duration

	// OnLate is called for rows whose outcome is Late.
	OnLate func(ts int64, v T)

	// Emit says when a window is given. Default OnClose.
	Emit Emission
	// EmitDelay is the delay of Emission Early and Periodic.
	EmitDelay time.Duration

	// Empty gives time and calendar windows without rows too, but not those
	// before the first row (unless the spec has a Begin) nor after the last.
	Empty bool
	// EmptyCap is how many empty windows in a row are given, before a single gap
	// record stands for the others. 0 means 1024.
	EmptyCap int

	// DropTail makes Flush, and the end of a pulled sequence, leave out size
	// windows that are not full.
	DropTail bool

	// IdleAfter lets the watermark follow the clock once no row has come for
	// that long, so that the windows of a silent source close: the watermark is
	// then the newest time plus the time since it came, less Lateness. For
	// time, calendar and session windows.
	IdleAfter time.Duration

	// MaxFuture refuses rows further than that ahead of the clock. 0: none.
	MaxFuture time.Duration

	// MaxRows is how many rows may be held in open windows; more are refused. 0: no
	// bound.
	MaxRows int

	// Pool evaluates windows in other goroutines, one handler's in order. The
	// evaluator gets a copy. It must not call its own handler unless Shared.
	Pool *Pool
	// Rejection says what happens when the pool's queue is full. Default
	// RejectError.
	Rejection Rejection
	// OnRejection takes the window that Rejection [RejectError] refuses. Its
	// result is returned by Collect. Nil returns an error that wraps
	// ErrRejected.
	OnRejection func(Window[T]) error
	// OnError is told the errors that no caller is there to be told, by the
	// goroutine in which they came up. Nil: they are only counted.
	OnError func(error)

	// Shared allows calls from several goroutines at once, at the price of a
	// lock and a copy of each window. It is implied by IdleAfter and by
	// Emission Early and Periodic. An evaluator may call its own handler then,
	// but not wait for itself: there Flush and Wait return no sooner than their
	// context is done (one that is done already makes Flush give the windows
	// without waiting), and AppendState and Close never return. Windows that close
	// while another call evaluates wait in memory, 1024 and what the calls under way
	// close: then Collect waits for room. Where a single evaluation keeps it waiting
	// for 5 seconds, as one does that calls its own handler so often, the row is
	// Refused with ErrRejected, and so are others until that evaluation ends. With a
	// Pool that holds for its evaluations too; a window that waits for room meanwhile
	// is queued beyond MaxPending.
	Shared bool

	// Clock replaces the time package.
	Clock Clock

	// Same tells whether v belongs to a state window that began with first.
	// Numbers, strings and booleans need none.
	Same func(first, v T) bool
	// Holds tells whether a condition window's condition is true. Booleans need
	// none.
	Holds func(v T) bool

	// Codec writes and reads values in snapshots. Numbers, strings and booleans
	// need none.
	Codec Codec[T]
}

// Codec turns values into bytes and back.
type Codec[T any] interface {
	// Append appends one value to dst.
	Append(dst []byte, v T) []byte
	// Load reads one value and returns the bytes after it.
	Load(src []byte) (v T, rest []byte, err error)
}

// Emission says when windows are given.
type Emission uint8

// The emissions. All but OnClose give a window again while it is open, with a
// growing Revision, and once more when it closes. Of rows that Lateness may
// still put into another order, only time and calendar windows show any before
// they are settled.
const (
	OnClose  Emission = iota // once, when it is complete
	OnUpdate                 // after each of its rows
	Early                    // once, EmitDelay after its first row
	Periodic                 // at most EmitDelay after it changed
)

// Rejection says what happens to a window that finds the pool's queue full. All
// but KeepLatest keep every window they do not count in Stats.Dropped.
type Rejection uint8

// The rejection policies.
const (
	RejectError Rejection = iota // OnRejection, or an error: the documents' default
	RejectWait                   // wait for room
	RunInline                    // evaluate in the caller, after the handler's waiting windows
	DropNewest                   // drop this window
	DropOldest                   // drop the handler's longest waiting one, or this where none waits
	KeepLatest                   // at most one window of a handler waits: the newest
)

const defaultEmptyCap = 1024

// maxOverlap bounds the windows a single row may be in: with more, one row
// would cost seconds.
const maxOverlap = 1 << 20

func (o *Options[T]) validate(s Spec) error {
	switch {
	case o.Lateness < 0:
		return bad("lateness", o.Lateness, "should not be negative")
	case o.Strict && o.Lateness > 0:
		return bad("lateness", o.Lateness, "contradicts strictly increasing times")
	case o.Emit > Periodic:
		return bad("emission", uint8(o.Emit), "is unknown")
	case o.Emit >= Early && o.EmitDelay <= 0:
		return bad("emitDelay", o.EmitDelay, "should be positive for early and periodic emission")
	case o.Emit < Early && o.EmitDelay != 0:
		return bad("emitDelay", o.EmitDelay, "needs early or periodic emission")
	case o.EmptyCap < 0:
		return bad("emptyCap", o.EmptyCap, "should not be negative")
	case o.Empty && s.Kind != Time && s.Kind != Calendar:
		return bad("empty", o.Empty, "needs time or calendar windows")
	case o.DropTail && s.Kind != Size:
		return bad("dropTail", o.DropTail, "needs size windows")
	case o.IdleAfter < 0:
		return bad("idleAfter", o.IdleAfter, "should not be negative")
	case o.IdleAfter > 0 && s.Kind != Time && s.Kind != Calendar && s.Kind != Session:
		return bad("idleAfter", o.IdleAfter, "needs windows that end by time")
	case o.MaxFuture < 0:
		return bad("maxFuture", o.MaxFuture, "should not be negative")
	case o.MaxRows < 0:
		return bad("maxRows", o.MaxRows, "should not be negative")
	case o.Rejection > KeepLatest:
		return bad("rejection", uint8(o.Rejection), "is unknown")
	case o.Pool == nil && (o.Rejection != RejectError || o.OnRejection != nil):
		return bad("rejection", uint8(o.Rejection), "needs a pool")
	}
	return nil
}

func (o *Options[T]) emptyCap() int {
	if o.EmptyCap == 0 {
		return defaultEmptyCap
	}
	return o.EmptyCap
}

// timed reports whether a clock may give windows.
func (o *Options[T]) timed() bool { return o.IdleAfter > 0 || o.Emit >= Early }
