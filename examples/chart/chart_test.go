package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

var nan = math.NaN()

func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   string
	}{
		{"a ramp", []float64{0, 1, 2, 3}, "  3.0 ┤  ▃█\n  0.0 ┤▁▆██\n"},
		{"a gap", []float64{0, nan, 3}, "  3.0 ┤  █\n  0.0 ┤▁ █\n"},
		{"one value", []float64{7}, "  7.0 ┤\n  7.0 ┤▁\n"},
		{"infinite", []float64{math.Inf(-1), 1, 2, math.Inf(1)}, "  2.0 ┤  ██\n  1.0 ┤ ▁██\n"},
		{"nothing", []float64{nan}, "  no data\n"},
		{"no columns", nil, "  no data\n"},
	} {
		var b strings.Builder
		if err := Blocks(&b, c.values, 2, 5, "%.1f"); err != nil || b.String() != c.want {
			t.Errorf("%s: %v\n%swant\n%s", c.name, err, b.String(), c.want)
		}
	}
}

func TestMeans(t *testing.T) {
	for _, c := range []struct {
		values []float64
		width  int
		want   []float64
	}{
		{[]float64{1, 3, 5, 7}, 2, []float64{2, 6}},
		{[]float64{1, nan, 5}, 9, []float64{1, nan, 5}},
		{[]float64{1, nan, 5}, 1, []float64{3}},
		{nil, 3, []float64{}},
	} {
		got := Means(c.values, c.width)
		same := len(got) == len(c.want)
		for i := range got {
			same = same && (got[i] == c.want[i] || got[i] != got[i] && c.want[i] != c.want[i])
		}
		if !same {
			t.Errorf("%v by %d: %v, want %v", c.values, c.width, got, c.want)
		}
	}
}

func TestRuns(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   [][2]int
	}{
		{nil, nil},
		{[]float64{nan}, nil},
		{[]float64{1}, [][2]int{{0, 0}}},
		{[]float64{1, 2, nan, 3, math.Inf(1)}, [][2]int{{0, 1}, {3, 3}}},
		{[]float64{nan, 1, 2}, [][2]int{{1, 2}}},
	} {
		if got := runs(c.values); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}

// TestSVG: the document is well formed whatever the texts hold, and has a
// polyline for each run and a rectangle for each span.
func TestSVG(t *testing.T) {
	p := Picture{
		Title: `<a> & "b"`, From: "1", To: "2", Values: []float64{1, 2, nan, 3},
		Bands: []Band{{"x", [][2]int{{0, 1}, {3, 3}}}, {"y", nil}},
	}
	for _, p := range []Picture{p, {}} {
		var b strings.Builder
		if err := p.SVG(&b); err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for dec := xml.NewDecoder(strings.NewReader(b.String())); ; {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v:\n%s", err, b.String())
			}
			if e, ok := tok.(xml.StartElement); ok {
				count[e.Name.Local]++
			}
		}
		rects := 1
		for _, band := range p.Bands {
			rects += 1 + len(band.Spans)
		}
		if count["polyline"] != len(runs(p.Values)) || count["rect"] != rects {
			t.Errorf("%v in\n%s", count, b.String())
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("not a number in\n%s", b.String())
		}
	}
}
