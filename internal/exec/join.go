package exec

import (
	"context"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// join is the full outer join of streams on time.
type join struct {
	in    []input
	width int
	empty []*input // scratch
	batch Batch
	times [2][]int64
	cols  []Col // memory of copied columns
}

// input is one stream of a join, its current batch and the first row of it
// that is not used up.
type input struct {
	s     stream
	place []int // where its columns go
	b     *Batch
	pos   int
	done  bool
	// kinds of its columns, known from the first batch.
	kinds []column.Kind
}

// newJoin joins parts; place tells the column of the result that each column of
// a part becomes. Columns that no part fills are nulls without a kind.
//
//go:noinline
func newJoin(parts []stream, place [][]int, width int) *join {
	j := &join{width: width, cols: make([]Col, width)}
	for i, s := range parts {
		j.in = append(j.in, input{s: s, place: place[i]})
	}
	return j
}

func (j *join) close() {
	for i := range j.in {
		j.in[i].s.close()
	}
}

func (j *join) next(ctx context.Context) (*Batch, error) {
	if live, err := j.refill(ctx); live == 0 || err != nil {
		return nil, err
	}
	j.batch.Times = j.union()
	j.batch.Cols = growCols(j.batch.Cols, j.width)
	for i := range j.batch.Cols {
		j.batch.Cols[i] = Col{}
	}
	for i := range j.in {
		j.take(&j.in[i])
	}
	return &j.batch, nil
}

// refill gives each input that is used up its next batch, stored series several
// at once, and returns how many inputs there still are.
func (j *join) refill(ctx context.Context) (live int, err error) {
	j.empty = j.empty[:0]
	for i := range j.in {
		in := &j.in[i]
		if in.done || in.b != nil && in.pos < in.b.Len() {
			continue
		}
		if _, ok := in.s.(*deviceScan); ok {
			j.empty = append(j.empty, in)
		} else if err := in.refill(ctx); err != nil { // it may be of user code
			return 0, err
		}
	}
	if err := together(len(j.empty), func(i int) error { return j.empty[i].refill(ctx) }); err != nil {
		return 0, err
	}
	for i := range j.in {
		if !j.in[i].done {
			live++
		}
	}
	return live, nil
}

func (in *input) refill(ctx context.Context) error {
	b, err := in.s.next(ctx)
	if err != nil {
		return err
	}
	in.b, in.pos, in.done = b, 0, b == nil
	if b != nil && in.kinds == nil {
		for c := range b.Cols {
			in.kinds = append(in.kinds, b.Cols[c].Kind)
		}
	}
	return nil
}

// union returns the next times, at most maxBatch of them and none after the
// last time of any current batch, because what follows that is not known yet.
func (j *join) union() []int64 {
	bound, first := int64(0), true
	for i := range j.in {
		if in := &j.in[i]; !in.done {
			if last := in.b.Times[in.b.Len()-1]; first || last < bound {
				bound, first = last, false
			}
		}
	}
	var all []int64
	for i := range j.in {
		in := &j.in[i]
		if in.done {
			continue
		}
		times := in.b.Times[in.pos:]
		end, found := slices.BinarySearch(times, bound)
		if found {
			end++
		}
		times = times[:min(end, maxBatch)]
		switch {
		case len(times) == 0 || slices.Equal(all, times):
		case len(all) == 0:
			all = times
		default:
			all = mergeTimes(j.spare(all), all, times)
		}
	}
	return all
}

// spare returns the buffer that does not hold times.
func (j *join) spare(times []int64) *[]int64 {
	if sameMemory(j.times[0], times) {
		return &j.times[1]
	}
	return &j.times[0]
}

func sameMemory(a, b []int64) bool {
	return cap(a) > 0 && cap(b) > 0 && &a[:1][0] == &b[:1][0]
}

func mergeTimes(buf *[]int64, a, b []int64) []int64 {
	out := (*buf)[:0]
	for len(out) < maxBatch && (len(a) > 0 || len(b) > 0) {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			out = append(out, a[0])
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			out = append(out, b[0])
			b = b[1:]
		default:
			out = append(out, a[0])
			a, b = a[1:], b[1:]
		}
	}
	*buf = out
	return out
}

// take moves the rows of in that belong to the times of the batch into its
// columns: as they are if it has a row for each time, else copied.
func (j *join) take(in *input) {
	times := j.batch.Times
	n := 0
	if !in.done {
		rest := in.b.Times[in.pos:]
		end, found := slices.BinarySearch(rest, times[len(times)-1])
		if found {
			end++
		}
		n = end
	}
	for c, to := range in.place {
		out := &j.batch.Cols[to]
		if n == 0 {
			if c < len(in.kinds) {
				j.spread(out, to, in.kinds[c], nil, nil, 0)
			}
			continue
		}
		src := &in.b.Cols[c]
		if n == len(times) {
			*out = src.cut(in.pos, in.pos+n, j.cols[to].Nulls)
			continue
		}
		j.spread(out, to, src.Kind, src, in.b.Times[in.pos:in.pos+n], in.pos)
	}
	in.pos += n
}

// spread copies cells to the rows of the batch that have their times, and
// nulls to the others.
func (j *join) spread(out *Col, to int, kind column.Kind, src *Col, have []int64, pos int) {
	buf := &j.cols[to]
	buf.reset(kind)
	if kind != column.Null {
		i := 0
		for _, at := range j.batch.Times {
			if i < len(have) && have[i] == at {
				buf.appendCell(src, pos+i)
				i++
			} else {
				buf.appendNull()
			}
		}
	}
	*out = *buf
}
