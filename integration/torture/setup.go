// Package torture does to a store what power cuts, killed processes, broken
// disks and wrong clocks do, and compares what is left with an oracle. It uses
// the public interface of tickwell only; the file system below is crashfs.
package torture

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/oracle"
)

// Setup is how the store of a run is opened.
type Setup struct {
	Policy  Policy
	Recycle bool   // log segments are used again
	Small   bool   // memtable and log so small that flushes happen by themselves
	Sinks   bool   // a sink that takes some events, besides the one that takes none
	Store   uint64 // seed of the store itself, from which its id comes; 0: 7
	Many    bool   // segments of the smallest size, so that there are many of them
}

// Policy is a sync policy.
type Policy uint8

// The policies.
const (
	Always Policy = iota
	Interval
	Buffered
	Never
	policies
)

var policyNames = [...]string{"always", "interval", "buffered", "never"}

// String returns the policy's name.
func (p Policy) String() string { return policyNames[p] }

func (p Policy) sync() tickwell.SyncPolicy {
	switch p {
	case Interval:
		return tickwell.SyncInterval(time.Second)
	case Buffered:
		return tickwell.AckBuffered(time.Second)
	case Never:
		return tickwell.SyncNever()
	}
	return tickwell.SyncAlways()
}

// promise is what the return of a successful write means.
func (p Policy) promise() oracle.Promise {
	switch p {
	case Interval, Never:
		return oracle.KillSafe
	case Buffered:
		return oracle.Nothing
	}
	return oracle.PowerSafe
}

// String prints the setup for the messages of failures.
func (s Setup) String() string {
	return fmt.Sprintf("sync %v, recycle %v, small %v, sinks %v, many %v", s.Policy, s.Recycle, s.Small, s.Sinks, s.Many)
}

func (s Setup) profile() tickwell.Profile {
	p := tickwell.Profile{BlockRows: 8, SegmentBytes: 2 << 10, RecycleLog: s.Recycle}
	if s.Many {
		p.SegmentBytes = 1 << 10
	}
	if s.Small {
		p.MemtableBytes, p.LogBytes = 16<<10, 6<<10
	}
	return p
}

// randomSetup draws a setup; half of them are SyncAlways.
func randomSetup(rng *rand.Rand) Setup {
	s := Setup{Recycle: rng.IntN(2) == 0, Small: rng.IntN(5) == 0, Sinks: rng.IntN(3) == 0}
	s.Many = !s.Small && rng.IntN(4) == 0
	if rng.IntN(2) == 0 {
		s.Policy = Policy(rng.IntN(int(policies)))
	}
	return s
}
