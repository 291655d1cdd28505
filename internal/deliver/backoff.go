package deliver

import (
	"math/rand/v2"
	"time"
)

// backoff yields waits with full jitter: uniform between nothing and a bound
// that doubles with every failure, so that many sinks which failed together do
// not come back together.
type backoff struct {
	min, max time.Duration
	rng      *rand.Rand
}

func newBackoff(o *Options, seed uint64) backoff {
	return backoff{o.BackoffMin, o.BackoffMax, rand.New(rand.NewPCG(seed, 0x7469636b77656c6c))}
}

// wait returns the wait after the nth consecutive failure, n >= 1.
func (b *backoff) wait(n int) time.Duration {
	bound := b.max
	if shift := n - 1; shift < 32 && b.min < b.max>>shift {
		bound = b.min << shift
	}
	return time.Duration(b.rng.Int64N(int64(bound))) + 1
}
