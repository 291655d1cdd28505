package udflib

import (
	"math"
	"math/rand/v2"
	"slices"
)

// sketch answers questions of rank about many values in little memory (a KLL
// sketch: Karnin, Lang and Liberty 2016). A value of level l stands for 2^l
// values. Until k values it is exact.
type sketch struct {
	k      int
	levels [][]float64
	n      int64
	coin   *rand.Rand
}

func newSketch(k int) *sketch {
	// The seed is fixed: the same values give the same answer.
	return &sketch{k: k, levels: [][]float64{nil}, coin: rand.New(rand.NewPCG(1, uint64(k)))}
}

// sketchFor makes one whose error of rank is below e in 99 of 100 cases, by
// the formula of the DataSketches documents.
func sketchFor(e float64) *sketch {
	return newSketch(int(min(1<<24, max(100, math.Ceil(math.Pow(2.296/e, 1/0.9021))))))
}

func (s *sketch) reset() {
	*s = *newSketch(s.k)
}

// room is how many values a level may hold: the top one k, each below two
// thirds of the one above.
func (s *sketch) room(level int) int {
	depth := len(s.levels) - 1 - level
	return max(8, int(math.Ceil(float64(s.k)*math.Pow(2.0/3, float64(depth)))))
}

func (s *sketch) add(x float64) {
	s.n++
	s.levels[0] = append(s.levels[0], x)
	s.shrink()
}

func (s *sketch) merge(o *sketch) {
	s.n += o.n
	for l, xs := range o.levels {
		if l == len(s.levels) {
			s.levels = append(s.levels, nil)
		}
		s.levels[l] = append(s.levels[l], xs...)
	}
	s.shrink()
}

// shrink moves every second value of a level that is too full one up.
func (s *sketch) shrink() {
	for l := 0; l < len(s.levels); l++ {
		if len(s.levels[l]) <= s.room(l) {
			continue
		}
		if l+1 == len(s.levels) {
			s.levels = append(s.levels, nil)
		}
		xs := s.levels[l]
		slices.Sort(xs)
		keep := xs[:len(xs)%2] // an odd one stays
		for i := len(keep) + s.coin.IntN(2); i < len(xs); i += 2 {
			s.levels[l+1] = append(s.levels[l+1], xs[i])
		}
		s.levels[l] = keep
	}
}

// at returns the value of the given rank, from 1 to n; NaN if there is none.
func (s *sketch) at(rank float64) float64 {
	type weighted struct{ x, w float64 }
	var all []weighted
	for l, xs := range s.levels {
		for _, x := range xs {
			all = append(all, weighted{x, float64(int64(1) << l)})
		}
	}
	slices.SortFunc(all, func(a, b weighted) int {
		if a.x < b.x {
			return -1
		} else if a.x > b.x {
			return 1
		}
		return 0
	})
	seen := 0.0
	for _, v := range all {
		if seen += v.w; seen >= rank {
			return v.x
		}
	}
	if len(all) > 0 {
		return all[len(all)-1].x
	}
	return math.NaN()
}
