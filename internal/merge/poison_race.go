//go:build race

package merge

import "math"

// poison overwrites memory that rows were lent in, so that tests under the race
// detector fail where somebody looks at it after the step that it was lent for.
func (c *columns) poison() {
	fill(c.times[:cap(c.times)], math.MinInt64+0xDEAD)
	for i := range c.cols {
		v := &c.cols[i]
		fill(v.Bools[:cap(v.Bools)], true)
		fill(v.Int32s[:cap(v.Int32s)], math.MinInt32+0xDEAD)
		fill(v.Int64s[:cap(v.Int64s)], math.MinInt64+0xDEAD)
		fill(v.Float32s[:cap(v.Float32s)], -0xDEAD)
		fill(v.Float64s[:cap(v.Float64s)], -0xDEAD)
		fill(v.Texts[:cap(v.Texts)], "lent memory was used after its step")
	}
}

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}
