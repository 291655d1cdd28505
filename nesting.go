package tickwell

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// What bounds inserts inside inserts that the store does not know to be such, because
// their context is not that of the firing they are made in, is MaxTriggerDepth within
// these: without it a trigger that fires itself so ends the program, when its stack is
// full.
const (
	leastUnseen = 100
	mostUnseen  = 10_000
)

// mostFrames bounds how much of a stack is looked at.
const mostFrames = 1 << 20

// insertsExceed reports whether the caller's goroutine is in more than most inserts with
// triggers, however much of the program lies between them. It walks the stack, so it is
// asked only where so many inserts fire one trigger at once that it could be.
func insertsExceed(most int) bool {
	var few [leastUnseen]uintptr // so many inserts take more frames than this
	if runtime.Callers(1, few[:]) < len(few) {
		return false
	}
	for size := 16 * most; ; size *= 4 {
		pcs := make([]uintptr, min(size, mostFrames))
		got := runtime.Callers(1, pcs)
		frames, n := runtime.CallersFrames(pcs[:got]), 0
		for more := true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); strings.HasSuffix(f.Function, ".(*DB).insertFiring") {
				if n++; n > most {
					return true
				}
			}
		}
		if got < len(pcs) || got == mostFrames {
			return false
		}
	}
}

func errUnseen(in *insertion, most int, how string) error {
	var names []string
	for _, tr := range in.entered {
		names = append(names, tr.spec.Name)
	}
	return fmt.Errorf("more than %d inserts %s fire trigger %s; an insert of a trigger needs the context that Fire got: %w",
		most, how, strings.Join(names, ", "), errs.Limit)
}
