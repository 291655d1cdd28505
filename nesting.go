package tickwell

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// maxUnseen bounds inserts inside inserts that the store does not know to be such,
// because their context is not that of the firing they are made in: without it a
// trigger that fires itself so ends the program, when its stack is full.
const maxUnseen = 100

// insertsAround counts the inserts with triggers that the caller's goroutine is in.
// It walks the stack, so it is asked only where so many inserts fire one trigger at
// once that the walk could find as many.
func insertsAround() (n int) {
	var few [maxUnseen]uintptr // so many inserts take more frames than this
	if runtime.Callers(1, few[:]) < len(few) {
		return 0
	}
	pcs := make([]uintptr, 64*maxUnseen)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); strings.HasSuffix(f.Function, ".(*DB).insertFiring") {
			n++
		}
	}
	return n
}

func errUnseen(in *insertion) error {
	var names []string
	for _, tr := range in.entered {
		names = append(names, tr.spec.Name)
	}
	return fmt.Errorf("more than %d inserts inside of each other fire trigger %s; an insert of a trigger needs the context that Fire got: %w",
		maxUnseen, strings.Join(names, ", "), errs.Limit)
}
