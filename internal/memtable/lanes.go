package memtable

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

// maxMerged is the number of rows above which runs of late rows are left alone:
// merging happens on a writer's time.
const maxMerged = 1 << 16

// mergeLanes keeps the number of late runs near the logarithm of their rows: as
// long as the last run is more than half the size of the one before, the two
// become one.
func (g *group) mergeLanes(t *Table) {
	for {
		b := len(g.lanes) - 1
		a := b - 1
		if a < max(1, g.floor) {
			return
		}
		na, nb := g.lanes[a].rows(), g.lanes[b].rows()
		if na >= 2*nb || na+nb > maxMerged {
			return
		}
		merged, ok := g.mergeTwo(t, &g.lanes[a], &g.lanes[b])
		if !ok {
			return
		}
		t.bytes.Add(merged.bytes(g.kinds) - g.lanes[a].bytes(g.kinds) - g.lanes[b].bytes(g.kinds))
		g.lanes[a] = merged
		g.lanes[b] = lane{}
		g.lanes = g.lanes[:b]
	}
}

// mergeTwo returns the rows of a and b, of which b is newer, as one run.
func (g *group) mergeTwo(t *Table, a, b *lane) (lane, bool) {
	cols := make([]int, len(g.kinds))
	for i := range cols {
		cols[i] = i
	}
	r := merge.New(g.kinds, nil, math.MinInt64, math.MaxInt64, []merge.Source{a.source(cols), b.source(cols)})
	out := lane{last: max(a.last, b.last)}
	lsn := uint64(math.MaxUint64)
	for _, c := range slices.Concat(a.chunks, b.chunks) {
		lsn = min(lsn, c.lsn)
	}
	pending := newColumns(g.kinds)
	emit := func() {
		rows := Rows{Times: pending.times, Cols: pending.cols, Nulls: pending.nulls}
		out.chunks = append(out.chunks, &chunk{lsn: lsn, sealed: Seal(g.kinds, &rows, 0, len(rows.Times)), closed: true})
		pending.reset()
	}
	for r.Next() {
		batch := Rows{Times: r.Times(), Cols: make([]column.Vector, len(g.kinds)), Nulls: make([]column.Bitmap, len(g.kinds))}
		for c := range g.kinds {
			v, nulls := r.Col(c)
			batch.Cols[c], batch.Nulls[c] = *v, nulls
		}
		for lo := 0; lo < len(batch.Times); {
			hi := min(len(batch.Times), lo+t.blockRows-len(pending.times))
			pending.append(&batch, nil, lo, hi)
			if lo = hi; len(pending.times) == t.blockRows {
				emit()
			}
		}
	}
	if r.Err() != nil {
		return lane{}, false
	}
	if len(pending.times) > 0 {
		emit()
	}
	return out, len(out.chunks) > 0
}

func (l *lane) source(cols []int) merge.Source {
	var src merge.Source
	for _, c := range l.chunks {
		if b, ok := c.block(c.len(), cols); ok {
			src = append(src, b)
		}
	}
	return src
}

func (l *lane) rows() int {
	n := 0
	for _, c := range l.chunks {
		n += c.len()
	}
	return n
}

func (l *lane) bytes(kinds []column.Kind) int64 {
	n := int64(0)
	for _, c := range l.chunks {
		n += int64(cap(c.rows.times)*rowWidth(kinds) + c.rows.text)
		if c.sealed != nil {
			n += c.sealed.bytes()
		}
	}
	return n
}
