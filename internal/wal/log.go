package wal

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// Log is an open log. All methods may be called from several goroutines.
//
// Two roles share the file: the owner of writing takes the buffer and writes
// it, changing segments when needed; the owner of syncing syncs what was
// written. Whoever needs progress takes a free role and works outside the lock;
// the others wait. An owner of syncing never waits for writing.
type Log struct {
	cfg Config

	mu    sync.Mutex
	buf   []byte // records from bufFirst to last, not yet written
	spare []byte // the other buffer, nil while it is being written

	open     atomic.Uint64 // position of the record that others may join while it is the last and in buf; changed with the lock held
	openAt   int           // where it is in buf
	openKind uint8

	bufFirst uint64
	last     uint64 // last position taken
	written  uint64 // last position written, or failed
	durable  uint64 // last position synced, or failed
	vouched  uint64 // last position in a file that is synced there

	// Copies for readers without the lock.
	lastSeen, durableSeen atomic.Uint64

	writing, syncing, notifying bool
	waiters                     []*waiter
	idle                        []*waiter // to be used again

	err     error // no more records are taken because of this
	closing bool
	closed  bool
	held    error  // records are refused because of it, until Resume
	gap     uint64 // first position that failed and was not dealt with; 0 if none
	dealt   uint64 // positions up to here are safe elsewhere, see Resume

	refusedAny atomic.Bool // failed was not always empty
	failed     []failure   // positions refused for want of space, oldest first
	unsaid     []failure   // of these, not yet given to OnFailed
	notified   uint64

	segs   []*segment   // in order; the active one is last
	active *segment     // nil before the first write
	bytes  int64        // of all files
	used   atomic.Int64 // of their records and headers; changed with the lock held
	damage []Damage     // found by Open; constant
	free   []string     // base names of files to overwrite

	armed      bool // the background timer runs
	stopTimer  func() bool
	onTimer    func()
	coming     bool // somebody comes to write, see soon
	onSoon     func()
	overdue    atomic.Bool // WriteDue has something to write
	background sync.WaitGroup

	// Of the owner of writing.
	file    vfs.File // of the active segment; also used by the owner of syncing
	stored  uint64   // last position that the files account for
	nextSeg uint64
	mark    []byte // scratch for end and gap records
	mine    []byte // record of Begin
	zeros   []byte // what room is made with
}

// failure is a range of positions that could not be stored.
type failure struct {
	first, last uint64
	err         error
}

// maxFailures bounds the failed ranges remembered for late calls of Commit.
const maxFailures = 4096

func newLog(cfg Config, r *replay) *Log {
	last := r.expected - 1
	l := &Log{
		cfg:  cfg,
		last: last, written: last, durable: last, vouched: last, notified: last, stored: last,
		segs: r.segs, free: r.free, damage: r.report.Damage, nextSeg: r.highest + 1,
	}
	for _, s := range r.segs {
		l.bytes += s.size
		l.used.Add(s.end)
	}
	l.onTimer, l.onSoon = l.tick, l.writeSoon
	l.publish()
	return l
}

// publish copies the positions for readers without the lock.
func (l *Log) publish() {
	tell(&l.lastSeen, l.last)
	durable := max(l.durable, l.dealt)
	if l.gap != 0 {
		durable = min(durable, l.gap-1)
	}
	tell(&l.durableSeen, durable)
}

// tell stores what the lock guards; where nothing has changed, reading costs less.
func tell(seen *atomic.Uint64, n uint64) {
	if seen.Load() != n {
		seen.Store(n)
	}
}

// Last returns the last position taken, 0 if none.
func (l *Log) Last() uint64 { return l.lastSeen.Load() }

// Written returns the last position that was handed to the operating system.
func (l *Log) Written() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written
}

// Durable returns the last position that is synced. Positions whose Commit
// failed for want of space are passed over; with Config.Hold only when Resume
// says that the caller has dealt with them.
func (l *Log) Durable() uint64 { return l.durableSeen.Load() }

// Bytes returns the size of all segments in bytes.
func (l *Log) Bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// Used is Bytes without what lies behind the records: the bytes of former lives, and
// room for those to come.
func (l *Log) Used() int64 { return l.used.Load() }

// Held reports whether records are refused because others failed.
func (l *Log) Held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held != nil
}

// Resume lets records in again after Config.Hold refused them. The caller has
// dealt with those up to lsn, which count as durable; if others failed since,
// records are still refused.
func (l *Log) Resume(lsn uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last <= lsn {
		l.held = nil
	}
	if l.gap != 0 && l.gap <= lsn {
		if l.gap = 0; l.held != nil {
			l.gap = lsn + 1
		}
	}
	l.dealt = max(l.dealt, lsn)
	l.publish()
}

// Refused reports whether a position was taken and its record could not be
// stored for want of space.
func (l *Log) Refused(lsn uint64) bool {
	if !l.refusedAny.Load() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure(lsn) != nil
}

// Segments returns the number of segment files, those kept to be overwritten
// not counted.
func (l *Log) Segments() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.segs)
}

// Append takes the next log position for a record and copies it into the
// buffer. It waits, and helps to write, only when the buffer is full. The
// record is acknowledged by Commit. Errors wrap errs.Limit (payload larger than
// MaxPayload), errs.Closed, errs.ReadOnly or errs.StorageFailed; no position is
// taken then.
func (l *Log) Append(kind uint8, payload []byte) (lsn uint64, err error) {
	if len(payload) > MaxPayload {
		return 0, fmt.Errorf("append to log: record of %d bytes, of at most %d: %w", len(payload), MaxPayload, errs.Limit)
	}
	l.mu.Lock()
	if err = l.spaceFor(align8(recordHeader + len(payload))); err == nil {
		lsn = l.take(kind, payload)
		if l.due() {
			l.soon()
		}
	}
	l.mu.Unlock()
	return lsn, err
}

// spaceFor returns when need bytes fit the buffer, or says why no record is taken.
func (l *Log) spaceFor(need int) error {
	for {
		err := l.refused()
		if err == nil {
			err = l.held
		}
		if err != nil {
			return fmt.Errorf("append to log: %w", err)
		}
		if l.hasSpace(need) {
			return nil
		}
		if l.writing {
			_ = l.park(context.Background(), waiter{want: wantSpace, need: need})
		} else {
			l.write()
		}
	}
}

// WriteDue writes what Join has made due, once, whatever others add meanwhile. The caller
// holds no lock that others wait for: a disk may take its time.
func (l *Log) WriteDue() {
	if !l.overdue.Load() {
		return
	}
	l.mu.Lock()
	l.overdue.Store(false)
	l.writeDue()
	l.mu.Unlock()
}

func (l *Log) writeDue() {
	if l.due() && l.err == nil {
		l.write() // an error is kept in the log and meets the next writer
	}
}

// due reports whether the buffer is to be written though nobody waits for it: it stays
// in the processor's cache, and small. While somebody writes, the other one may grow, so
// that who appends need not wait for a slow disk.
func (l *Log) due() bool {
	return l.cfg.Policy.Mode == Buffered && len(l.buf) > earlyBytes && !l.writing
}

// soon has what is due written by a goroutine of its own: it would take several times as
// long as a group of rows.
func (l *Log) soon() {
	if !l.coming {
		l.coming = true
		l.background.Add(1)
		go l.onSoon()
	}
}

func (l *Log) writeSoon() {
	defer l.background.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.coming = false
	l.writeDue()
}

// take gives a record, for which there is space, the next position.
func (l *Log) take(kind uint8, payload []byte) (lsn uint64) {
	lsn = l.last + 1
	if len(l.buf) == 0 {
		l.bufFirst = lsn
	}
	l.buf = appendRecord(l.buf, kind, 0, lsn, payload)
	l.last = lsn
	l.lastSeen.Store(lsn)
	if l.cfg.Policy.Mode == Buffered {
		l.arm(l.cfg.Policy.Interval)
	}
	return lsn
}

// hasSpace reports whether need bytes fit the buffer. An empty one takes any
// record.
func (l *Log) hasSpace(need int) bool {
	return len(l.buf) == 0 || len(l.buf)+need <= l.cfg.BufferBytes
}

// refused says why no records are taken, if so.
func (l *Log) refused() error {
	switch {
	case l.cfg.ReadOnly:
		return errs.ReadOnly
	case l.closing:
		return errs.Closed
	}
	return l.err
}

// Commit returns when the record lsn and all before it are acknowledged as the
// policy says, or synced if durable is set. When ctx ends while Commit waits
// for another writer, its error is returned and the record is still stored.
//
// An error that wraps errs.NoSpace means that the record is not stored and
// never will be; the log itself goes on. With errs.StorageFailed it may or may
// not be found after reopening.
func (l *Log) Commit(ctx context.Context, lsn uint64, durable bool) error {
	mode := l.cfg.Policy.Mode
	l.mu.Lock()
	var err error
	switch {
	case lsn > l.last:
		err = fmt.Errorf("record %d is not appended: %w", lsn, errs.BadInput)
	case durable || mode == Always:
		err = l.await(ctx, lsn, wantDurable)
	case mode == Buffered:
		if err = l.failure(lsn); err == nil && lsn > l.durable {
			err = l.err
		}
	default:
		err = l.await(ctx, lsn, wantWritten)
	}
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("commit to log: %w", err)
	}
	return nil
}

// AtOnce reports whether the policy acknowledges records as soon as they are
// appended.
func (l *Log) AtOnce() bool { return l.cfg.Policy.Mode == Buffered }

// Linger sees to it that what has been appended is written, and synced if the
// policy syncs at all, when its interval is over: for records that nobody may
// ever wait for.
func (l *Log) Linger() {
	l.mu.Lock()
	if l.last > l.written {
		l.arm(l.cfg.Policy.Interval)
	}
	l.mu.Unlock()
}

// Write returns when the records up to lsn were handed to the operating system, so
// that they survive the death of the process, whatever the policy.
func (l *Log) Write(ctx context.Context, lsn uint64) error {
	l.mu.Lock()
	err := l.await(ctx, min(lsn, l.last), wantWritten)
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("write to log: %w", err)
	}
	return nil
}

// Sync returns when all records appended before the call are durable.
func (l *Log) Sync(ctx context.Context) error {
	if l.cfg.ReadOnly {
		return fmt.Errorf("sync log: %w", errs.ReadOnly)
	}
	l.mu.Lock()
	err := l.settle(ctx, l.last)
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("sync log: %w", err)
	}
	return nil
}

// settle makes everything up to lsn that is stored durable. Unlike await it is
// content with a position that failed for want of space before the call.
func (l *Log) settle(ctx context.Context, lsn uint64) error {
	for i := len(l.failed) - 1; i >= 0 && lsn > 0; i-- {
		if f := l.failed[i]; f.first <= lsn && lsn <= f.last {
			lsn = f.first - 1
		}
	}
	return l.await(ctx, lsn, wantDurable)
}

// await works or waits until the record lsn is written or durable. It is called
// and returns with the lock held.
func (l *Log) await(ctx context.Context, lsn uint64, want want) error {
	for {
		if err := l.failure(lsn); err != nil {
			return err
		}
		if l.durable >= lsn {
			return nil
		}
		if l.err != nil {
			return l.err
		}
		if want == wantWritten && l.written >= lsn {
			return nil
		}
		switch {
		case want == wantDurable && l.syncing, l.written < lsn && l.writing:
			if err := l.park(ctx, waiter{want: want, lsn: lsn}); err != nil {
				return err
			}
		case l.written < lsn:
			l.write()
		default:
			l.sync()
		}
	}
}

// failure returns the error of a position that was refused for want of space.
func (l *Log) failure(lsn uint64) error {
	for i := len(l.failed) - 1; i >= 0; i-- {
		switch f := &l.failed[i]; {
		case lsn > f.last:
			return nil
		case lsn >= f.first:
			return f.err
		}
	}
	return nil
}

// Close writes and syncs what was appended, ends the segment and closes the
// files. Later calls return nil. No goroutine of the log is left and no callback
// runs after it.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return nil
	}
	l.closing = true
	err := l.settle(context.Background(), l.last)
	if l.armed && l.stopTimer() {
		l.armed = false
		l.background.Done()
	}
	l.mu.Unlock()
	l.background.Wait()
	l.mu.Lock()
	for l.writing || l.syncing || l.notifying {
		_ = l.park(context.Background(), waiter{want: wantIdle})
	}
	l.closed = true
	if l.err == nil {
		l.err = errs.Closed
	}
	active, file := l.active, l.file
	l.active, l.file = nil, nil
	l.writing = true // no one shall write from here on
	synced := l.vouched
	l.wakeAll()
	l.mu.Unlock()

	if active != nil {
		if err == nil {
			l.signOff(active, file, synced)
		}
		if cerr := file.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

// signOff ends the last segment of a closed log with a mark whose promise
// guards the last records, and cuts off what is behind it, as Open would. They are
// synced; if the mark is lost, so is the promise and nothing else, and therefore
// errors do not matter.
func (l *Log) signOff(s *segment, file vfs.File, synced uint64) {
	var err error
	defer caught(&err)
	end := s.end
	if l.stored > 0 { // the mark has the position of the last record
		l.mark = appendRecord(l.mark[:0], 0, flagEnd, l.stored, nil)
		seal(l.mark, s.base, s.end, synced)
		_, _ = l.writeAt(file, l.mark, s.end)
		end += recordHeader
	}
	if s.size > end && file.Truncate(end) != nil {
		end = s.size
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes += end - s.size
	s.size = end
}
