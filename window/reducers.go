package window

import (
	"encoding/binary"
	"math"
)

// Integer and Number are the types the reducers of this package take.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Number is any integer or floating point type.
type Number interface{ Integer | ~float32 | ~float64 }

// builtin marks reducers that do not panic.
type builtin interface{ builtin() }

// Tally counts rows of any type.
type Tally[T any] struct{}

func (Tally[T]) builtin() {}

// Init makes a empty.
func (Tally[T]) Init(a *int64) { *a = 0 }

// Add counts one row.
func (Tally[T]) Add(a *int64, _ int64, _ T) { *a++ }

// Merge adds the two counts.
func (Tally[T]) Merge(dst, newer *int64) { *dst += *newer }

// Remove takes the rows of oldest off again.
func (Tally[T]) Remove(dst, oldest *int64) { *dst -= *oldest }

// Result is the count.
func (Tally[T]) Result(a *int64) int64 { return *a }

// AddRun counts the rows of vals.
func (Tally[T]) AddRun(a *int64, _ []int64, v []T) { *a += int64(len(v)) }

// AppendState appends 8 bytes for each of accs to dst.
func (Tally[T]) AppendState(dst []byte, accs []int64) []byte { return appendInts(dst, accs) }

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (Tally[T]) LoadState(src []byte, accs []int64) ([]byte, error) { return loadInts(src, accs) }

// Sum adds numbers as float64, as the documents' SUM does. Rows are added in
// their order.
type Sum[T Number] struct{}

func (Sum[T]) builtin() {}

// Init makes a empty.
func (Sum[T]) Init(a *float64) { *a = 0 }

// Add adds v.
func (Sum[T]) Add(a *float64, _ int64, v T) { *a += float64(v) }

// Merge adds the two sums.
func (Sum[T]) Merge(dst, newer *float64) { *dst += *newer }

// Result is the sum, 0 without rows.
func (Sum[T]) Result(a *float64) float64 { return *a }

// AddRun adds the values one after the other, as Add does.
func (Sum[T]) AddRun(a *float64, _ []int64, vals []T) {
	s := *a
	for _, v := range vals {
		s += float64(v)
	}
	*a = s
}

// AppendState appends 8 bytes for each of accs to dst.
func (Sum[T]) AppendState(dst []byte, accs []float64) []byte { return appendFloats(dst, accs) }

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (Sum[T]) LoadState(src []byte, accs []float64) ([]byte, error) { return loadFloats(src, accs) }

// SumInt adds integers exactly, as int64; overflow wraps around.
type SumInt[T Integer] struct{}

func (SumInt[T]) builtin() {}

// Init makes a empty.
func (SumInt[T]) Init(a *int64) { *a = 0 }

// Add adds v.
func (SumInt[T]) Add(a *int64, _ int64, v T) { *a += int64(v) }

// Merge adds the two sums.
func (SumInt[T]) Merge(dst, newer *int64) { *dst += *newer }

// Remove takes the sum of oldest off again.
func (SumInt[T]) Remove(dst, oldest *int64) { *dst -= *oldest }

// Result is the sum, 0 without rows.
func (SumInt[T]) Result(a *int64) int64 { return *a }

// AddRun adds the values one after the other, as Add does.
func (SumInt[T]) AddRun(a *int64, _ []int64, vals []T) {
	s := *a
	for _, v := range vals {
		s += int64(v)
	}
	*a = s
}

// AppendState appends 8 bytes for each of accs to dst.
func (SumInt[T]) AppendState(dst []byte, accs []int64) []byte { return appendInts(dst, accs) }

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (SumInt[T]) LoadState(src []byte, accs []int64) ([]byte, error) { return loadInts(src, accs) }

// MeanAcc is the accumulator of [Avg].
type MeanAcc struct {
	Sum float64 // of the rows, in their order
	N   int64   // rows
}

// Avg is the mean; NaN without rows.
type Avg[T Number] struct{}

func (Avg[T]) builtin() {}

// Init makes a empty.
func (Avg[T]) Init(a *MeanAcc) { *a = MeanAcc{} }

// Add adds v and counts it.
func (Avg[T]) Add(a *MeanAcc, _ int64, v T) { a.Sum += float64(v); a.N++ }

// Merge adds sums and counts.
func (Avg[T]) Merge(dst, newer *MeanAcc) { dst.Sum += newer.Sum; dst.N += newer.N }

// Result is the sum divided by the count.
func (Avg[T]) Result(a *MeanAcc) float64 { return a.Sum / float64(a.N) }

// AddRun adds the values one after the other, as Add does.
func (Avg[T]) AddRun(a *MeanAcc, _ []int64, vals []T) {
	s := a.Sum
	for _, v := range vals {
		s += float64(v)
	}
	a.Sum = s
	a.N += int64(len(vals))
}

// AppendState appends 16 bytes for each of accs to dst.
func (Avg[T]) AppendState(dst []byte, accs []MeanAcc) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, 16*len(accs))...)
	for i := range accs {
		b := dst[at+16*i : at+16*i+16]
		binary.LittleEndian.PutUint64(b, math.Float64bits(accs[i].Sum))
		binary.LittleEndian.PutUint64(b[8:], uint64(accs[i].N))
	}
	return dst
}

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (Avg[T]) LoadState(src []byte, accs []MeanAcc) ([]byte, error) {
	if len(src)/16 < len(accs) {
		return nil, ErrState
	}
	for i := range accs {
		accs[i] = MeanAcc{math.Float64frombits(binary.LittleEndian.Uint64(src[16*i:])), int64(binary.LittleEndian.Uint64(src[16*i+8:]))}
	}
	return src[16*len(accs):], nil
}

// Extent is the accumulator and result of [MinMax], and the accumulator of [Min]
// and [Max]. Has is false without rows; NaN counts only where nothing else came.
type Extent[T Number] struct {
	Min, Max T    // zero while Has is false
	Has      bool // whether there was a row
}

func (e *Extent[T]) add(v T) {
	switch {
	case !e.Has || e.Min != e.Min:
		*e = Extent[T]{v, v, true}
	case v < e.Min:
		e.Min = v
	case v > e.Max:
		e.Max = v
	}
}

func (e *Extent[T]) merge(o *Extent[T]) {
	if o.Has {
		e.add(o.Min)
		e.add(o.Max)
	}
}

// MinMax gives smallest and largest value.
type MinMax[T Number] struct{}

func (MinMax[T]) builtin() {}

// Init makes a empty.
func (MinMax[T]) Init(a *Extent[T]) { *a = Extent[T]{} }

// Add widens the extent to v.
func (MinMax[T]) Add(a *Extent[T], _ int64, v T) { a.add(v) }

// Merge widens dst to the extent of newer.
func (MinMax[T]) Merge(dst, newer *Extent[T]) { dst.merge(newer) }

// Result is the extent itself.
func (MinMax[T]) Result(a *Extent[T]) Extent[T] { return *a }

// AppendState appends accs to dst, in the form that LoadState reads.
func (MinMax[T]) AppendState(dst []byte, accs []Extent[T]) []byte {
	return appendExtents(dst, accs)
}

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (MinMax[T]) LoadState(src []byte, accs []Extent[T]) ([]byte, error) {
	return loadExtents(src, accs)
}

// Min gives the smallest value; zero without rows, which Count tells.
type Min[T Number] struct{}

func (Min[T]) builtin() {}

// Init makes a empty.
func (Min[T]) Init(a *Extent[T]) { *a = Extent[T]{} }

// Add keeps the smaller value; of equal ones the earlier.
func (Min[T]) Add(a *Extent[T], _ int64, v T) {
	if v < a.Min || !a.Has || a.Min != a.Min {
		a.Min, a.Max, a.Has = v, v, true
	}
}

// Merge keeps the smaller value of the two.
func (Min[T]) Merge(dst, newer *Extent[T]) {
	if newer.Has {
		Min[T]{}.Add(dst, 0, newer.Min)
	}
}

// Result is the smallest value, 0 without rows.
func (Min[T]) Result(a *Extent[T]) T { return a.Min }

// AppendState appends accs to dst, in the form that LoadState reads.
func (Min[T]) AppendState(dst []byte, accs []Extent[T]) []byte {
	return appendExtents(dst, accs)
}

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (Min[T]) LoadState(src []byte, accs []Extent[T]) ([]byte, error) { return loadExtents(src, accs) }

// Max gives the largest value; zero without rows, which Count tells.
type Max[T Number] struct{}

func (Max[T]) builtin() {}

// Init makes a empty.
func (Max[T]) Init(a *Extent[T]) { *a = Extent[T]{} }

// Add keeps the larger value; of equal ones the earlier.
func (Max[T]) Add(a *Extent[T], _ int64, v T) {
	if v > a.Max || !a.Has || a.Max != a.Max {
		a.Min, a.Max, a.Has = v, v, true
	}
}

// Merge keeps the larger value of the two.
func (Max[T]) Merge(dst, newer *Extent[T]) {
	if newer.Has {
		Max[T]{}.Add(dst, 0, newer.Max)
	}
}

// Result is the largest value, 0 without rows.
func (Max[T]) Result(a *Extent[T]) T { return a.Max }

// AppendState appends accs to dst, in the form that LoadState reads.
func (Max[T]) AppendState(dst []byte, accs []Extent[T]) []byte {
	return appendExtents(dst, accs)
}

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (Max[T]) LoadState(src []byte, accs []Extent[T]) ([]byte, error) { return loadExtents(src, accs) }

// Point is one row: the accumulator of [First] and [Last].
type Point[T any] struct {
	Time  int64 // of the row
	Value T     // of the row
	Has   bool  // whether there was a row
}

// First gives the value with the smallest time; of several, the one that came
// first.
type First[T any] struct{}

func (First[T]) builtin() {}

// Init makes a empty.
func (First[T]) Init(a *Point[T]) { *a = Point[T]{} }

// Add keeps the row if it is older than the one kept.
func (First[T]) Add(a *Point[T], ts int64, v T) {
	if !a.Has || ts < a.Time {
		*a = Point[T]{ts, v, true}
	}
}

// Merge keeps the older row of the two, that of dst if they are equally old.
func (First[T]) Merge(dst, newer *Point[T]) {
	if newer.Has {
		First[T]{}.Add(dst, newer.Time, newer.Value)
	}
}

// Result is the value of the oldest row, the zero value without rows.
func (First[T]) Result(a *Point[T]) T { return a.Value }

// AppendState appends accs to dst, in the form that LoadState reads.
func (First[T]) AppendState(dst []byte, accs []Point[T]) []byte {
	return appendPoints(dst, accs)
}

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (First[T]) LoadState(src []byte, accs []Point[T]) ([]byte, error) { return loadPoints(src, accs) }

// Last gives the value with the largest time; of several, the one that came
// last.
type Last[T any] struct{}

func (Last[T]) builtin() {}

// Init makes a empty.
func (Last[T]) Init(a *Point[T]) { *a = Point[T]{} }

// Add keeps the row unless it is older than the one kept.
func (Last[T]) Add(a *Point[T], ts int64, v T) {
	if !a.Has || ts >= a.Time {
		*a = Point[T]{ts, v, true}
	}
}

// Merge keeps the newer row of the two, that of newer if they are equally new.
func (Last[T]) Merge(dst, newer *Point[T]) {
	if newer.Has {
		Last[T]{}.Add(dst, newer.Time, newer.Value)
	}
}

// Result is the value of the newest row, the zero value without rows.
func (Last[T]) Result(a *Point[T]) T { return a.Value }

// AppendState appends accs to dst, in the form that LoadState reads.
func (Last[T]) AppendState(dst []byte, accs []Point[T]) []byte {
	return appendPoints(dst, accs)
}

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (Last[T]) LoadState(src []byte, accs []Point[T]) ([]byte, error) { return loadPoints(src, accs) }

// Moments is the accumulator of [StdDev]: count, mean, and sum of squared
// distances from it, which do not cancel as sums of squares do.
type Moments struct {
	N        int64   // rows
	Mean, M2 float64 // their mean, and the sum of squared distances from it
}

func (m *Moments) add(v float64) {
	m.N++
	d := v - m.Mean
	m.Mean += d / float64(m.N)
	m.M2 += float64(d * (v - m.Mean))
}

func (m *Moments) merge(o *Moments) {
	switch {
	case o.N == 0:
	case m.N == 0:
		*m = *o
	default:
		n := float64(m.N + o.N)
		d := o.Mean - m.Mean
		m.M2 += o.M2 + float64(d*d*(float64(m.N)*float64(o.N)/n))
		m.Mean += float64(d * (float64(o.N) / n))
		m.N += o.N
	}
}

// StdDev is the standard deviation of a sample (divided by n−1); NaN with fewer
// than two rows.
type StdDev[T Number] struct{}

func (StdDev[T]) builtin() {}

// Init makes a empty.
func (StdDev[T]) Init(a *Moments) { *a = Moments{} }

// Add adds v by Welford's update.
func (StdDev[T]) Add(a *Moments, _ int64, v T) { a.add(float64(v)) }

// Merge joins the two moments.
func (StdDev[T]) Merge(dst, newer *Moments) { dst.merge(newer) }

// Result is the root of M2 divided by N−1.
func (StdDev[T]) Result(a *Moments) float64 {
	if a.N < 2 {
		return math.NaN()
	}
	return math.Sqrt(a.M2 / float64(a.N-1))
}

// AppendState appends 24 bytes for each of accs to dst.
func (StdDev[T]) AppendState(dst []byte, accs []Moments) []byte {
	for i := range accs {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(accs[i].N))
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(accs[i].Mean))
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(accs[i].M2))
	}
	return dst
}

// LoadState reads what AppendState wrote; [ErrState] if src is too short.
func (StdDev[T]) LoadState(src []byte, accs []Moments) ([]byte, error) {
	if len(src)/24 < len(accs) {
		return nil, ErrState
	}
	for i := range accs {
		b := src[24*i:]
		accs[i] = Moments{int64(binary.LittleEndian.Uint64(b)), math.Float64frombits(binary.LittleEndian.Uint64(b[8:])), math.Float64frombits(binary.LittleEndian.Uint64(b[16:]))}
	}
	return src[24*len(accs):], nil
}
