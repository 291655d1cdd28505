package exec

import (
	"context"
	"slices"
)

// sortRun is how many rows are sorted or merged between two looks at the
// context.
const sortRun = 4096

// stableSort sorts rows, which it may use up, and ends early with the context.
func stableSort(ctx context.Context, rows []int32, compare func(a, b int32) int) ([]int32, error) {
	for lo := 0; lo < len(rows); lo += sortRun {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		slices.SortStableFunc(rows[lo:min(lo+sortRun, len(rows))], compare)
	}
	if len(rows) <= sortRun {
		return rows, nil
	}
	spare := make([]int32, len(rows))
	for width := sortRun; width < len(rows); width *= 2 {
		for lo := 0; lo < len(rows); lo += 2 * width {
			mid, hi := min(lo+width, len(rows)), min(lo+2*width, len(rows))
			i, j := lo, mid
			for k := lo; k < hi; k++ {
				if k%sortRun == 0 {
					if err := ctx.Err(); err != nil {
						return nil, err
					}
				}
				if j == hi || i < mid && compare(rows[i], rows[j]) <= 0 {
					spare[k] = rows[i]
					i++
				} else {
					spare[k] = rows[j]
					j++
				}
			}
		}
		rows, spare = spare, rows
	}
	return rows, nil
}
