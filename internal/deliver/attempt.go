package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
)

// job is one piece of work on its own goroutine: to open the handler, or to
// bring a batch as far as it goes. While it runs, the batch's entries are the
// job's.
type job[E any] struct {
	p        *Pipeline[E]
	batch    *batch[E]   // nil: open
	all      []*entry[E] // the batch's entries at the start
	rest     []*entry[E] // not settled yet
	buryOnly bool        // give up what is expired, attempt nothing

	attempts  int64
	accepted  int64 // of them
	delivered int64
	dead      int64
	dropped   map[Class]int64
	answered  bool          // the target accepted or refused something
	burial    bool          // err is the dead letter's
	err       error         // why it stopped before the end, nil = it did not
	after     time.Duration // wait that the handler asked for
	class     Class         // of err
}

// run is the job's goroutine. It reports to the loop however it ends.
func (j *job[E]) run(ctx context.Context) error {
	j.err, j.class = &dispatch.GoexitError{Name: j.p.cfg.Name}, ClassReconnect
	defer func() { j.p.results <- j }()
	j.err = dispatch.Call(j.p.cfg.Name, func() (err error) {
		if j.batch == nil {
			err = j.p.bounded(ctx, j.p.cfg.Open)
		} else {
			err = j.deliver(ctx)
		}
		_, _ = Classify(err) // an error whose methods panic is a panic of the sink
		return err
	})
	j.class, j.after = Classify(j.err)
	return nil
}

// deliver attempts the batch in chunks, in order, until all is settled or
// something has to wait.
func (j *job[E]) deliver(ctx context.Context) error {
	for len(j.rest) > 0 {
		if err := j.bury(ctx); err != nil {
			j.burial = true
			return err
		}
		if len(j.rest) == 0 || j.buryOnly {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := j.rest[:min(j.batch.chunk, len(j.rest))]
		err := j.attempt(ctx, part)
		class, _ := Classify(err)
		if err != nil {
			for _, e := range part {
				e.err = err
			}
		}
		switch class {
		case Delivered:
			j.accepted++
			j.settle(part)
			j.batch.chunk = min(j.batch.chunk*2, j.p.cfg.Options.BatchEvents)
		case ClassPermanent, ClassTooLarge:
			j.answered = true
			if len(part) > 1 {
				j.batch.chunk = (len(part) + 1) / 2
				continue
			}
			part[0].doomed = class
		case ClassPartial:
			if !j.partial(part, err) {
				if dead := j.bury(ctx); dead != nil {
					j.burial = true
					return dead
				}
				if len(j.rest) > 0 { // else all that was left is too old
					return remainder(err)
				}
			}
		default:
			return err
		}
	}
	return nil
}

// attempt calls the handler once.
func (j *job[E]) attempt(ctx context.Context, part []*entry[E]) error {
	mono, wall := j.p.cfg.Clock.Mono(), j.p.cfg.Clock.Now()
	events := make([]E, len(part))
	for i, e := range part {
		e.touch(mono, wall)
		e.attempts++
		events[i] = e.item.Event
		if e.attempts > 1 && j.p.cfg.Again != nil {
			j.p.cfg.Again(&events[i])
		}
	}
	j.attempts++
	return j.p.bounded(ctx, func(ctx context.Context) error { return j.p.cfg.Handle(ctx, events) })
}

// bounded calls f with the attempt deadline and catches its panic.
func (p *Pipeline[E]) bounded(ctx context.Context, f func(context.Context) error) error {
	limit := p.cfg.Options.AttemptTimeout
	actx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := p.cfg.Clock.AfterFunc(limit, func() { cancel(errTimeout) })
	defer stop()
	err := dispatch.Call(p.cfg.Name, func() error { return f(actx) })
	if err != nil && errors.Is(context.Cause(actx), errTimeout) && ctx.Err() == nil {
		var c *classified
		var part *Partial
		if !errors.As(err, &c) && !errors.As(err, &part) {
			return fmt.Errorf("%w after %v: %w", errTimeout, limit, err)
		}
	}
	return err
}

func (j *job[E]) settle(part []*entry[E]) {
	j.answered = true
	j.delivered += int64(len(part))
	for _, e := range part {
		e.settled = true
	}
	j.compact()
}

// compact drops settled entries from rest.
func (j *job[E]) compact() {
	var rest []*entry[E]
	for _, e := range j.rest {
		if !e.settled {
			rest = append(rest, e)
		}
	}
	j.rest = rest
}

// partial sorts a chunk by its partial result and reports whether it can go on
// at once because nothing of it is left to be retried.
func (j *job[E]) partial(part []*entry[E], err error) bool {
	var p *Partial
	errors.As(err, &p)
	left := len(part)
	for _, i := range p.Rejected {
		if i < 0 || i >= len(part) || part[i].doomed != Delivered {
			continue
		}
		part[i].doomed = ClassPartial
		left--
	}
	for _, i := range p.Done {
		if i < 0 || i >= len(part) || part[i].doomed != Delivered || part[i].settled {
			continue
		}
		part[i].settled = true
		j.delivered++
		left--
	}
	for i, e := range part {
		if cause := p.Causes[i]; cause != nil {
			e.err = cause
		}
	}
	j.answered = j.answered || left < len(part)
	j.compact()
	return left == 0
}

// remainder is what a partial result says of the events that are neither done
// nor rejected: its Rest if it is an error for all of them.
func remainder(err error) error {
	var p *Partial
	errors.As(err, &p)
	switch class, _ := Classify(p.Rest); class {
	case ClassRetry, ClassReconnect, ClassDisabled:
		return p.Rest
	}
	return err
}

// bury gives up what is doomed or expired. An error means that the dead letter
// could not be written: the event stays where it is.
func (j *job[E]) bury(ctx context.Context) error {
	mono, wall := j.p.cfg.Clock.Mono(), j.p.cfg.Clock.Now()
	found := false
	defer func() {
		if found {
			j.compact()
		}
	}()
	for _, e := range j.rest {
		if e.expired(&j.p.cfg.Options, mono, wall) {
			e.doomed = ClassExpired
		}
		if e.doomed == Delivered {
			continue
		}
		if err := j.buryOne(ctx, e); err != nil {
			return err
		}
		e.settled, found = true, true
	}
	return nil
}

func (j *job[E]) buryOne(ctx context.Context, e *entry[E]) error {
	cfg := &j.p.cfg
	if cfg.DeadLetter == nil {
		if j.dropped == nil {
			j.dropped = make(map[Class]int64)
		}
		j.dropped[e.doomed]++
		return nil
	}
	d := Dead[E]{
		Sink: cfg.Name, Event: e.item.Event, Pos: e.item.Pos, Class: e.doomed, Cause: j.p.scrub(e.err),
		Attempts: e.attempts, FirstAttempt: e.firstAt, LastAttempt: e.lastAt,
	}
	err := j.p.bounded(ctx, func(ctx context.Context) error { return cfg.DeadLetter(ctx, d) })
	if err != nil {
		return fmt.Errorf("dead letter of sink %s: %w", cfg.Name, err)
	}
	j.dead++
	return nil
}
