package window

import "reflect"

// Reducer folds the values of a window into an accumulator A and makes a result
// R of it. Add and Merge work in place; Merge's dst covers the earlier rows and
// must not keep a reference into newer. Merging must be associative and need
// not commute. A Reducer is used by one goroutine at a time and keeps nothing
// itself.
type Reducer[T, A, R any] interface {
	// Init makes a empty. It may hold an old accumulator, whose memory may be
	// used again.
	Init(a *A)
	// Add folds one row into a.
	Add(a *A, ts int64, v T)
	// Merge folds newer, which covers the rows after those of dst, into dst.
	Merge(dst, newer *A)
	// Result returns what a stands for. It must not change a.
	Result(a *A) R
}

// Remover is for reducers that can take the oldest rows out again exactly, as
// with counts and sums of integers: never with floats, where one infinity or
// one large value would spoil all later windows.
type Remover[A any] interface {
	Remove(dst, oldest *A)
}

// RunAdder is for reducers that add many rows faster than one by one.
type RunAdder[T, A any] interface {
	AddRun(a *A, ts []int64, vals []T)
}

// StateCodec is for reducers whose accumulators can be saved.
type StateCodec[A any] interface {
	// AppendState appends accs to dst.
	AppendState(dst []byte, accs []A) []byte
	// LoadState fills accs, which are new, and returns the bytes after them.
	LoadState(src []byte, accs []A) (rest []byte, err error)
}

// Result is one window of a reduction.
type Result[R any] struct {
	Start, End int64  // as Window.Start and Window.End
	Value      R      // what the reducer made of the rows
	Count      int64  // rows
	Skipped    int64  // empty windows that a gap record stands for
	Revision   int    // how often the window was given before
	Final      bool   // it is not given again
	Reason     Reason // why it is given now
}

// hasPointers reports whether copying a value of type t would share memory.
func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false
	}
	return true
}
