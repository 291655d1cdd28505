package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

const replayWindow = 256 << 10

// replay reads all segments in order. expected is the position the next record
// should have.
type replay struct {
	cfg    *Config
	after  uint64
	apply  func(lsn uint64, kind uint8, payload []byte) error
	report Report

	segs     []*segment
	free     []string // base names of recycled files
	litter   []string // base names of files a crash left
	highest  uint64   // highest segment number in use
	started  bool     // a valid header was seen
	expected uint64
	pending  []int // report.Damage whose LSN range ends at the next valid record

	vouched bool   // vouch is that of the current segment
	vouch   uint64 // highest position its records behind a bad one call synced
	synced  uint64 // highest position that any record calls synced

	sc     scanner
	behind behind
}

func (r *replay) run() error {
	if err := r.list(); err != nil {
		return err
	}
	r.expected = r.after + 1
	r.sc.window = replayWindow
	for i, s := range r.segs {
		if err := r.segment(s, i == len(r.segs)-1); err != nil {
			return err
		}
	}
	r.finish()
	return nil
}

// list finds the files of the log.
func (r *replay) list() error {
	names, err := r.cfg.FS.List(r.cfg.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	for _, name := range names {
		switch num, ok := parseSegmentName(name); {
		case ok:
			r.segs = append(r.segs, &segment{num: num, name: name})
			r.highest = max(r.highest, num)
		case strings.HasSuffix(name, freeSuffix):
			r.free = append(r.free, name)
			// Its old records are valid under its old number, so that is not used again.
			if num, ok := parseSegmentName(strings.TrimSuffix(name, freeSuffix)); ok {
				r.highest = max(r.highest, num)
			}
		case strings.HasSuffix(name, tmpSuffix):
			r.litter = append(r.litter, name)
		}
	}
	r.report.Segments = len(r.segs)
	return nil
}

// damage records a damaged part of s. The LSN range is not known before the
// next valid record.
//
//go:noinline
func (r *replay) damage(s *segment, off, length int64, reason string) {
	s.damaged = true
	r.pending = append(r.pending, len(r.report.Damage))
	r.report.Damage = append(r.report.Damage, Damage{File: s.name, Offset: off, Length: length, Reason: reason})
}

// arrive is told of the next position that the log really has. The positions
// passed over are lost, unless the caller of Open has them already.
func (r *replay) arrive(lsn uint64, file string) {
	from, to := max(r.expected, r.after+1), lsn-1
	if lsn > r.expected && from <= to {
		if len(r.pending) == 0 {
			r.report.Damage = append(r.report.Damage, Damage{File: file, Reason: "records before it are missing"})
			r.pending = append(r.pending, len(r.report.Damage)-1)
		}
		for _, i := range r.pending {
			r.report.Damage[i].FirstLSN, r.report.Damage[i].LastLSN = from, to
		}
	}
	r.pending = r.pending[:0]
	r.expected = max(r.expected, lsn)
}

// segment replays one file. Only an error of the file system or of apply is
// returned.
func (r *replay) segment(s *segment, last bool) (err error) {
	f, err := r.cfg.FS.Open(filepath.Join(r.cfg.Dir, s.name))
	if errors.Is(err, fs.ErrNotExist) { // a writer retired it meanwhile
		s.opaque = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	s.size, r.vouched = size, false
	r.sc.reset(f, 0, size)
	defer func() {
		if err == nil && r.sc.passing != nil {
			err = fmt.Errorf("open log: read %s: %w", s.name, r.sc.passing)
		}
	}()
	reason, err := r.header(s)
	if err != nil {
		return err
	}
	if reason != "" {
		s.opaque = true
		s.first, s.last, s.end = r.expected, r.expected-1, size
		r.damage(s, 0, size, reason)
		return nil
	}
	if !r.started {
		r.started = true
		r.expected = min(r.after+1, s.first)
	}
	if s.first < r.expected {
		r.damage(s, 0, 0, fmt.Sprintf("begins again at record %d", s.first))
	}
	r.arrive(s.first, s.name)
	s.first = r.expected
	err = r.records(s, last)
	s.last = r.expected - 1
	return err
}

// header checks the header of the segment in r.sc and returns why it is not
// this log's, if so.
func (r *replay) header(s *segment) (reason string, err error) {
	b, err := r.sc.bytes(0, int(min(headerBytes, s.size)))
	if err != nil {
		return fmt.Sprintf("header: %v", r.sc.readErr), nil
	}
	h, whole, err := parseHeaders(b)
	switch {
	case err != nil:
		return err.Error(), nil
	case h.version > version:
		return "", fmt.Errorf("open log: %s has format version %d, this program knows %d: %w", s.name, h.version, version, errs.BadInput)
	case h.storeID != r.cfg.StoreID:
		return "segment of another store", nil
	case h.segment != s.num:
		return fmt.Sprintf("is segment %016x under another name", h.segment), nil
	case len(b) < headerBytes:
		return "shorter than its header", nil
	}
	s.salt, s.first, s.recycled = h.salt, h.firstLSN, h.flags&flagRecycled != 0
	s.base = checksumBase(h.storeID, h.segment, h.salt)
	r.sc.base = s.base
	s.end = headerBytes
	if !whole {
		r.damage(s, 0, headerBytes, "one copy of the header is bad")
	}
	return "", nil
}

// records replays the records of s.
func (r *replay) records(s *segment, last bool) error {
	fresh := true // the next record begins an undamaged part
	step := max(settleStep, r.cfg.SegmentBytes/64)
	for off := int64(headerBytes); off < s.size; {
		rec, err := r.sc.record(off)
		if err != nil || !r.fits(rec) {
			if off, err = r.bad(s, off, rec, err, last); err != nil {
				return nil
			}
			fresh = true
			continue
		}
		ended, err := r.accept(s, rec, fresh)
		if ended || err != nil {
			return err
		}
		fresh = false
		off = rec.end
		if settlesBeside && last && off-r.behind.to >= step {
			r.settleBehind(s)
		}
	}
	return nil
}

// fits reports whether a valid record can be here: nothing jumps except behind
// damage, and nothing but the records of a segment that begins again goes back.
func (r *replay) fits(rec record) bool {
	if len(r.pending) > 0 || rec.flags == flagGap {
		return follows(rec, r.expected)
	}
	if rec.flags == flagEnd {
		return rec.lsn+1 == r.expected
	}
	return rec.lsn == r.expected
}

// accept takes a valid record into the log and applies it. ended says that it
// is the segment's last.
func (r *replay) accept(s *segment, rec record, fresh bool) (ended bool, err error) {
	s.end = rec.end
	r.synced = max(r.synced, rec.synced)
	if n := len(s.parts); n > 0 && s.parts[n-1].to == rec.off {
		s.parts[n-1].to = rec.end
	} else {
		s.parts = append(s.parts, span{rec.off, rec.end})
	}
	switch rec.flags {
	case flagEnd:
		r.arrive(rec.lsn+1, s.name)
		return true, nil
	case flagGap:
		if len(r.pending) > 0 {
			r.arrive(rec.lsn+1, s.name)
		}
		r.expected = rec.lsn + 1
		return false, nil
	}
	r.arrive(rec.lsn, s.name)
	r.expected = rec.lsn + 1
	if fresh || wantsIndex(s.index, rec.off) {
		s.index = append(s.index, indexEntry{rec.lsn, rec.off})
	}
	r.report.Records++
	if rec.lsn <= r.after {
		return false, nil
	}
	return false, r.apply(rec.lsn, rec.kind, rec.payload)
}

// bad decides what the bytes at off are that are not the next record: cause is
// nil when rec is a valid record in the wrong order. It returns where to go on,
// or io.EOF when the segment ends here.
func (r *replay) bad(s *segment, off int64, rec record, cause error, last bool) (next int64, err error) {
	if cause == nil && follows(rec, r.expected) {
		r.damage(s, off, 0, "records missing")
		return off, nil
	}
	found, ok, spent := r.sc.resync(off, r.expected)
	next = s.size
	if ok {
		next = found.off
	}
	reason := "bad record"
	switch {
	case cause == nil:
		reason = "record in the wrong order"
	case errors.Is(cause, errRead):
		reason = fmt.Sprintf("bad record: %v", r.sc.readErr)
	case last && !spent && !r.promised(found, ok):
		r.torn(s, off)
		return 0, io.EOF
	case !ok && s.recycled:
		reason = "no end mark"
	}
	r.damage(s, off, next-off, reason)
	if !ok {
		s.end = s.size // nothing is known of what follows: never cut it off
		return 0, io.EOF
	}
	return next, nil
}

// promised reports whether a valid record behind the expected one, of which rec
// is the first, says that the expected one had been synced. The segment is
// searched once: what a record before a later bad place promises lies below it.
func (r *replay) promised(rec record, ok bool) bool {
	if !r.vouched {
		r.vouched, r.vouch = true, 0
		for spent := false; ok; {
			r.vouch = max(r.vouch, rec.synced)
			rec, ok, spent = r.sc.resync(rec.end-8, r.expected)
			if spent {
				r.vouch = maxLSN // undecided: call it damage
			}
		}
	}
	return r.vouch >= r.expected
}

// torn counts the unfinished bytes at the end of the log. Behind the end of a
// recycled segment are the bytes of its former life or zeros: there only an
// unfinished record that is clearly the next one counts.
func (r *replay) torn(s *segment, off int64) {
	if !s.recycled {
		r.report.TornBytes += s.size - off
		return
	}
	if rec, ok := r.sc.plausible(off); ok && rec.lsn == r.expected {
		r.report.TornBytes += min(rec.end, s.size) - off
	}
}

// finish closes the account: what may have been lost at the end gets positions
// of its own, so that none is given out twice.
func (r *replay) finish() {
	next := max(r.expected, r.after+1)
	if len(r.pending) > 0 {
		lost := int64(0)
		for _, i := range r.pending {
			lost += r.report.Damage[i].Length / recordHeader
		}
		if lost > 0 {
			next += uint64(lost)
			r.arrive(next, "")
		}
	}
	r.pending = nil
	r.expected = next
	r.segs = slices.DeleteFunc(r.segs, func(s *segment) bool { return s.size == 0 && s.opaque && !s.damaged })
	for i, s := range r.segs { // unreadable ones reach to where the next begins
		if i+1 < len(r.segs) {
			s.last = max(s.last, r.segs[i+1].first-1)
		} else {
			s.last = max(s.last, next-1)
		}
	}
}

// Open replays the records with LSN > after in order and returns the log, ready
// for Append. The payload is valid during the call of apply only; an error of
// apply ends Open and is returned. after must not be lower than any position
// given to Retire before.
//
// What a crash left is cut off and counted; what is damaged is reported, passed
// over, and kept in the directory quarantine when it is retired. An error is
// returned only when the file system fails or a segment was written by a newer
// version.
func Open(cfg Config, after uint64, apply func(lsn uint64, kind uint8, payload []byte) error) (*Log, Report, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, Report{}, err
	}
	if after > maxLSN {
		return nil, Report{}, fmt.Errorf("open log: position %d: %w", after, errs.BadInput)
	}
	r := replay{cfg: &cfg, after: after, apply: apply}
	if settlesBeside {
		defer r.behind.stop()
	}
	if err := r.run(); err != nil {
		return nil, r.report, err
	}
	for _, d := range r.report.Damage {
		cfg.logger.Warn("log damaged", "damage", d.String())
	}
	if !cfg.ReadOnly {
		if err := r.repair(); err != nil {
			return nil, r.report, err
		}
	}
	return newLog(cfg, &r), r.report, nil
}

// repair makes what was replayed durable, cuts a torn end off, and removes what
// a crash left behind. It may itself be cut at any point.
func (r *replay) repair() error {
	dir, fsys := r.cfg.Dir, r.cfg.FS
	if len(r.segs) == 0 {
		if err := fsys.MkdirAll(dir); err != nil {
			return fmt.Errorf("open log: %w", err)
		}
		if err := fsys.SyncDir(filepath.Dir(dir)); err != nil {
			return fmt.Errorf("open log: %w", err)
		}
		// Numbers begin again: removals of their former bearers must be durable,
		// or a crash brings old segments back behind the new ones.
		if err := fsys.SyncDir(dir); err != nil {
			return fmt.Errorf("open log: %w", err)
		}
	}
	if n := len(r.segs); n > 0 && !r.segs[n-1].opaque {
		if err := r.settle(r.segs[n-1]); err != nil {
			return err
		}
	}
	if !r.cfg.Recycle {
		r.litter = append(r.litter, r.free...)
		r.free = nil
	}
	for _, name := range r.litter {
		if err := fsys.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("open log: %w", err)
		}
	}
	return nil
}
