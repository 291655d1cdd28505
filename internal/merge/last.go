package merge

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// Last returns the newest row of one column: only blocks that may hold it are
// read. ok is false if there is none.
func Last(kind column.Kind, masks []Mask, sources []Source) (t int64, v column.Vector, ok bool, err error) {
	r := New([]column.Kind{kind}, [][]Mask{masks}, math.MinInt64, toEnd, nil)
	defer r.Close()
	r.srcs = slices.Grow(r.srcs, 1)[:1]
	s := &r.srcs[0]
	for i := len(sources) - 1; i >= 0; i-- {
		src := sources[i]
		for j := len(src) - 1; j >= 0; j-- {
			if ok && src[j].Max <= t {
				break // only a newer source wins at the same time, and those were seen
			}
			s.blocks, s.i, s.loaded = src[j:j+1], 0, false
			if err := s.load(r); err != nil {
				return 0, v, false, err
			}
			if !s.loaded {
				continue
			}
			last := len(s.times) - 1
			if !ok || s.times[last] > t {
				t, ok = s.times[last], true
				v = column.Vector{Kind: kind}
				v.AppendRange(&s.cols[0], last, last+1)
			}
			break
		}
	}
	return t, v, ok, nil
}
