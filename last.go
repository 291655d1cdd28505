package tickwell

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
)

// LastPoint is the newest point of a series.
type LastPoint struct {
	SeriesInfo
	Time  time.Time // when it was measured, in UTC
	Value Value     // of the kind of the series
}

// Last returns the newest point of each series that matches pattern and has
// one, sorted by path, in one cut of the store; nil if there is none.
//
// Errors: ErrBadInput for a pattern, ErrDamaged for a point that cannot be read,
// ErrClosed, what Authorize says, and that of ctx.
func (db *DB) Last(ctx context.Context, pat string) ([]LastPoint, error) {
	return db.AppendLast(ctx, nil, pat)
}

// AppendLast appends to dst what [DB.Last] returns, for callers that ask again
// and again: with dst[:0] of the call before, no memory is taken for the points. On
// a failure it returns dst as it was.
func (db *DB) AppendLast(ctx context.Context, dst []LastPoint, pat string) ([]LastPoint, error) {
	all, err := db.matchingAgain(ctx, "last", pat)
	if err != nil || len(all) == 0 {
		return dst, err
	}
	snap := db.eng.Snapshot()
	snap.Steady()
	defer snap.Release()
	const atOnce = 64
	var found [atOnce]engine.Newest
	out := dst
	for len(all) > 0 {
		if ctx.Err() != nil {
			return dst, &Error{Op: "last", Subject: pat, Err: ctx.Err()}
		}
		now := all[:min(len(all), atOnce)]
		if cap(out)-len(out) < len(now) {
			out = slices.Grow(out, len(all))
		}
		all = all[len(now):]
		if failed, err := snap.Lasts(now, found[:]); err != nil {
			return dst, &Error{Op: "last", Subject: failed.Path(), Err: err}
		}
		n := len(out)
		out = out[:n+len(now)]
		for i, s := range now {
			if p := &found[i]; p.OK {
				to := &out[n]
				n++
				to.Device, to.Name, to.Kind = s.Device, s.Name, Kind(s.Kind)
				to.Time = time.Unix(0, p.At).UTC()
				to.Value.num, to.Value.str, to.Value.kind = p.Cell.Num, p.Cell.Text, Kind(p.Cell.Kind)
			}
		}
		out = out[:n]
	}
	if len(out) == 0 {
		return dst, nil
	}
	return out, nil
}

// asked remembers which series some patterns match, each in one of a few
// places, which the newest takes.
type asked [4]atomic.Pointer[askedPattern]

// askedPattern is the series that matched a pattern, sorted by path, while none was made
// or dropped since.
type askedPattern struct {
	pattern string
	of      seriesVersion
	series  []*engine.Series
}

// maxAsked bounds the series that are remembered for a pattern: 32 kB.
const maxAsked = 4096

func (a *asked) of(pat string) *atomic.Pointer[askedPattern] {
	h := len(pat)
	if h > 0 {
		h += int(pat[h-1]) + int(pat[h/2])
	}
	return &a[h%len(a)]
}

// matchingAgain is matching for a pattern that is likely to be asked again.
// Nobody may change the list.
func (db *DB) matchingAgain(ctx context.Context, op, pat string) ([]*engine.Series, error) {
	fail := func(err error) error { return &Error{Op: op, Subject: pat, Err: err} }
	if err := db.usable(ctx); err != nil {
		return nil, fail(err)
	}
	slot, of := db.asked.of(pat), db.seriesVersion() // before it is matched
	if m := slot.Load(); m != nil && m.pattern == pat && m.of == of {
		return m.series, db.authorize(ctx, ActionRead, pat)
	}
	all, err := db.matching(ctx, op, pat)
	if err == nil && len(all) <= maxAsked {
		slot.Store(&askedPattern{pattern: pat, of: of, series: all})
	}
	return all, err
}
