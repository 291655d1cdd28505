package udflib

import (
	"math"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

const correlated = `2 100 101, 3 101 -, 4 102 101, 6 104 102, 8 126 102, 10 108 103, 12 - 103, 14 112 104, 15 113 -, 16 114 104,
	18 116 105, 20 118 105, 22 100 106, 26 124 108, 28 126 108, 30 NaN 108`

const onesAndTwos = `1 1 2, 2 1 2, 3 1 2, 4 1 2, 5 1 2, 6 1 2, 7 1 2, 8 1 2, 9 1 2, 10 1 2, 11 1 2, 12 1 2, 13 1 2, 14 1 2, 15 1 2, 16 1 2, 17 1 2, 18 1 2, 19 1 2, 20 1 2`

func TestMatchingFigures(t *testing.T) {
	const from = "IoTDB 1.2, UDF libraries, data matching"
	for _, f := range []figure{
		{from, sec(correlated), "cov", "12.291666666666666", 0, 0},
		{from, msec(onesAndTwos), "dtw", "20", 0, 0},
		{from, sec(correlated), "pearson", "0.5630881927754872", 0, 0},
		{from, sec("0 1, 1 2, 2 3, 3 2, 4 1, 5 1, 6 1, 7 1, 8 2, 9 3, 10 2, 11 1"), "ptnsym window=5 threshold=0", "0 0, 7 0", time.Second, 0},
		{from, sec("1 - 6, 2 2 7, 3 3 NaN, 4 4 9, 5 5 10"), "xcorr", "1 0, 2 4, 3 9.6, 4 13.4, 5 20, 6 15.6, 7 9.2, 8 11.8, 9 6", time.Millisecond, 0},
		{"by its definition: 1 2 3 over 1 3 3 is (0 0 1) or (0 1 0) apart", sec("0 1 1, 1 2 3, 2 3 3"), "dtw", "1", 0, 0},
		{"by its definition", sec("0 1 2, 1 NaN 1, 2 - 1"), "dtw", "1", 0, 0},
		{"a line has correlation 1", sec("0 1 10, 1 2 20, 2 4 40"), "pearson", "1", 0, 0},
		{"a constant has none", sec("0 1 10, 1 1 20"), "pearson", "NaN", 0, 0},
		{"documents: all rows ignored", sec("0 1 -, 1 - 20, 2 NaN 1"), "cov", "NaN", 0, 0},
		{"documents: all rows ignored", sec("0 1 -, 1 - 20, 2 NaN 1"), "pearson", "NaN", 0, 0},
		{"documents: all rows ignored", sec("0 1 -, 1 - 20, 2 NaN 1"), "dtw", "0", 0, 0},
	} {
		f.check(t)
	}
}

// asymmetryByDefinition tries every way to put the ends together.
func asymmetryByDefinition(xs []float64, i, j int) float64 {
	if i >= j {
		return 0
	}
	rest := 0.0
	if j-i > 1 {
		rest = min(asymmetryByDefinition(xs, i+1, j), asymmetryByDefinition(xs, i, j-1), asymmetryByDefinition(xs, i+1, j-1))
	}
	return (xs[i]-xs[j])*(xs[i]-xs[j]) + rest
}

func TestAsymmetry(t *testing.T) {
	var f ptnsym
	for _, xs := range [][]float64{{1}, {1, 4}, {1, 2, 1}, {1, 5, 2, 7}, {3, 1, 4, 1, 5, 9, 2, 6}, {2, 7, 1, 8, 2, 8, 1, 8, 2}} {
		if got, want := f.asymmetry(xs), asymmetryByDefinition(xs, 0, len(xs)-1); math.Abs(got-want) > 1e-12 {
			t.Errorf("asymmetry of %v is %v, by its definition %v", xs, got, want)
		}
	}
}

func TestDiscoveryFigures(t *testing.T) {
	const from = "IoTDB 1.2, UDF libraries, series discovery"
	in := rows{tickwell.KindFloat64, time.Minute, "0 1 1, 5 1 1, 10 1 1, 20 1 1, 25 1 1, 30 1 1, 35 1 1, 40 1 -, 45 1 1, 50 1 1"}
	for _, f := range []figure{
		{from, in, "consecutivesequences gap=5m", "0 3, 20 4, 45 2", time.Minute, 0},
		{from, in, "consecutivesequences", "0 3, 20 4, 45 2", time.Minute, 0},
		{from, in, "consecutivewindows length=10m", "0 3, 20 3, 25 3", time.Minute, 0},
		{"three texts, by hand", sec("1 a b c, 2 a b c, 4 a - c, 5 a b c").as(tickwell.KindText), "consecutivesequences gap=1s", "1 2, 5 1", time.Second, 0},
		{"one row, by hand", sec("1 1"), "consecutivesequences", "1 1", time.Second, 0},
		{"one row, by hand", sec("1 1"), "consecutivewindows length=1s", "", time.Second, 0},
	} {
		f.check(t)
	}
	refused(t, in, "consecutivewindows", "length", "required")
	refused(t, in, "consecutivewindows length=5", "length", "a positive number with a unit")
	refused(t, in, "consecutivesequences gap=-1s", "gap", "a positive number with a unit")
}

func TestLearningFigures(t *testing.T) {
	const from = "IoTDB 1.2, UDF libraries, machine learning"
	const ramp = "1 -4, 2 -3, 3 -2, 4 -1, 5 0, 6 1, 7 2, 8 3, 9 4"
	const ms = time.Millisecond
	for _, f := range []figure{
		{from, sec(ramp), "ar p=2", "1 0.9429, 2 -0.2571", ms, 5e-5},
		{from, sec(ramp), "representation tb=3 vb=2", "1 1, 2 1, 3 0, 4 0, 5 1, 6 1", ms, 0},
		{from, sec("1 -4 -4, 2 -3 -3, 3 -3 -3, 4 -1 -1, 5 0 0, 6 1 1, 7 2 2, 8 3 3, 9 4 4"), "rm tb=3 vb=2", "1.00", 0, 0},
		{"x = 1 -1 1 -1 …: its covariances are 1, -1", sec("1 1, 2 -1, 3 1, 4 -1"), "ar", "1 -1", ms, 0},
		{"the gap at 5 s is filled by the line, documents", sec("1 -4, 2 -3, 3 -2, 4 -1, 6 1, 7 2, 8 3, 9 4"), "ar p=2", "1 0.9429, 2 -0.2571", ms, 5e-5},
		{"up against down share the middle block of time, by hand", sec("1 0 2, 2 1 1, 3 2 0"), "rm tb=3 vb=3", "0.2", 0, 0},
		{"a constant is in the lowest block", sec("1 5, 2 5"), "representation tb=2 vb=2", "1 1, 2 1, 3 0, 4 0", ms, 0},
	} {
		f.check(t)
	}
	refused(t, sec("1 1, 2 2"), "ar p=2", "order 2 needs more points", "there are 2")
	refused(t, sec("1 1, 2 2"), "ar p=0", "\"p\"", "an integer of at least 1")
	refused(t, sec("1 1, 2 2"), "representation tb=0", "tb", "[1, 4096]")
	refused(t, sec("1 1, 2 2, 1000000000 2").as(tickwell.KindInt32), "ar", "gaps hold more than")
}
