package wal

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/logs"
	"github.com/tickwell/tickwell/vfs"
)

// Mode says when [Log.Commit] acknowledges a record.
type Mode uint8

// The modes of a [Policy].
const (
	// Always acknowledges when the record is synced; one sync serves all that
	// wait (group commit).
	Always Mode = iota
	// Interval acknowledges when the record is written to the operating
	// system, and syncs in the background every Policy.Interval while
	// something is unsynced.
	Interval
	// Buffered acknowledges at once; the record is written and synced within
	// Policy.Interval plus the time a sync takes.
	Buffered
	// Never acknowledges when the record is written to the operating system;
	// only Sync, Rotate, Close, a change of segment and durable commits sync.
	Never
)

// String returns the mode's name.
func (m Mode) String() string {
	switch m {
	case Always:
		return "always"
	case Interval:
		return "interval"
	case Buffered:
		return "buffered"
	case Never:
		return "never"
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// Policy is a mode and, for Interval and Buffered, its time.
type Policy struct {
	Mode     Mode
	Interval time.Duration // default 1 s
}

// MaxPayload is the largest payload of a record in bytes.
const MaxPayload = 64 << 20

// Config tells [Open] where the log is and how it behaves.
type Config struct {
	FS      vfs.FS
	Dir     string // holds the segments; made when absent
	StoreID uint64 // segments of another store are damage

	SegmentBytes int64 // size at which a new segment begins; default 64 MiB, at least 1 KiB
	BufferBytes  int   // bytes appended and not yet written; default SegmentBytes/4, 64 KiB to 4 MiB
	Recycle      bool  // overwrite retired segments instead of deleting them (servers)

	Clock  clock.Clock // default clock.System()
	Policy Policy
	Logger *slog.Logger // default slog.Default()
	logger *logs.Logger // for it

	// Salt returns the number that keeps the records of a segment's former life
	// apart. It should not return the same number twice for a segment; the
	// default mixes store id, segment number and clock.
	Salt func(segment uint64) uint64

	// OnDurable is called after the records up to lsn have become durable:
	// without locks, in increasing order, never twice at the same time, on the
	// goroutine that synced. Positions whose Commit failed were never stored;
	// OnFailed names them before an OnDurable that covers them. It may call the
	// log, but not wait for a commit, and not Close it.
	OnDurable func(lsn uint64)
	// OnFailed is called as OnDurable is, for the positions first to last that
	// were appended and could not be stored because of err.
	OnFailed func(first, last uint64, err error)

	// Hold refuses records with errs.NoSpace after others failed for want of
	// space, until Resume: so that none becomes durable whose predecessors are
	// not.
	Hold bool

	// ReadOnly replays and reads without a single write.
	ReadOnly bool
}

const (
	defaultSegmentBytes = 64 << 20
	minSegmentBytes     = 1 << 10
	minBufferBytes      = 64 << 10
	maxBufferBytes      = 4 << 20
	earlyBytes          = 256 << 10 // that are written though nobody waits for them
)

func (c *Config) setDefaults() error {
	if c.FS == nil || c.Dir == "" {
		return fmt.Errorf("open log: no file system or directory given: %w", errs.BadInput)
	}
	if c.Policy.Mode > Never {
		return fmt.Errorf("open log: %v: %w", c.Policy.Mode, errs.BadInput)
	}
	if c.SegmentBytes <= 0 {
		c.SegmentBytes = defaultSegmentBytes
	}
	c.SegmentBytes = max(c.SegmentBytes, minSegmentBytes)
	if c.BufferBytes <= 0 {
		c.BufferBytes = int(min(max(c.SegmentBytes/4, minBufferBytes), maxBufferBytes))
	}
	if c.Policy.Interval <= 0 {
		c.Policy.Interval = time.Second
	}
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	c.logger = logs.Of(c.Logger)
	if c.Salt == nil {
		c.Salt = func(segment uint64) uint64 {
			return mix(mix(c.StoreID+segment) ^ uint64(c.Clock.Now().UnixNano()))
		}
	}
	return nil
}

// mix is the finalizer of splitmix64: every input bit reaches every output bit.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Report is what [Open] found.
type Report struct {
	Segments  int      // segment files
	Records   int      // valid records, those up to after included
	TornBytes int64    // unfinished bytes at the end, cut off
	Damage    []Damage // in the order of the log
}

// Damage is a part of the log that should be there and is not readable.
type Damage struct {
	File              string // base name of the segment
	Offset, Length    int64  // bytes of the file that could not be used
	FirstLSN, LastLSN uint64 // records lost lie in this range; 0, 0: none is known to be lost
	Reason            string
}

// String describes the damage in one line.
func (d Damage) String() string {
	s := fmt.Sprintf("%s: %s, %d bytes at %d", d.File, d.Reason, d.Length, d.Offset)
	if d.FirstLSN != 0 {
		s += fmt.Sprintf(", records %d to %d", d.FirstLSN, d.LastLSN)
	}
	return s
}
