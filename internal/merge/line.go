package merge

// lined is a Chunk that may know that its times have a constant step.
type lined interface {
	// Line returns the first time and the step, if the rows in which column col is
	// not null are known, without reading, to have times of a constant step.
	Line(col int) (first, step int64, ok bool)
}

// NextLine is Next for the block of Peek, of the only column, if it has no null and
// its times are known to have a constant step, so that who needs only where they lie
// need not have them written out: Col has the values of so many rows, Times nothing.
// If rows is 0, it is not so, and nothing was done.
func (r *Rows) NextLine() (first, step int64, rows int) {
	if r.peeked == 0 || len(r.kinds) != 1 {
		return 0, 0, 0
	}
	s := &r.srcs[r.peeked-1]
	b := &s.blocks[s.i]
	chunk, ok := b.Chunk.(lined)
	if !ok || b.N < viewRows || b.Cols[0] < 0 || b.Chunk.Raw() {
		return 0, 0, 0
	}
	if st := b.Chunk.Stats(b.Cols[0]); st == nil || int(st.Count) != b.N {
		return 0, 0, 0
	}
	if first, step, ok = chunk.Line(b.Cols[0]); !ok {
		return 0, 0, 0
	}
	s.ready(1)
	nulls, err := s.values(r, b, 0, false, b.N)
	if err != nil || nulls.Any(b.N) {
		return 0, 0, 0 // Next finds the same, and tells
	}
	r.peeked = 0
	r.out.times, r.buf.times = nil, r.buf.times[:0]
	r.out.cols[0], r.out.nulls[0] = s.cols[0], nil
	s.skip()
	return first, step, b.N
}
