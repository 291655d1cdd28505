package exec

import "context"

// scan reads series aligned by time: those of each device by one cursor, the
// devices joined. A nil series is a column of nulls without a kind.
func scan(src Source, series []*Series, from, to int64) stream {
	var parts []stream
	var place [][]int // columns of each part in the result
	byDevice := map[string]int{}
	for i, s := range series {
		if s == nil {
			continue
		}
		p, ok := byDevice[s.Device]
		if !ok {
			p = len(parts)
			byDevice[s.Device] = p
			parts = append(parts, &deviceScan{src: src, from: from, to: to})
			place = append(place, nil)
		}
		d := parts[p].(*deviceScan)
		d.series = append(d.series, s)
		place[p] = append(place[p], i)
	}
	if len(parts) == 1 && len(place[0]) == len(series) {
		return parts[0]
	}
	return newJoin(parts, place, len(series))
}

// deviceScan reads series of one device.
type deviceScan struct {
	src      Source
	series   []*Series
	from, to int64

	points Cursor    // of a single series
	rows   RowCursor // of several
	brief  bool      // few rows are expected, which may need no cursor
	few    FewRows   // their memory
	copied bool      // they were all
	batch  Batch
	closed bool
}

func (s *deviceScan) next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed || s.from >= s.to || s.copied {
		return nil, nil
	}
	if s.brief && s.points == nil && s.rows == nil && s.nextFew() {
		if s.copied = true; len(s.batch.Times) == 0 {
			return nil, nil
		}
		return &s.batch, nil
	}
	if len(s.series) == 1 {
		return s.nextPoints()
	}
	if s.rows == nil {
		s.rows = s.src.Rows(s.series, s.from, s.to)
	}
	if !s.rows.Next() {
		return nil, s.rows.Err()
	}
	s.batch.Times = s.rows.Times()
	s.batch.Cols = s.batch.Cols[:0]
	for i := range s.series {
		v, nulls := s.rows.Col(i)
		s.batch.Cols = append(s.batch.Cols, Col{*v, nulls})
	}
	return &s.batch, nil
}

// nextFew reports whether all rows could be copied.
func (s *deviceScan) nextFew() bool {
	src, ok := s.src.(*metered)
	if small || !ok {
		return false
	}
	if s.few, ok = src.fewRows(s.few, s.series, s.from, s.to); !ok {
		return false
	}
	s.batch.Times = s.few.Times()
	s.batch.Cols = s.batch.Cols[:0]
	for i := range s.series {
		v, nulls := s.few.Col(i)
		s.batch.Cols = append(s.batch.Cols, Col{*v, nulls})
	}
	return true
}

func (s *deviceScan) nextPoints() (*Batch, error) {
	if s.points == nil {
		s.points = s.src.Cursor(s.series[0], s.from, s.to)
	}
	if !s.points.Next() {
		return nil, s.points.Err()
	}
	s.batch.Times = s.points.Times()
	s.batch.Cols = append(s.batch.Cols[:0], Col{Vector: *s.points.Values()})
	return &s.batch, nil
}

func (s *deviceScan) close() {
	s.closed = true
	if s.points != nil {
		s.points.Close()
	}
	if s.rows != nil {
		s.rows.Close()
	}
}

// filter keeps the rows for which a condition is true, and the first columns
// of them.
type filter struct {
	in    stream
	where *op
	keep  int // columns
	rows  []int32
	whole Batch // the memory is that of in
	some  Batch
}

func (f *filter) next(ctx context.Context) (*Batch, error) {
	for {
		b, err := f.in.next(ctx)
		if b == nil || err != nil {
			return nil, err
		}
		c, err := f.where.eval(b)
		if err != nil {
			return nil, err
		}
		f.rows = f.rows[:0]
		for i := range b.Len() {
			if truth(c, i) == isTrue {
				f.rows = append(f.rows, int32(i))
			}
		}
		switch len(f.rows) {
		case 0:
			continue
		case b.Len():
			f.whole.Times = b.Times
			f.whole.Cols = append(f.whole.Cols[:0], b.Cols[:f.keep]...)
			return &f.whole, nil
		}
		gather(&f.some, b, f.rows, f.keep)
		return &f.some, nil
	}
}

func (f *filter) close() { f.in.close() }

// gather sets dst, whose memory it uses again and which must be nobody else's, to
// some rows of the first keep columns of src.
func gather(dst, src *Batch, rows []int32, keep int) {
	times := dst.Times[:0]
	if cap(times) < len(rows) {
		times = make([]int64, 0, max(len(rows), 256))
	}
	for _, r := range rows {
		times = append(times, src.Times[r])
	}
	dst.Times = times
	dst.Cols = dst.Cols[:0]
	for i := range keep {
		var c Col
		c.Kind = src.Cols[i].Kind
		pick(&c, &src.Cols[i], rows)
		dst.Cols = append(dst.Cols, c)
	}
}

func pick(dst, src *Col, rows []int32) {
	dst.AppendRows(&src.Vector, rows)
	if len(src.Nulls) == 0 {
		return
	}
	for i, r := range rows {
		if src.Nulls.Get(int(r)) {
			dst.Nulls.Set(i)
		}
	}
}
