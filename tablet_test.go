package tickwell

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

func TestTabletAppend(t *testing.T) {
	var tab Tablet
	at := func(ns int64) time.Time { return time.Unix(0, ns) }
	steps := []struct {
		at     int64
		fields []Field
		err    error
	}{
		{1, []Field{Float64("a", 1)}, nil},
		{2, []Field{Int32("b", 5), Float64("a", 2)}, nil},
		{3, []Field{Int32("b", 6)}, nil},
		{4, []Field{Int64("b", 6)}, ErrKindMismatch},
		{5, []Field{Text("c", "x"), Text("c", "y")}, ErrBadInput},
		{6, []Field{{Name: "a"}}, nil},
	}
	for _, s := range steps {
		if err := tab.Append(at(s.at), s.fields...); !errors.Is(err, s.err) {
			t.Fatalf("row %d: got error %v, want %v", s.at, err, s.err)
		}
	}
	if want := []int64{1, 2, 3, 6}; !slices.Equal(tab.Times, want) {
		t.Fatalf("times are %v, want %v", tab.Times, want)
	}
	want := [][]string{{"1", "null"}, {"2", "5"}, {"null", "6"}, {"null", "null"}}
	i := 0
	for r := range tab.Rows() {
		got := []string{r.Get("a").String(), r.Get("b").String()}
		if !slices.Equal(got, want[i]) {
			t.Errorf("row %d is %v, want %v", i, got, want[i])
		}
		i++
	}
	if err := tab.Validate(); err != nil {
		t.Errorf("appended tablet is not valid: %v", err)
	}
	clone := tab.Clone()
	clone.Times[0] = 99
	clone.Columns[0].Data.(Float64s)[0] = 99
	clone.Columns[1].Nulls.Set(1)
	if tab.Times[0] != 1 || tab.Float64s("a")[0] != 1 || tab.Row(1).IsNull(1) {
		t.Error("changing a clone changed the original")
	}
}

func TestTabletAppendTime(t *testing.T) {
	var tab Tablet
	for _, y := range []int{1, 1677, 2262, 9999} {
		err := tab.Append(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), Float64("a", 1))
		if !errors.Is(err, ErrBadInput) || tab.Len() != 0 {
			t.Errorf("year %d: got error %v and %d rows, want ErrBadInput and none", y, err, tab.Len())
		}
	}
}

func TestTabletValidate(t *testing.T) {
	for name, tab := range map[string]Tablet{
		"unequal columns": {Times: []int64{1, 2}, Columns: []Column{{Name: "a", Data: Float64s{1}}}},
		"no data":         {Times: []int64{1}, Columns: []Column{{Name: "a"}}},
		"no name":         {Times: []int64{1}, Columns: []Column{{Data: Bools{true}}}},
		"name twice":      {Times: []int64{1}, Columns: []Column{{Name: "a", Data: Bools{true}}, {Name: "a", Data: Bools{true}}}},
		"lowest time":     {Times: []int64{math.MinInt64}, Columns: []Column{{Name: "a", Data: Bools{true}}}},
		"highest time":    {Times: []int64{math.MaxInt64}, Columns: []Column{{Name: "a", Data: Bools{true}}}},
	} {
		if err := tab.Validate(); !errors.Is(err, ErrBadInput) {
			t.Errorf("%s: got error %v, want ErrBadInput", name, err)
		}
	}
}

func TestZeroRowReadsAsNull(t *testing.T) {
	var r Row
	if !r.Get("a").IsNull() || !r.Value(0).IsNull() || r.Len() != 0 || r.Device() != "" || !r.Time().IsZero() || !math.IsNaN(r.Float64(3)) {
		t.Error("the zero Row does not read as null")
	}
}

// TestTabletWithoutData holds that a column that was only named is an error, and
// no panic: Append makes columns itself.
func TestTabletWithoutData(t *testing.T) {
	tab := &Tablet{Device: "root.a", Columns: []Column{{Name: "x"}}}
	const want = `tickwell: append root.a: column "x" has no data: bad input`
	for _, name := range []string{"x", "y"} {
		if err := tab.Append(time.Unix(0, 0), Float64(name, 1)); err == nil || err.Error() != want {
			t.Errorf("%s: got error %v, want %s", name, err, want)
		}
	}
	if c := tab.Clone(); len(tab.Times) != 0 || len(c.Columns) != 1 || c.Columns[0].Data != nil {
		t.Errorf("got %v and its copy %v", tab, c)
	}
}
