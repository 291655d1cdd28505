package exec

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Meter counts what the runs of a plan have read. It is safe for concurrent
// use.
type Meter struct {
	Skipped atomic.Int64 // blocks that their statistics answered or ruled out
	Decoded atomic.Int64 // blocks decoded, one column each
	Rows    atomic.Int64 // rows that were read

	mu     sync.Mutex
	levels map[string]int64
}

// Levels returns how many windows of each level were taken instead of rows; nil
// if none was.
func (m *Meter) Levels() map[string]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.levels)
}

func (m *Meter) answered(name string, windows int64) {
	if windows == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.levels == nil {
		m.levels = make(map[string]int64)
	}
	m.levels[name] += windows
}

// metered is a Source that counts.
type metered struct {
	Source
	m *Meter
}

func (s metered) Cursor(ser *Series, from, to int64) Cursor {
	return &meteredCursor{Cursor: s.Source.Cursor(ser, from, to), m: s.m}
}

func (s metered) Rows(ser []*Series, from, to int64) RowCursor {
	return &meteredRows{RowCursor: s.Source.Rows(ser, from, to), m: s.m}
}

// fewRows is that of a source that can, see [fewSource].
func (s *metered) fewRows(was FewRows, ser []*Series, from, to int64) (f FewRows, ok bool) {
	src, ok := s.Source.(fewSource)
	if !ok {
		return nil, false
	}
	if f, ok = src.FewRows(was, ser, from, to); ok {
		s.m.Rows.Add(int64(len(f.Times())))
	}
	return f, ok
}

// decoder is a cursor that tells how many blocks it has decoded. Others count
// one a batch.
type decoder interface{ Decoded() int64 }

func (m *Meter) batch(cursor any, decoded *int64, rows int) {
	if d, ok := cursor.(decoder); ok {
		n := d.Decoded()
		m.Decoded.Add(n - *decoded)
		*decoded = n
	} else {
		m.Decoded.Add(1)
	}
	m.Rows.Add(int64(rows))
}

type meteredCursor struct {
	Cursor
	m       *Meter
	decoded int64
	skipped int64 // blocks that m is not told of yet
}

// tell tells the meter of the blocks that were skipped: one atomic write for all.
func (c *meteredCursor) tell() {
	if c.skipped > 0 {
		c.m.Skipped.Add(c.skipped)
		c.skipped = 0
	}
}

func (c *meteredCursor) Next() bool {
	c.tell()
	if !c.Cursor.Next() {
		return false
	}
	c.m.batch(c.Cursor, &c.decoded, len(c.Times()))
	return true
}

// NextLine is that of the cursor, see [lineCursor].
func (c *meteredCursor) NextLine() (first, step int64, rows int) {
	l, ok := c.Cursor.(lineCursor)
	if !ok {
		return 0, 0, 0
	}
	if first, step, rows = l.NextLine(); rows > 0 {
		c.m.batch(c.Cursor, &c.decoded, rows)
	}
	return first, step, rows
}

func (c *meteredCursor) Skip() {
	c.Cursor.Skip()
	c.skipped++
}

func (c *meteredCursor) Close() {
	c.tell()
	c.Cursor.Close()
}

type meteredRows struct {
	RowCursor
	m       *Meter
	decoded int64
}

func (c *meteredRows) Next() bool {
	if !c.RowCursor.Next() {
		return false
	}
	c.m.batch(c.RowCursor, &c.decoded, len(c.Times()))
	return true
}
