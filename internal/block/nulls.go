package block

import (
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// reserve makes room for n values.
func reserve(v *column.Vector, n int) {
	switch v.Kind {
	case column.Bool:
		v.Bools = slices.Grow(v.Bools, n)
	case column.Int32:
		v.Int32s = slices.Grow(v.Int32s, n)
	case column.Int64:
		v.Int64s = slices.Grow(v.Int64s, n)
	case column.Float32:
		v.Float32s = slices.Grow(v.Float32s, n)
	case column.Float64:
		v.Float64s = slices.Grow(v.Float64s, n)
	case column.Text:
		v.Texts = slices.Grow(v.Texts, n)
	}
}

// spreadCells moves the cells of v to the rows that are not null, n in all, and
// sets the others to zero. v has room for n values.
func spreadCells(v *column.Vector, nulls column.Bitmap, n int) {
	switch v.Kind {
	case column.Bool:
		v.Bools = spreadOut(v.Bools, nulls, n)
	case column.Int32:
		v.Int32s = spreadOut(v.Int32s, nulls, n)
	case column.Int64:
		v.Int64s = spreadOut(v.Int64s, nulls, n)
	case column.Float32:
		v.Float32s = spreadOut(v.Float32s, nulls, n)
	case column.Float64:
		v.Float64s = spreadOut(v.Float64s, nulls, n)
	case column.Text:
		v.Texts = spreadOut(v.Texts, nulls, n)
	}
}

func spreadOut[T any](cells []T, nulls column.Bitmap, n int) []T {
	var zero T
	from := len(cells)
	rows := cells[:n]
	for i := n - 1; i >= 0; i-- {
		if nulls.Get(i) {
			rows[i] = zero
		} else {
			from--
			rows[i] = rows[from]
		}
	}
	return rows
}
