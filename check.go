package tickwell

import (
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
)

// invokeChecked calls a trigger in a way that shows whether it changes or keeps
// what it was lent.
func (db *DB) invokeChecked(c *firingCall) error {
	given := c.rows
	own := given.Clone()
	c.firing.Tablet = own
	err := db.invokeOnce(c)
	if _, ok := err.(*dispatch.StuckError); ok { // errors.As would call methods of the trigger's error
		return err // the goroutine left behind has the rows, and c
	}
	c.firing.Tablet = given
	if err == nil && !sameTablet(own, given) {
		err = fmt.Errorf("the trigger changed the rows it was lent: %w", errs.BadInput)
	}
	if c.rewritten != nil && c.rewritten.Validate() == nil {
		c.rewritten = c.rewritten.Clone() // it may be what was lent
	}
	own.spoil() // what the trigger made of it, and what it was
	return err
}

// sameTablet compares two tablets bit by bit.
func sameTablet(a, b *Tablet) bool {
	if a.Device != b.Device || !slices.Equal(a.Times, b.Times) || len(a.Columns) != len(b.Columns) {
		return false
	}
	for i := range a.Columns {
		x, y := &a.Columns[i], &b.Columns[i]
		if x.Name != y.Name || x.Data == nil || x.Data.Kind() != y.Data.Kind() || x.Data.Len() != y.Data.Len() {
			return false
		}
		for r := range a.Times {
			if x.Nulls.Get(r) != y.Nulls.Get(r) || !x.Data.Value(r).Equal(y.Data.Value(r)) {
				return false
			}
		}
	}
	return true
}

// spoil fills a tablet with what no one would take for data.
func (t *Tablet) spoil() {
	for i := range t.Times {
		t.Times[i] = math.MinInt64
	}
	for i := range t.Columns {
		switch d := t.Columns[i].Data.(type) {
		case Bools:
			for j := range d {
				d[j] = !d[j]
			}
		case Int32s:
			fillWith(d, math.MinInt32)
		case Int64s:
			fillWith(d, math.MinInt64)
		case Float32s:
			fillWith(d, float32(math.NaN()))
		case Float64s:
			fillWith(d, math.NaN())
		case Texts:
			fillWith(d, "kept after the firing")
		}
	}
	t.Device = "kept after the firing"
}

func fillWith[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}
