package sink

import (
	"context"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
)

// Partial says that of n events all were accepted but those whose indices are
// in rejected, which are given up for the causes given, by index. If none is
// rejected it gives nil.
func Partial(n int, rejected []int, causes map[int]error) error {
	if len(rejected) == 0 {
		return nil
	}
	bad := make(map[int]bool, len(rejected))
	for _, i := range rejected {
		bad[i] = true
	}
	p := &deliver.Partial{Rejected: rejected, Causes: causes}
	for i := range n {
		if !bad[i] {
			p.Done = append(p.Done, i)
		}
	}
	return p
}

// Verdicts makes one error of one verdict for each event: nil for an accepted
// one, an error of [Permanent] or [TooLarge] for one to be given up, any other
// error for one to be tried again. Of those last errors the one that asks for
// most (Disabled, then NotConnected, then the longest wait) decides when.
func Verdicts(verdicts []error) error {
	p := &deliver.Partial{Causes: make(map[int]error)}
	for i, err := range verdicts {
		switch class, _ := deliver.Classify(err); class {
		case deliver.Delivered:
			p.Done = append(p.Done, i)
			continue
		case deliver.ClassPermanent, deliver.ClassTooLarge:
			p.Rejected = append(p.Rejected, i)
		default:
			p.Rest = graver(p.Rest, err)
		}
		p.Causes[i] = err
	}
	switch {
	case len(p.Done) == len(verdicts):
		return nil
	case len(p.Done) == 0 && len(p.Rejected) == 0:
		return p.Rest
	}
	return p
}

// graver returns the one of two transient errors that asks for more.
func graver(a, b error) error {
	if a == nil {
		return b
	}
	ca, wa := deliver.Classify(a)
	cb, wb := deliver.Classify(b)
	if rank(cb) > rank(ca) || rank(cb) == rank(ca) && wb > wa {
		return b
	}
	return a
}

func rank(c deliver.Class) int {
	switch c {
	case deliver.ClassDisabled:
		return 2
	case deliver.ClassReconnect:
		return 1
	}
	return 0
}

// Each sends events one by one, for targets that take one at a time. It goes on
// after an event that is given up ([Permanent], [TooLarge]) and stops at the
// first other error, so that the order is kept: what came before is delivered,
// that event and what follows are tried again.
func Each(ctx context.Context, events []tickwell.Event, send func(ctx context.Context, e *tickwell.Event) error) error {
	verdicts := make([]error, len(events))
	for i := range events {
		err := ctx.Err()
		if err == nil {
			err = send(ctx, &events[i])
		}
		verdicts[i] = err
		switch class, _ := deliver.Classify(err); class {
		case deliver.Delivered, deliver.ClassPermanent, deliver.ClassTooLarge:
			continue
		}
		for j := i + 1; j < len(events); j++ {
			verdicts[j] = err
		}
		break
	}
	return Verdicts(verdicts)
}
