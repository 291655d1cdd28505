package tickwell

import (
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// rewrite puts the rows that a BEFORE trigger returned in the place of those it
// was given: of the columns cols and the rows keep (nil: all). The log stores
// the result; recovery never calls the trigger again.
func (p *part) rewrite(t *Tablet, cols, keep []int, rows int) error {
	err := t.Validate()
	if err == nil {
		t = t.Clone() // it may keep what it returned
		err = p.checkRewrite(t, cols, rows)
	}
	if err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	if keep == nil {
		keep = make([]int, rows)
		for i := range keep {
			keep[i] = i
		}
	}
	times := slices.Clone(p.times)
	for i, r := range keep {
		times[r] = t.Times[i]
	}
	if cols == nil {
		cols = make([]int, len(p.cols))
		for i := range cols {
			cols[i] = i
		}
	}
	out := make([]column.Vector, len(p.cols))
	nulls := make([]column.Bitmap, len(p.cols))
	copy(out, p.cols)
	for i := range p.nulls {
		nulls[i] = slices.Clone(p.nulls[i])
	}
	for i, c := range cols {
		src := t.Columns[i].Data.vector()
		var v column.Vector
		v.Reset(src.Kind)
		at := 0
		for r := range p.times {
			if at < len(keep) && keep[at] == r {
				v.AppendRange(&src, at, at+1)
				if t.Columns[i].Nulls.Get(at) {
					nulls[c].Set(r)
				} else {
					nulls[c].Unset(r)
				}
				at++
				continue
			}
			v.AppendRange(&p.cols[c], r, r+1)
		}
		out[c] = v
	}
	p.times, p.cols, p.nulls, p.tablet = times, out, nulls, new(Tablet)
	p.lent.reset()
	return nil
}

func (p *part) checkRewrite(t *Tablet, cols []int, rows int) error {
	n := len(cols)
	if cols == nil {
		n = len(p.cols)
	}
	switch {
	case t.Device != p.device:
		return errs.Badf("the device was %s, not %s", p.device, t.Device)
	case len(t.Times) != rows:
		return errs.Badf("%d rows were given, %d came back; to leave a row out, make its cells null", rows, len(t.Times))
	case len(t.Columns) != n:
		return errs.Badf("%d columns were given, %d came back", n, len(t.Columns))
	}
	for i := range t.Columns {
		c := i
		if cols != nil {
			c = cols[i]
		}
		if t.Columns[i].Name != p.names[c] {
			return errs.Badf("column %d was %q, not %q", i, p.names[c], t.Columns[i].Name)
		}
		if k := column.Kind(t.Columns[i].Data.Kind()); k != p.cols[c].Kind {
			return kindMismatch(p.names[c], Kind(p.cols[c].Kind), Kind(k))
		}
	}
	if p.sameTimes(t.Times, rows) {
		return nil
	}
	if len(p.cols) != n || rows != len(p.times) {
		return errs.Badf("times may only change where the trigger matches all columns and rows of the insert")
	}
	if !slices.IsSorted(t.Times) {
		return errs.Badf("changed times are not sorted")
	}
	return nil
}

// sameTimes reports whether times are those of the rows that were given: the
// rows that were left out for having only nulls aside.
func (p *part) sameTimes(times []int64, rows int) bool {
	if rows == len(p.times) {
		return slices.Equal(times, p.times)
	}
	i := 0
	for _, at := range p.times {
		if i < len(times) && times[i] == at {
			i++
		}
	}
	return i == len(times)
}
