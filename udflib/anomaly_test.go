package udflib

import (
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

const hill = "2 0, 3 50, 4 100, 6 150, 8 200, 10 200, 14 200, 15 200, 16 200, 18 200, 20 150, 22 100, 26 50, 28 0, 30 NaN"

const filledIn = "0 0, 1 1, 2 0, 3 1, 4 0, 5 0, 6 0, 7 0, 8 0, 9 0, 10 0, 11 0, 12 0, 13 0, 14 0, 15 0, 16 1, 17 0, 18 1, 19 0, 20 1"

const fallen = `0 2002, 1 1946, 2 1958, 3 2012, 4 2051, 5 1898, 6 2014, 7 2052, 8 1935, 9 1901, 10 1972, 11 1969, 12 1984, 13 2018,
	37 1484, 38 1055, 39 1050, 65 1023, 66 1056, 67 978, 68 1050, 69 1123, 70 1150, 71 1034, 72 950, 73 1059`

func TestAnomalyFigures(t *testing.T) {
	const from = "IoTDB 1.2, UDF libraries, anomaly detection"
	const ms, s = time.Millisecond, time.Second
	for _, f := range []figure{
		{from, msec(twenty), "iqr", "1700 10", ms, 0},
		{from, sec(hill), "ksigma k=1.0", "2 0, 3 50, 26 50, 28 0", s, 0},
		{from, msec("100 0 0, 200 0 1, 300 1 1, 400 1 0, 500 0 -1, 600 -1 -1, 700 -1 0, 800 2 2, 900 0 -"), "lof",
			`100 3.8274824267668244, 200 3.0117631741126156, 300 2.838155437762879, 400 3.0117631741126156, 500 2.73518261244453,
			600 2.371440975708148, 700 2.73518261244453, 800 1.7561416374270742`, ms, 1e-12},
		{from, plain(100*ms, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), "lof method=series",
			`100 3.77777777777778, 200 4.32727272727273, 300 4.85714285714286, 400 5.40909090909091, 500 5.94999999999999, 600 6.43243243243243,
			700 6.79999999999999, 800 7.0, 900 7.0, 1000 6.79999999999999, 1100 6.43243243243243, 1200 5.94999999999999, 1300 5.40909090909091,
			1400 4.85714285714286, 1500 4.32727272727273, 1600 3.77777777777778`, ms, 1e-12},
		{from, sec(filledIn), "missdetect minlen=10", `0 false, 1 false, 2 false, 3 false, 4 true, 5 true, 6 true, 7 true, 8 true, 9 true, 10 true, 11 true,
			12 true, 13 true, 14 true, 15 true, 16 false, 17 false, 18 false, 19 false, 20 false`, s, 0},
		{from, sec(faulty), "range lower_bound=101.0 upper_bound=125.0", "2 100, 8 126, 28 126", s, 0},
		{from, sec(fallen), "twosidedfilter len=5 threshold=0.3", `0 2002, 1 1946, 2 1958, 3 2012, 4 2051, 5 1898, 6 2014, 7 2052, 8 1935, 9 1901, 10 1972,
			11 1969, 12 1984, 13 2018, 65 1023, 66 1056, 67 978, 68 1050, 69 1123, 70 1150, 71 1034, 72 950, 73 1059`, s, 0},
		{from, sec("0 56, 1 55.1, 2 54.2, 3 56.3, 4 59, 5 60, 6 60.5, 7 64.5, 8 69, 9 64.2, 10 62.3, 11 58, 12 58.9, 13 52, 14 62.3, 15 61, 16 64.2, 17 61.8, 18 64, 19 63"),
			"outlier r=5.0 k=4 w=10 s=5", "8 69, 13 52", s, 0},

		{"by hand: quartiles 1 and 3, fences at -2 and 6", sec("0 -2, 1 -3, 2 6, 3 7"), "iqr method=stream q1=1 q3=3", "1 -3, 3 7", s, 0},
		{"by hand: of 0 0 0 8 the mean is 2 and the deviation 4; of 0 0 8 1 2.25 and 3.86", sec("0 0, 1 0, 2 0, 3 8, 4 1").as(tickwell.KindInt64), "ksigma window=4 k=1.4", "3 8", s, 0},
		{"documents: nothing unless the upper bound is larger", sec("0 1"), "range lower_bound=2 upper_bound=2", "", s, 0},
		{"the tail after the last whole window", sec("0 1, 1 1, 2 1, 3 1, 4 9"), "outlier r=1 k=2 w=4 s=4", "4 9", s, 0},
		{"fewer points than a window", sec("0 1, 1 1, 2 9"), "outlier r=1 k=2", "2 9", s, 0},
		{"a line by nature is no fill", plain(s, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), "missdetect",
			"0 false, 1 false, 2 false, 3 false, 4 false, 5 false, 6 false, 7 false, 8 false, 9 false, 10 false, 11 false, 12 false", s, 0},
		// Breunig's factor by hand, k = 2: the points 0, 1, 2 and 10 on a line have
		// the distances to their second neighbour 2, 1, 2 and 9; hence the densities
		// 2/3, 1/2, 2/3 and 2/17, and the factors below.
		{"by hand", sec("0 0, 1 1, 2 2, 3 10"), "lof k=2 score=breunig", "0 0.875, 1 1.3333333333333333, 2 0.875, 3 4.958333333333333", s, 1e-12},
	} {
		f.check(t)
	}
	refused(t, sec("0 1"), "iqr method=stream q1=3 q3=1", "\"q1\" must be less")
	refused(t, sec("0 1"), "iqr method=stream q1=3", "\"q3\" is required")
	refused(t, sec("0 1"), "ksigma k=0", "\"k\"", "a positive factor")
	refused(t, sec("0 1"), "ksigma window=0", "\"window\"", "an integer in [1, 16777216]")
	refused(t, sec("0 1"), "missdetect minlen=9", "minlen", "[10,")
	refused(t, sec("0 1"), "missdetect error=9", "error", "[10,")
	refused(t, sec("0 1"), "range upper_bound=9", "lower_bound", "required")
	refused(t, sec("0 1"), "twosidedfilter threshold=1", "threshold", "(0, 1)")
	refused(t, sec("0 1"), "outlier r=-1", "\"r\"", "at least 0")
	refused(t, sec("0 1 2"), "lof method=series", "takes one input series")
}
