package engine

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
)

// A batch made under other terms than those in force is refused, whole; the
// position that a change is told is that of the last batch before it.
func TestTerms(t *testing.T) {
	e := open(t, memConfig())
	put := func(terms uint64) (uint64, error) {
		return e.Commit(bg, &Batch{Puts: []Put{{Key: fmt.Sprint(terms), Value: []byte{1}}}, Terms: terms}, false)
	}
	first, err := put(0)
	require.NoError(t, err)
	e.SetTerms(7, func(last uint64) {
		if last != first {
			t.Errorf("the last position is %d, want %d", last, first)
		}
	})
	if _, err := put(6); !errors.Is(err, ErrTerms) {
		t.Errorf("under earlier terms: %v, want ErrTerms", err)
	}
	if _, ok := e.Get("6"); ok {
		t.Error("what was refused is stored")
	}
	for _, terms := range []uint64{7, 0} {
		if _, err := put(terms); err != nil {
			t.Errorf("under terms %d: %v", terms, err)
		}
	}
	shape, err := e.Shape("d", []string{"s"}, []column.Kind{column.Int64})
	require.NoError(t, err)
	earlier := Tablet{Shape: shape, Times: []int64{-1}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{1}}}}
	_, err = e.Commit(bg, &Batch{Tablets: []Tablet{earlier}}, false)
	require.NoError(t, err)
	row := []column.Cell{{Kind: column.Int64}}
	for at, terms := range []uint64{6, 7, 6, 0} {
		got, err := e.AppendRow(bg, shape, int64(at), row, terms)
		if want := terms != 6; got != want || err != nil {
			t.Errorf("a row under terms %d is stored: %v, want %v, and %v", terms, got, want, err)
		}
	}
}
