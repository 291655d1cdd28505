package window

import (
	"math"
	"math/bits"
	"slices"
)

// Distinct counts different values: exactly up to a hundred or so, and beyond
// that by HyperLogLog, within five per cent or so (1.6 per cent standard error). T must be a
// number, string or boolean; values of other types count as one.
type Distinct[T any] struct{}

// Uniques is the accumulator of [Distinct]: hashes while they are few, then
// registers.
type Uniques struct {
	few  []uint64 // sorted
	regs []uint8  // nil, or registers of them
	many bool
}

const (
	fewMost  = 128
	regBits  = 12
	regCount = 1 << regBits
)

func (Distinct[T]) builtin() {}

// Init implements [Reducer].
func (Distinct[T]) Init(a *Uniques) { *a = Uniques{few: a.few[:0], regs: a.regs} }

// Add implements [Reducer].
func (Distinct[T]) Add(a *Uniques, _ int64, v T) { a.add(hashOf(v)) }

// Merge implements [Reducer].
func (Distinct[T]) Merge(dst, newer *Uniques) {
	if !newer.many {
		for _, h := range newer.few {
			dst.add(h)
		}
		return
	}
	dst.spread()
	for i, r := range newer.regs {
		dst.regs[i] = max(dst.regs[i], r)
	}
}

// Result implements [Reducer].
func (Distinct[T]) Result(a *Uniques) int64 {
	if !a.many {
		return int64(len(a.few))
	}
	sum, zeros := 0.0, 0
	for _, r := range a.regs {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	const m = regCount
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/float64(zeros))
	}
	return int64(math.Round(estimate))
}

func (a *Uniques) add(h uint64) {
	if a.many {
		a.mark(h)
		return
	}
	i, found := slices.BinarySearch(a.few, h)
	if found {
		return
	}
	if a.few = slices.Insert(a.few, i, h); len(a.few) > fewMost {
		a.spread()
	}
}

// spread goes over from hashes to registers.
func (a *Uniques) spread() {
	if a.many {
		return
	}
	a.many = true
	if a.regs == nil {
		a.regs = make([]uint8, regCount)
	}
	clear(a.regs)
	for _, h := range a.few {
		a.mark(h)
	}
	a.few = a.few[:0]
}

func (a *Uniques) mark(h uint64) {
	rank := uint8(bits.LeadingZeros64(h<<regBits|1<<(regBits-1))) + 1
	if r := &a.regs[h>>(64-regBits)]; rank > *r {
		*r = rank
	}
}

// hashOf is the same in every process, so that saved states can be merged.
func hashOf[T any](v T) uint64 {
	switch x := any(v).(type) {
	case float64:
		if x == 0 {
			x = 0 // -0 too
		}
		return mix(math.Float64bits(x))
	case float32:
		if x == 0 {
			x = 0
		}
		return mix(uint64(math.Float32bits(x)))
	case int64:
		return mix(uint64(x))
	case int32:
		return mix(uint64(x))
	case int16:
		return mix(uint64(x))
	case int8:
		return mix(uint64(x))
	case int:
		return mix(uint64(x))
	case uint64:
		return mix(x)
	case uint32:
		return mix(uint64(x))
	case uint16:
		return mix(uint64(x))
	case uint8:
		return mix(uint64(x))
	case uint:
		return mix(uint64(x))
	case bool:
		if x {
			return mix(1)
		}
		return mix(0)
	case string:
		h := uint64(14695981039346656037) // FNV-1a
		for i := range len(x) {
			h = (h ^ uint64(x[i])) * 1099511628211
		}
		return mix(h)
	}
	return 0
}

// mix spreads the bits of x over all 64 (a finalizer of the splitmix family).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// AppendState implements [StateCodec].
func (Distinct[T]) AppendState(dst []byte, accs []Uniques) []byte {
	for i := range accs {
		if a := &accs[i]; a.many {
			dst = putInts(dst, -1)
			dst = append(dst, a.regs...)
		} else {
			dst = putInts(dst, int64(len(a.few)))
			for _, h := range a.few {
				dst = putInts(dst, int64(h))
			}
		}
	}
	return dst
}

// LoadState implements [StateCodec].
func (Distinct[T]) LoadState(src []byte, accs []Uniques) ([]byte, error) {
	r := &reader{src: src}
	for i := range accs {
		n := r.int()
		if n == -1 {
			r.must(len(r.src) >= regCount)
			if r.err != nil {
				return nil, r.err
			}
			accs[i] = Uniques{regs: slices.Clone(r.src[:regCount]), many: true}
			r.src = r.src[regCount:]
			continue
		}
		r.must(n >= 0 && n <= fewMost)
		for range n {
			accs[i].few = append(accs[i].few, uint64(r.int()))
			if r.err != nil {
				return nil, r.err
			}
		}
		r.must(slices.IsSorted(accs[i].few))
	}
	return r.src, r.err
}
