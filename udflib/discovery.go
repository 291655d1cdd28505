package udflib

import (
	"fmt"
	"math"

	"github.com/tickwell/tickwell"
)

func discoveryFunctions() []Function {
	gap := Param{"gap", "the usual interval", "interval of the points, as a number with unit"}
	const nulls = "a row with a null is missing; NaN is a value"
	return []Function{
		{Name: "consecutivesequences", Does: "number of rows of each longest run of whole rows one gap apart, at its begin; any number of inputs of any kind", Nulls: nulls,
			Params: []Param{gap}, udtf: udtf[consecutive]()},
		{Name: "consecutivewindows", Does: "number of rows of each window of length of whole rows one gap apart, at its begin; any number of inputs of any kind", Nulls: nulls,
			Params: []Param{gap, {"length", "", "from the first row of a window to its last, as a number with unit"}}, udtf: func() tickwell.UDTF { return &consecutive{windows: true} }},
	}
}

// consecutive is the two functions of series discovery.
type consecutive struct {
	windows     bool
	gap, length int64
	times       []int64 // of rows without null
}

func (f *consecutive) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := readAny(in, 1, math.MaxInt32)
	f.gap = int64(a.duration("gap", 0))
	if f.windows {
		a.need("length")
		f.length = int64(a.duration("length", 1))
	}
	cfg.Output(tickwell.KindInt32)
	return a.done()
}

func (f *consecutive) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	for i := range row.Len() {
		if row.IsNull(i) {
			return nil
		}
	}
	f.times = append(f.times, row.UnixNano())
	return nil
}

func (f *consecutive) Terminate(out *tickwell.Collector) error {
	if f.gap == 0 {
		f.gap = usual(f.times)
	}
	size := 0 // rows of a window
	if f.windows {
		if f.gap > 0 && f.length/f.gap >= math.MaxInt32 {
			return fmt.Errorf("a window of %d ns has too many rows %d ns apart: %w", f.length, f.gap, tickwell.ErrBadInput)
		}
		if f.gap > 0 {
			size = int(f.length/f.gap) + 1
		}
	}
	for lo := 0; lo < len(f.times); {
		hi := lo + 1
		for hi < len(f.times) && f.times[hi]-f.times[hi-1] == f.gap {
			hi++
		}
		if !f.windows {
			if err := out.PutInt32(f.times[lo], int32(hi-lo)); err != nil {
				return err
			}
		}
		for i := lo; size > 0 && i+size <= hi; i++ {
			if err := out.PutInt32(f.times[i], int32(size)); err != nil {
				return err
			}
		}
		lo = hi
	}
	return nil
}
