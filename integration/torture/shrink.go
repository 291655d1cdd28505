package torture

import (
	"slices"
	"time"

	"github.com/tickwell/tickwell/integration/oracle"
)

// shrink returns a short part of calls for which bad is still true. It tries
// parts of halving length, then single rows and tablets, for at most limit.
func shrink(calls []oracle.Call, limit time.Duration, bad func([]oracle.Call) bool) []oracle.Call {
	end := time.Now().Add(limit)
	for size := len(calls) / 2; size > 0; {
		smaller := false
		for at := 0; at+size <= len(calls) && time.Now().Before(end); {
			part := slices.Concat(calls[:at:at], calls[at+size:])
			if bad(part) {
				calls, smaller = part, true
				continue
			}
			at += size
		}
		if !smaller || size > 1 {
			size /= 2
		}
		if size > len(calls) {
			size = len(calls)
		}
	}
	for i := range calls {
		for _, simple := range simpler(calls[i]) {
			if !time.Now().Before(end) {
				return calls
			}
			part := slices.Clone(calls)
			part[i] = simple
			if bad(part) {
				calls = part
			}
		}
	}
	return calls
}

// simpler returns the call with fewer tablets, columns and rows.
func simpler(c oracle.Call) (out []oracle.Call) {
	if c.Verb != oracle.Insert {
		return nil
	}
	for i := range c.Tablets {
		if len(c.Tablets) > 1 {
			d := c
			d.Tablets = []oracle.Tablet{c.Tablets[i]}
			out = append(out, d)
		}
		t := c.Tablets[i]
		if len(t.Times) > 1 {
			d := c
			d.Tablets = slices.Clone(c.Tablets)
			d.Tablets[i] = t.First(len(t.Times) / 2)
			out = append(out, d)
			d.Tablets = slices.Clone(c.Tablets)
			d.Tablets[i] = t.First(1)
			out = append(out, d)
		}
	}
	return out
}
