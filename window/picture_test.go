package window

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The picture in docs/windows.md is drawn by this test: run it with
// TICKWELL_DRAW=1 after a change.

var (
	pictureTimes = []int64{0, 1, 2, 5, 6, 7, 8, 13, 14, 20}
	pictureVals  = []float64{1, 1, 2, 5, 6, 5, 1, 1, 9, 9}
)

const pictureEnd = 28

func picture(t *testing.T) string {
	var b strings.Builder
	ruler, rows, vals := blank(), blank(), blank()
	for i := 0; i < pictureEnd; i += 5 {
		copy(ruler[i:], fmt.Sprint(i))
	}
	for i, ts := range pictureTimes {
		rows[ts] = 'o'
		vals[ts] = byte('0' + int(pictureVals[i]))
	}
	line := func(name string, l []byte) {
		fmt.Fprintf(&b, "%-36s%s\n", name, bytes.TrimRight(l, " "))
	}
	line("time", ruler)
	line("rows", rows)
	line("values", vals)
	for _, c := range []struct {
		name string
		s    Spec
		o    Options[float64]
	}{
		{`Count(4)`, Count(4), Options[float64]{}},
		{`Count(4).Every(2)`, Count(4).Every(2), Options[float64]{}},
		{`Tumbling(5)`, Tumbling(5), Options[float64]{}},
		{`Sliding(10, 5)`, Sliding(10, 5), Options[float64]{}},
		{`Sliding(3, 6)`, Sliding(3, 6), Options[float64]{}},
		{`Tumbling(3).FromFirst(), Empty`, Tumbling(3).FromFirst(), Options[float64]{Empty: true}},
		{`Gap(2)`, Gap(2), Options[float64]{}},
		{`Gap(3).AtMost(6)`, Gap(3).AtMost(6), Options[float64]{}},
		{`Same("v")`, Same("v"), Options[float64]{}},
		{`Within("v", 1)`, Within("v", 1), Options[float64]{}},
		{`While("v >= 5")`, While("v >= 5"), Options[float64]{Holds: func(v float64) bool { return v >= 5 }}},
	} {
		b.WriteByte('\n')
		name := c.name
		for w, err := range Cut(pictureTimes, pictureVals, c.s, &c.o) {
			if err != nil {
				t.Fatal(err)
			}
			l := blank()
			grid := c.s.Kind == Time
			for x := w.Start(); x <= w.End(); x++ {
				if x >= 0 && x < pictureEnd {
					l[x] = '-'
				}
			}
			if grid {
				if w.Start() >= 0 {
					l[w.Start()] = '['
				}
				if w.End() < pictureEnd {
					l[w.End()] = ')'
				}
			}
			for _, ts := range w.Times() {
				l[ts] = 'o'
			}
			line(name, l)
			name = ""
		}
	}
	return b.String()
}

func blank() []byte { return bytes.Repeat([]byte{' '}, pictureEnd+2) }

func TestPicture(t *testing.T) {
	const begin, end = "<!-- drawn by window/picture_test.go -->\n```\n", "```\n"
	file := filepath.Join("..", "docs", "windows.md")
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(doc), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the picture", file)
	}
	want := picture(t)
	if os.Getenv("TICKWELL_DRAW") != "" {
		if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != want {
		t.Errorf("the picture is out of date: run the test with TICKWELL_DRAW=1\n got\n%s want\n%s", old, want)
	}
}
