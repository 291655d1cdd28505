package pattern

import (
	"fmt"
	"reflect"
	"testing"
)

func TestSetOrderAndMeasurements(t *testing.T) {
	var entries []Entry[string]
	for _, s := range []string{
		"root.d.s2", "**", "root.*.s1", "root.d.*", "root.e.**", "root.d.s1", "root.d.s2", "*.d.s*", "x.**.s1", "root.d",
	} {
		entries = append(entries, Entry[string]{parse(t, s), s})
	}
	set := NewSet(entries)
	if set.Len() != len(entries) {
		t.Fatalf("Len() = %d, want %d", set.Len(), len(entries))
	}
	all := []int{0, 1, 2}
	for _, c := range []struct {
		device       string
		measurements []string
		want         []Hit[string]
	}{
		{"root.d", []string{"s1", "s2", "t"}, []Hit[string]{
			{"root.d.s2", []int{1}}, {"**", all}, {"root.*.s1", []int{0}}, {"root.d.*", all},
			{"root.d.s1", []int{0}}, {"root.d.s2", []int{1}}, {"*.d.s*", []int{0, 1}},
		}},
		{"root", []string{"d"}, []Hit[string]{{"**", []int{0}}, {"root.d", []int{0}}}},
		{"", []string{"s1"}, []Hit[string]{{"**", []int{0}}}},
		{"x.y", []string{"s1"}, []Hit[string]{{"**", []int{0}}, {"x.**.s1", []int{0}}}},
		{"root.d", nil, nil},
	} {
		if got := set.Match(c.device, c.measurements); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %v: got %v, want %v", c.device, c.measurements, got, c.want)
		}
	}
	if got := NewSet[int](nil).Match("a", []string{"b"}); got != nil {
		t.Errorf("empty set matches %v", got)
	}
}

// TestSetAgreesWithPatterns compares the index with asking each pattern.
func TestSetAgreesWithPatterns(t *testing.T) {
	nodes := []string{"a", "b", "`a.b`", "*", "**", "a*"}
	var entries []Entry[int]
	for _, x := range nodes {
		entries = append(entries, Entry[int]{parse(t, x), len(entries)})
		for _, y := range nodes {
			entries = append(entries, Entry[int]{parse(t, x+"."+y), len(entries)})
			for _, z := range nodes {
				entries = append(entries, Entry[int]{parse(t, x+"."+y+"."+z), len(entries)})
			}
		}
	}
	set := NewSet(entries)
	measurements := []string{"a", "b", "`a.b`", "c"}
	for _, device := range []string{"", "a", "b", "`a.b`", "a.b", "a.`a.b`", "b.a", "a.a.a", "c.c"} {
		var want []Hit[int]
		for _, e := range entries {
			h := Hit[int]{Value: e.Value}
			for i, m := range measurements {
				if e.Pattern.MatchParts(device, m) {
					h.Measurements = append(h.Measurements, i)
				}
			}
			if h.Measurements != nil {
				want = append(want, h)
			}
		}
		if got := set.Match(device, measurements); !reflect.DeepEqual(got, want) {
			t.Errorf("device %q: got %v, want %v", device, got, want)
		}
	}
}

func thousandOthers(tb testing.TB) *Set[int] {
	var entries []Entry[int]
	for i := range 500 {
		entries = append(entries,
			Entry[int]{parse(tb, fmt.Sprintf("root.plant%d.**", i)), i},
			Entry[int]{parse(tb, fmt.Sprintf("root.**.pressure%d", i)), i})
	}
	return NewSet(entries)
}

func TestSetMissDoesNotAllocate(t *testing.T) {
	set := thousandOthers(t)
	measurements := []string{"temperature", "status"}
	if n := testing.AllocsPerRun(100, func() { set.Match("root.ln.wf01.wt01", measurements) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkSetMiss(b *testing.B) {
	set := thousandOthers(b)
	measurements := []string{"temperature", "status"}
	b.ReportAllocs()
	for b.Loop() {
		set.Match("root.ln.wf01.wt01", measurements)
	}
}
