package window

import (
	"math"
	"slices"
)

// Quantile gives the value below which the part Q of the rows lies, within one
// per cent of it (with Q 0 and 1 exactly): numbers are counted in buckets whose
// bounds grow by two per cent. NaN is left out. With no rows it is NaN.
//
// An accumulator takes 8 bytes for each bucket between the smallest and the
// largest magnitude it has seen, and at most 32 KiB: beyond that the smallest
// magnitudes share a bucket.
type Quantile[T Number] struct{ Q float64 }

// Sketch is the accumulator of [Quantile].
type Sketch struct {
	pos, neg buckets
	zeros    int64
	n        int64
	min, max float64
}

// buckets counts magnitudes: counts[i] of bucket low+i.
type buckets struct {
	low    int
	counts []int64
}

const (
	bucketAccuracy = 0.01
	bucketMost     = 2048
	tiny           = 1e-300 // counts as zero
)

var bucketLog = math.Log((1 + bucketAccuracy) / (1 - bucketAccuracy))

func bucketOf(v float64) int { return int(math.Ceil(math.Log(v) / bucketLog)) }

func bucketValue(i int) float64 {
	return math.Exp(float64(i)*bucketLog) * (1 - bucketAccuracy)
}

func (b *buckets) add(i int, n int64) {
	if len(b.counts) == 0 {
		b.low = i
		b.counts = append(b.counts, 0)
	}
	if high := b.low + len(b.counts); i >= high {
		b.counts = append(b.counts, make([]int64, i-high+1)...)
	} else if i < b.low {
		if i = max(i, b.low+len(b.counts)-bucketMost); i < b.low {
			b.counts = slices.Insert(b.counts, 0, make([]int64, b.low-i)...)
			b.low = i
		}
	}
	if over := len(b.counts) - bucketMost; over > 0 {
		for _, c := range b.counts[:over] {
			b.counts[over] += c
		}
		b.counts = append(b.counts[:0], b.counts[over:]...)
		b.low += over
	}
	b.counts[max(i-b.low, 0)] += n
}

func (b *buckets) merge(o *buckets) {
	for i, c := range o.counts {
		if c > 0 {
			b.add(o.low+i, c)
		}
	}
}

func (Quantile[T]) builtin() {}

// Init implements [Reducer].
func (Quantile[T]) Init(a *Sketch) {
	*a = Sketch{pos: buckets{counts: a.pos.counts[:0]}, neg: buckets{counts: a.neg.counts[:0]}, min: math.Inf(1), max: math.Inf(-1)}
}

// Add implements [Reducer].
func (Quantile[T]) Add(a *Sketch, _ int64, value T) {
	v := float64(value)
	switch {
	case v != v:
		return
	case v > tiny:
		a.pos.add(bucketOf(min(v, math.MaxFloat64)), 1)
	case v < -tiny:
		a.neg.add(bucketOf(min(-v, math.MaxFloat64)), 1)
	default:
		a.zeros++
	}
	a.n++
	a.min, a.max = min(a.min, v), max(a.max, v)
}

// Merge implements [Reducer].
func (Quantile[T]) Merge(dst, newer *Sketch) {
	dst.pos.merge(&newer.pos)
	dst.neg.merge(&newer.neg)
	dst.zeros += newer.zeros
	dst.n += newer.n
	dst.min, dst.max = min(dst.min, newer.min), max(dst.max, newer.max)
}

// Result implements [Reducer].
func (q Quantile[T]) Result(a *Sketch) float64 {
	if a.n == 0 || !(q.Q >= 0 && q.Q <= 1) {
		return math.NaN()
	}
	rank := int64(math.Ceil(q.Q*float64(a.n))) - 1 // the documents' nearest rank
	switch {
	case q.Q == 1 || rank >= a.n-1:
		return a.max
	case rank <= 0:
		return a.min
	}
	return min(max(a.at(rank), a.min), a.max)
}

func (a *Sketch) at(rank int64) float64 {
	for i := len(a.neg.counts) - 1; i >= 0; i-- {
		if rank -= a.neg.counts[i]; rank < 0 {
			return -bucketValue(a.neg.low + i)
		}
	}
	if rank -= a.zeros; rank < 0 {
		return 0
	}
	for i, c := range a.pos.counts {
		if rank -= c; rank < 0 {
			return bucketValue(a.pos.low + i)
		}
	}
	return a.max
}

// AppendState implements [StateCodec].
func (Quantile[T]) AppendState(dst []byte, accs []Sketch) []byte {
	for i := range accs {
		a := &accs[i]
		dst = putInts(dst, a.zeros, a.n)
		dst = appendFloats(dst, []float64{a.min, a.max})
		for _, b := range []*buckets{&a.pos, &a.neg} {
			dst = putInts(dst, int64(b.low), int64(len(b.counts)))
			dst = appendInts(dst, b.counts)
		}
	}
	return dst
}

// LoadState implements [StateCodec].
func (Quantile[T]) LoadState(src []byte, accs []Sketch) ([]byte, error) {
	r := &reader{src: src}
	for i := range accs {
		a := &accs[i]
		a.zeros, a.n = r.int(), r.int()
		a.min, a.max = readValue[float64](r, nil), readValue[float64](r, nil)
		for _, b := range []*buckets{&a.pos, &a.neg} {
			low, n := r.int(), r.count(8)
			r.must(low > -1<<30 && low < 1<<30 && n <= bucketMost)
			if r.err != nil {
				return nil, r.err
			}
			b.low, b.counts = int(low), make([]int64, n)
			r.src, _ = loadInts(r.src, b.counts)
		}
	}
	return r.src, r.err
}
