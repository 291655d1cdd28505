package deliver

import "math"

// tally counts the attempts of a pipeline by their outcome.
type tally struct {
	accepted int64 // all that was sent was delivered
	failed   int64 // for a reason that need not be an event's fault
}

func (t *tally) note(accepted int64, failed bool) {
	t.accepted += accepted
	if failed {
		t.failed++
	}
}

// suspicion is what speaks against an event that fails by itself.
//
// Many failures in a row prove nothing: at a target that fails three attempts of
// four whatever is in them, every sixteenth event fails ten times. So the
// attempts of the others since the first failure are counted too. If the event
// were like the others, its attempts would be any of all these, and the chance
// that each of them is among the failures is
//
//	F/N · (F-1)/(N-1) · … , one factor for each of its failures,
//
// of N attempts, F of them failures (Fisher's exact test). The event is given up
// when that is below [chance]. Of its own failures only those count between which
// others were accepted, for an outage that takes many of its attempts is one
// event of fate and not many. Several such events count as failures of the
// target for each other: it takes them longer, in proportion to their number.
type suspicion struct {
	failures int   // all of them
	counted  int   // those with an acceptance since the one before
	accepted int64 // attempts of the pipeline at the last that counted
	since    tally // of the pipeline after the first failure
}

// chance is the probability below which a run of failures is none. It is asked
// after each failure of each event, so it is far below what would do for one.
const chance = 1e-9

// failed notes an attempt of the event alone, which is in t already.
func (s *suspicion) failed(t *tally) {
	if s.failures++; s.failures == 1 {
		s.counted, s.accepted, s.since = 1, t.accepted, *t
		return
	}
	if t.accepted > s.accepted {
		s.accepted = t.accepted
		s.counted++
	}
}

// proven reports whether the event is to be given up. least is the number of
// failures below which none is, 0 = never.
func (s *suspicion) proven(t *tally, least int) bool {
	if least <= 0 || s.counted < least {
		return false
	}
	accepted := t.accepted - s.since.accepted
	others := t.failed - s.since.failed - int64(s.failures-1)
	return logChance(s.counted, accepted, max(others, 0)) < math.Log(chance)
}

// logChance is the logarithm of the chance that own attempts are all among the
// failures of own+failed+accepted attempts, of which accepted did not fail.
func logChance(own int, accepted, failed int64) float64 {
	sum := 0.0
	for i := range int64(own) {
		f := int64(own) + failed - i
		sum += math.Log(float64(f) / float64(f+accepted))
	}
	return sum
}
