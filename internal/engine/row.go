package engine

import (
	"context"
	"encoding/binary"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
)

// maxRowRecord bounds the log record of a row that AppendRow stores.
const maxRowRecord = 512

// AppendRow stores one row, cells in the order of the shape, each of its series'
// kind or null and not all of them null. It does what Commit does for rows of a
// shape that was written before, and returns when the row is acknowledged as the
// sync policy says; the error is then a *StoredError or nil. For all other rows,
// and whenever something has to be kept within bounds, it stores nothing and
// returns false, and Commit is to be called. terms are as in a Batch.
func (e *Engine) AppendRow(ctx context.Context, s *Shape, at int64, cells []column.Cell, terms uint64) (stored bool, err error) {
	if e.cfg.ReadOnly || at < MinTime || at > MaxTime || len(cells) != len(s.series) {
		return false, nil
	}
	if e.log == nil {
		_, stored = e.addRow(s, at, cells, nil, terms)
		e.evictIfDue()
		return stored, nil
	}
	var buf [maxRowRecord]byte
	record := appendRow(&buf, &s.layout, at, cells)
	if record == nil || !e.roomy() {
		return false, nil
	}
	t, stored := e.addRow(s, at, cells, record, terms)
	if !stored {
		if t.mine { // the log must not wait for it
			_ = e.finish(ctx, t)
		}
		return false, nil
	}
	return true, e.finish(ctx, t)
}

// turn is the log position of a row or point.
type turn struct {
	lsn  uint64
	mine bool // the log waits for its record to be written
}

// begin takes a position for a record that finish acknowledges.
func (e *Engine) begin(record []byte) (t turn, err error) {
	if e.log == nil {
		return turn{lsn: e.counter.next()}, nil
	}
	t.lsn, t.mine, err = e.log.Begin(recordGroup, record)
	return t, err
}

// finish is acknowledge for what begin has returned. It has to follow.
func (e *Engine) finish(ctx context.Context, t turn) error {
	if !t.mine {
		return e.acknowledge(ctx, t.lsn, false)
	}
	err := e.log.End(t.lsn)
	if err != nil {
		err = e.stored(t.lsn, err)
	}
	return err
}

// addRow takes the log position of a row and makes it visible.
func (e *Engine) addRow(s *Shape, at int64, cells []column.Cell, record []byte, terms uint64) (t turn, ok bool) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed || s.Stale() || terms != 0 && terms != e.terms {
		return turn{}, false
	}
	retained := e.retention.on.Load()
	if retained && !e.retention.keeps(at) {
		return turn{}, false
	}
	d := s.into(e.mem)
	d.Lock()
	defer d.Unlock()
	if e.log != nil && !d.TakesRows(&s.layout) {
		return turn{}, false
	}
	t, err := e.begin(record)
	if err != nil {
		return turn{}, false // Commit meets it again, and knows what to do
	}
	n, late, ok := d.AddRow(&s.layout, at, cells, t.lsn, memtable.Cut{Epoch: e.epoch.Load(), Oldest: e.snaps.oldest.Load()})
	if late {
		e.lateRows.Add(1)
	}
	if retained && ok {
		e.retention.saw(at)
	}
	d.Count(n)
	return t, ok
}

// AppendPoint is AppendRow for one cell that is a number, as in column.Cell, of a
// shape of one series. It stores nothing where Watch says that somebody reads rows,
// and only what goes on from the points before.
func (e *Engine) AppendPoint(ctx context.Context, s *Shape, at int64, num uint64, terms uint64) (stored bool, err error) {
	// Most points: those that the tip takes which the shape remembers, and that share the
	// position of the one before. What the tip says of its device is asked for before the
	// lock, which waits for it in any case.
	if d, p := s.mem.Load(), s.tip.Load(); d != nil && p.Of(d) && at <= MaxTime {
		if e.log != nil {
			if e.log.AtOnce() && e.roomy() && e.joinNext(s, d, p, at, num, terms) {
				return true, nil
			}
			return e.appendPoint(ctx, s, at, num, terms)
		}
		d.Lock()
		if e.passing.Load() == used && d.Table() == e.active.Load() && s.tip.Load() == p && (terms == 0 || terms == e.terms) {
			if epoch := e.epoch.Load(); e.counter.isShared() && p.Takes(at, epoch) {
				if p.Put(at, num) {
					p.Ahead()
				}
				d.Unlock()
				return true, nil
			}
		}
		d.Unlock()
	}
	return e.appendPoint(ctx, s, at, num, terms)
}

// joinNext is addPoint for a point that the tip takes, and that shares the record of
// the one before.
func (e *Engine) joinNext(s *Shape, d *memtable.Device, p *memtable.Tip, at int64, num, terms uint64) bool {
	d.Lock()
	if e.passing.Load() == used && d.Table() == e.active.Load() && s.tip.Load() == p && (terms == 0 || terms == e.terms) {
		if epoch := e.epoch.Load(); p.Takes(at, epoch) {
			if room := e.log.JoinRoom(recordGroup, maxPointRecord); room != nil {
				e.log.Joined(putPoint((*[maxPointRecord]byte)(room), p.Series(), column.Int64, at, num))
				if p.Put(at, num) {
					p.Ahead()
				}
				d.Unlock()
				return true
			}
		}
	}
	d.Unlock()
	return false
}

// appendPoint is AppendPoint for all points.
func (e *Engine) appendPoint(ctx context.Context, s *Shape, at int64, num uint64, terms uint64) (stored bool, err error) {
	if at < MinTime || at > MaxTime {
		return false, nil
	}
	if e.log == nil {
		_, stored = e.addPoint(s, at, num, nil, terms)
		return stored, nil
	}
	if e.cfg.ReadOnly || !e.roomy() {
		return false, nil
	}
	var buf [maxPointRecord]byte
	record := appendPoint(&buf, &s.layout, at, num)
	t, stored := e.addPoint(s, at, num, record, terms)
	if !stored {
		return false, nil
	}
	if e.log.AtOnce() {
		e.log.WriteDue()
		return true, nil
	}
	return true, e.finish(ctx, t)
}

// addPoint stores a point without the gate, see alone, if it is one that goes on
// from the points before. While it has the device's lock nobody reads the device, so
// that a snapshot taken meanwhile shows the point to all that read it, or to none.
// For that the epoch is asked for before the position and before the oldest snapshot:
// when the snapshot covers the position, its epoch covers the point too; and when
// the point's epoch is later, the snapshot is known, for which the present state has
// to be kept.
func (e *Engine) addPoint(s *Shape, at int64, num uint64, record []byte, terms uint64) (t turn, ok bool) {
	d := s.mem.Load()
	if d == nil {
		return turn{}, false
	}
	d.Lock()
	// In this order: alone does not look at the devices of stale shapes, or of tables
	// that are not written any more.
	if e.passing.Load() != used && !e.mayPass() || d.Table() != e.active.Load() || s.stale.Load() || s.loose.Load() != nil ||
		terms != 0 && terms != e.terms {
		d.Unlock()
		return turn{}, false
	}
	cut := memtable.Cut{Epoch: e.epoch.Load()}
	cut.Oldest = e.snaps.oldest.Load()
	if e.log == nil {
		t.lsn = e.counter.shared() // if it is not used, points before had it, or others will
		ok = d.AppendPoint(&s.layout, at, num, t.lsn, cut)
		s.remember(d)
	} else if d.TakesPoint(&s.layout, at, e.log.Least(), cut) {
		var err error
		t, err = e.join(record)
		if ok = err == nil; ok { // else Commit meets it again, and knows what to do
			d.AddPoint(&s.layout, at, num, cut)
			if e.log.AtOnce() {
				s.remember(d)
			}
		}
	}
	d.Unlock()
	return t, ok
}

// join is begin for the record of a point. Where nobody waits for the log, points
// that come one after the other share a record and its position.
func (e *Engine) join(record []byte) (t turn, err error) {
	if e.log.AtOnce() {
		t.lsn, err = e.log.Join(recordGroup, record)
		return t, err
	}
	return e.begin(record)
}

// roomy reports whether admit would let a writer pass without asking for a flush.
func (e *Engine) roomy() bool {
	if e.cfg.ManualFlush {
		return true
	}
	used := e.active.Load().Bytes()
	return used <= e.cfg.MemtableBytes && used+e.frozenBytes.Load() <= e.cfg.MemtableHard && e.log.Used() <= e.cfg.WALBytes
}

// maxPointRecord bounds the log record of a point.
const maxPointRecord = 40

// appendPoint encodes the record that Commit would make of a row of one number.
func appendPoint(buf *[maxPointRecord]byte, l *memtable.Layout, at int64, num uint64) []byte {
	return buf[:putPoint(buf, l.IDs[0], l.Kinds[0], at, num)]
}

// putPoint is appendPoint for a series of this number and a kind of as many bytes. It
// returns the length of the record.
func putPoint(buf *[maxPointRecord]byte, id uint32, kind column.Kind, at int64, num uint64) int {
	const head = 2 // kind of the section, length of its body
	b := buf[:]
	b[head] = 1 // one series
	n := head + 1 + binary.PutUvarint(b[head+1:], uint64(id)<<1)
	b[n], b[n+1] = 1, rowsRaw // one row
	n += 2
	if z := uint64(at)<<1 ^ uint64(at>>63); z>>56-1 < 1<<7-1 { // the times of our days: nine bytes
		binary.LittleEndian.PutUint64(b[n:], sevens(z)|0x8080808080808080)
		b[n+8] = byte(z >> 56)
		n += 9
	} else {
		n += binary.PutUvarint(b[n:], z)
	}
	b[n] = rawNoNulls
	n++
	switch kind {
	case column.Bool:
		b[n] = byte(num)
		n++
	case column.Int32, column.Float32:
		binary.LittleEndian.PutUint32(b[n:], uint32(num))
		n += 4
	default:
		binary.LittleEndian.PutUint64(b[n:], num)
		n += 8
	}
	b[0], b[1] = sectionTablet, byte(n-head)
	return n
}

// sevens puts seven of the 56 lower bits of x into each byte.
func sevens(x uint64) uint64 {
	x = x&0x000000000fffffff | x&0x00fffffff0000000<<4
	x = x&0x00003fff00003fff | x&0x0fffc0000fffc000<<2
	return x&0x007f007f007f007f | x&0x3f803f803f803f80<<1
}

// appendRow encodes the record that Commit would make of the row, nil if it may
// be too long.
func appendRow(buf *[maxRowRecord]byte, l *memtable.Layout, at int64, cells []column.Cell) []byte {
	const head = 1 + 2 // kind of the section, length of its body
	size := head + 2*binary.MaxVarintLen64
	for i := range cells {
		size += binary.MaxVarintLen32 + 2 + 8 + len(cells[i].Text)
	}
	if size > len(buf) {
		return nil
	}
	b := appendIDs(buf[:head], l.IDs)
	b = append(b, 1, rowsRaw) // one row
	b = binary.AppendVarint(b, at)
	for i := range cells {
		switch c := &cells[i]; c.Kind {
		case column.Null:
			b = append(b, rawBitmap, 1)
		case column.Bool:
			b = append(b, rawNoNulls, byte(c.Num))
		case column.Int32, column.Float32:
			b = binary.LittleEndian.AppendUint32(append(b, rawNoNulls), uint32(c.Num))
		case column.Int64, column.Float64:
			b = binary.LittleEndian.AppendUint64(append(b, rawNoNulls), c.Num)
		case column.Text:
			b = appendString(append(b, rawNoNulls), c.Text)
		}
	}
	body := len(b) - head
	if body < 1<<7 {
		b = b[1:]
		b[0], b[1] = sectionTablet, byte(body)
		return b
	}
	b[0], b[1], b[2] = sectionTablet, byte(body)|1<<7, byte(body>>7)
	return b
}
