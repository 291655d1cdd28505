package udflib

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// circle are points that go round in 40 steps, in a thousand steps, as columns
// s1 and s2, and the same as master data. wrong rows are off.
func circle(wrong map[int]float64) (text string, clean [][2]float64) {
	var b strings.Builder
	for i := range 200 {
		s, c := math.Sincos(2 * math.Pi * float64(i) / 40)
		clean = append(clean, [2]float64{c, s})
		fmt.Fprintf(&b, "%d %v %v %v %v,", i, c+wrong[i], s, c, s)
	}
	return b.String(), clean
}

// A point on a circle is the one before, turned: the model of order 1 is the
// matrix of the turn. The figures of the page cannot be had from what it says:
// its model of order 3 of two columns has 8 coefficients, and it prints the
// second column where the first is asked for.
func TestMasterTrain(t *testing.T) {
	text, _ := circle(nil)
	s, c := math.Sincos(2 * math.Pi / 40)
	for _, call := range []string{"mastertrain p=1", "mastertrain p=1 eta=0.5"} {
		like(t, call, list(run(t, sec(text), call), time.Millisecond), fmt.Sprintf("1 %v, 2 %v, 3 %v, 4 %v", c, -s, s, c), 1e-9)
	}
	// Rows that no master row is near teach nothing.
	text, _ = circle(map[int]float64{50: 9, 90: -7})
	got := run(t, sec(text), "mastertrain p=1 eta=0.5")
	like(t, "mastertrain with two wrong rows", list(got, time.Millisecond), fmt.Sprintf("1 %v, 2 %v, 3 %v, 4 %v", c, -s, s, c), 1e-9)
	refused(t, sec("0 1 1 1"), "mastertrain p=1", "must be even")
	refused(t, sec("0 1 1, 1 2 2"), "mastertrain p=2", "needs 2 runs of 3 right rows, there are 0")
	refused(t, sec("0 1 1, 1 2 2"), "mastertrain", "\"p\" is required")
}

// Wrong rows are replaced by what was there; a jump between master rows is an
// anomaly, which is not repaired.
func TestMasterDetect(t *testing.T) {
	s, c := math.Sincos(2 * math.Pi / 40)
	model := []float64{c, -s, s, c}
	with := func(text string) string {
		lines := strings.Split(strings.TrimSuffix(text, ","), ",")
		for i := range lines {
			cell := " -"
			if i < len(model) {
				cell = fmt.Sprint(" ", model[i])
			}
			lines[i] += cell
		}
		return strings.Join(lines, ",")
	}
	text, clean := circle(map[int]float64{50: 9, 90: -7, 91: 8})
	for col, call := range []string{"masterdetect p=1 eta=0.5", "masterdetect p=1 eta=0.5 output_column=2"} {
		for i, p := range run(t, sec(with(text)), call) {
			if got, want := p.value.Float64(), clean[i][col]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: row %d is %v, want %v", call, i, got, want)
			}
		}
	}
	for i, p := range run(t, sec(with(text)), "masterdetect p=1 eta=0.5 beta=0.2 output_type=anomaly") {
		if p.value.Bool() {
			t.Errorf("row %d is an anomaly, but only rows that were repaired are off", i)
		}
	}
	// Half a turn at once at row 100: each row is near master data.
	text, _ = circle(nil)
	lines := strings.Split(strings.TrimSuffix(text, ","), ",")
	for i := 100; i < 200; i++ {
		a, b := clean[(i+20)%40], clean[i]
		lines[i] = fmt.Sprintf("%d %v %v %v %v", i, a[0], a[1], b[0], b[1])
	}
	for i, p := range run(t, sec(with(strings.Join(lines, ","))), "masterdetect p=1 eta=0.5 output_type=anomaly") {
		if got, want := p.value.Bool(), i == 100; got != want {
			t.Errorf("row %d: anomaly %v, want %v", i, got, want)
		}
	}
	refused(t, sec("0 1 1"), "masterdetect p=1", "3")
	refused(t, sec("0 1 1 1 1"), "masterdetect p=1", "must be odd")
	refused(t, sec("0 1 1 1, 1 2 2 2"), "masterdetect p=1", "has 1 coefficients, the last input has 2")
}

// solve is checked by putting the solution in.
func TestSolve(t *testing.T) {
	a := [][]float64{{0, 2, 1}, {1, -1, 3}, {2, 0, -1}}
	b := [][]float64{{7, 1}, {8, 0}, {-1, 2}}
	aa, bb := make([][]float64, 3), make([][]float64, 3)
	for i := range a {
		aa[i], bb[i] = append([]float64(nil), a[i]...), append([]float64(nil), b[i]...)
	}
	// The largest diagonal is 1 here; the matrix is not one of products, but not
	// singular either.
	solve(aa, bb)
	for i := range a {
		for c := range 2 {
			sum := 0.0
			for j := range a {
				sum += a[i][j] * bb[j][c]
			}
			if math.Abs(sum-b[i][c]) > 1e-12 {
				t.Errorf("row %d, column %d: %v, want %v", i, c, sum, b[i][c])
			}
		}
	}
}
