package tickwelltest

import (
	"sync"

	"github.com/tickwell/tickwell"
)

// callers is how many calls are under way at a time: one for each device, so that
// events of one series stay in order.
const callers = 3

// together has the store call the sink with an InFlight above 1. If the sink's
// Defaults have left it so, calls are then made that begin at the same time: the
// store's may by chance not meet.
func (k *sinkKit) together() {
	const rows, rounds = 30, 30
	k.calls = callers
	db := k.open()
	k.insert(db, 0, rows)
	k.settle(db)
	k.close(db)
	k.check(rows, true)
	s := k.opened()
	spec := tickwell.SinkSpec{Name: "sink", Sink: s, InFlight: callers}
	if s, ok := s.(interface{ Defaults(*tickwell.SinkSpec) }); ok {
		s.Defaults(&spec)
	}
	if spec.InFlight <= 1 {
		return
	}
	for round := range rounds {
		k.meet(s, rows+round*callers)
	}
	k.check(rows+rounds*callers, true)
}

// meet makes one call each for the rows [from, from+callers), all at once.
func (k *sinkKit) meet(s tickwell.Sink, from int) {
	k.t.Helper()
	var ready, done sync.WaitGroup
	ready.Add(callers)
	errs := make([]error, callers)
	for c := range callers {
		events := []tickwell.Event{numbered(from + c)}
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[c] = s.Handle(k.ctx(), events)
		})
	}
	done.Wait()
	for _, err := range errs {
		if err != nil {
			k.t.Fatalf("one of %d calls at the same time: %v", callers, err)
		}
	}
}
