package tickwell

import (
	"context"
	"math"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
)

// The watermark of a view follows its newest row. A single row far in the
// future, from a device whose clock is wrong, must not end all windows: a row
// counts only if it is at most cqMaxAhead newer than the clock or than the
// newest row that counts. A store whose own clock is wrong, such as one that
// boots in 1970, sees nothing else; so after cqBelieved such rows in a row, with
// none between that counts, they do.
const (
	cqMaxAhead = 24 * time.Hour
	cqBelieved = 16
)

// limit is the newest time that counts whatever the clock says. The lock is
// held.
func (v *cqView) limit() int64 {
	if v.head == math.MinInt64 {
		return math.MinInt64
	}
	return addSaturated(v.head, int64(cqMaxAhead))
}

// clockLimit is the newest time that counts by the clock.
func (v *cqView) clockLimit(db *DB) int64 {
	return addSaturated(clampNano(db.clock.Now()), int64(cqMaxAhead))
}

func addSaturated(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// advance follows rows. The lock is held.
func (v *cqView) advance(head, newest int64, ahead int) {
	if head > math.MinInt64 {
		v.head, v.ahead = max(v.head, head), 0
	}
	if v.ahead += ahead; v.ahead >= cqBelieved {
		v.head, v.ahead = max(v.head, newest), 0
	}
}

// headOf returns the newest time of stored rows that counts, given the newest
// that would.
func headOf(ctx context.Context, snap *engine.Snapshot, all []*engine.Series, limit int64) (int64, error) {
	head, newest, ahead := int64(math.MinInt64), int64(math.MinInt64), 0
	for _, ser := range all {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		p, ok, err := snap.Last(ser)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		newest = max(newest, p.Time)
		if p.Time > limit {
			n, err := countFrom(snap, ser, limit+1, cqBelieved)
			if err != nil {
				return 0, err
			}
			ahead += n
			if p.Time, ok, err = lastBefore(snap, ser, limit+1); err != nil || !ok {
				if err != nil {
					return 0, err
				}
				continue
			}
		}
		head = max(head, p.Time)
	}
	if head == math.MinInt64 && ahead >= cqBelieved {
		return newest, nil // there is nothing else
	}
	return head, nil
}

// countFrom counts the points of a series from a time on, up to some number.
func countFrom(snap *engine.Snapshot, ser *engine.Series, from int64, most int) (n int, err error) {
	c := snap.Cursor(ser, from, math.MaxInt64)
	defer c.Close()
	for n < most && c.Next() {
		n += len(c.Times())
	}
	return n, c.Err()
}

// lastBefore returns the time of the last point before to.
func lastBefore(snap *engine.Snapshot, ser *engine.Series, to int64) (at int64, ok bool, err error) {
	return lastIn(snap, ser, math.MinInt64, to)
}

// lastIn returns the time of the last point in [least, to). It looks back further
// and further.
func lastIn(snap *engine.Snapshot, ser *engine.Series, least, to int64) (at int64, ok bool, err error) {
	for back := int64(time.Minute); ; back *= 4 {
		from := least
		if back < math.MaxInt64/8 && to > math.MinInt64+back {
			from = max(least, to-back)
		}
		c := snap.Cursor(ser, from, to)
		for c.Next() {
			at, ok = c.Times()[len(c.Times())-1], true
		}
		err = c.Err()
		c.Close()
		if ok || err != nil || from == least {
			return at, ok, err
		}
	}
}
