package tickwell

import (
	"fmt"
	"math"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
)

// Times that can be stored: the extremes are reserved so that every range can
// be half open.
const (
	minTime int64 = math.MinInt64 + 1
	maxTime int64 = math.MaxInt64 - 1
)

// The years that Unix nanoseconds in 64 bits cover whole, in Unix seconds, UTC.
const (
	year1678 = -9_214_560_000
	year2262 = 9_214_646_400
)

// unixNano converts at, refusing instants of years that int64 nanoseconds do not hold
// whole: those outside of the years 1678 to 2261.
func unixNano(at time.Time) (int64, error) {
	if s := at.Unix(); s < year1678 || s >= year2262 {
		return 0, fmt.Errorf("time %s is outside the years 1678 to 2261: %w", at.Format(time.RFC3339), errs.BadInput)
	}
	return at.UnixNano(), nil
}

// instant is the time that ns nanoseconds of Unix time are, in UTC.
//
//go:noinline
func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// bounds turns [start, end) with zero for none into nanoseconds.
func bounds(start, end time.Time) (from, to int64, err error) {
	from, to = math.MinInt64, math.MaxInt64
	if !start.IsZero() {
		if from, err = unixNano(start); err != nil {
			return 0, 0, err
		}
	}
	if !end.IsZero() {
		if to, err = unixNano(end); err != nil {
			return 0, 0, err
		}
	}
	if from > to {
		return 0, 0, reversed(start, end)
	}
	return from, to, nil
}

// reversed is the error about a range whose ends are the wrong way round.
func reversed(start, end time.Time) error {
	return fmt.Errorf("the range ends at %s before it begins at %s: %w", end.Format(time.RFC3339Nano), start.Format(time.RFC3339Nano), errs.BadInput)
}
