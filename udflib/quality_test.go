package udflib

import (
	"math"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

var nan = math.NaN()

// faulty is the input of most examples of the documents: with a dense point at
// 3 s, a missing one at 12 s that comes at 14 s, one missing at 24 s, and NaN.
const faulty = `2 100, 3 101, 4 102, 6 104, 8 126, 10 108, 14 112, 15 113, 16 114, 18 116, 20 118, 22 120, 26 124, 28 126, 30 NaN`

// faultyThenGood goes on with points every 2 s.
const faultyThenGood = faulty + `, 32 130, 34 132, 36 134, 38 136, 40 138, 42 140, 44 142, 46 144, 48 146, 50 148, 52 150, 54 152, 56 154, 58 156, 60 158`

func TestQualityFigures(t *testing.T) {
	const from = "IoTDB 1.2, UDF libraries, data quality"
	for _, f := range []figure{
		{from, sec(faulty), "completeness", "2 0.875", time.Second, 0},
		{from, sec(faultyThenGood), "completeness window=15", "2 0.875, 32 1.0", time.Second, 0},
		{from, sec(faulty), "consistency", "2 0.9333333333333333", time.Second, 0},
		{from, sec(faultyThenGood), "consistency window=15", "2 0.9333333333333333, 32 1.0", time.Second, 0},
		{from, sec(faulty), "timeliness", "2 0.9333333333333333", time.Second, 0},
		{from, sec(faultyThenGood), "timeliness window=15", "2 0.9333333333333333, 32 1.0", time.Second, 0},
		{from, sec(faulty), "validity", "2 0.8833333333333333", time.Second, 0},
		{from, sec(faultyThenGood), "validity window=15", "2 0.8833333333333333, 32 1.0", time.Second, 0},
	} {
		f.check(t)
	}
}

func TestQualityWindows(t *testing.T) {
	const s = time.Second
	// Eleven points a second apart, but for a stop of 20 s, in which 19 are missing.
	const stop = "1 1, 2 2, 3 3, 4 4, 5 5, 6 6, 26 7, 27 8, 28 9, 29 10, 30 11"
	for _, f := range []figure{
		{"by hand: 11 of 30 points", sec(stop), "completeness", "1 0.36666666666666664", s, 0},
		{"documents: a stop counts for nothing", sec(stop), "completeness downtime=true", "1 1", s, 0},
		{"documents: no more than 10 points", sec("1 1, 2 2, 3 3, 4 4, 5 5, 6 6, 7 7, 8 8, 9 9, 10 10"), "completeness", "", s, 0},
		{"by time: 12 points, then 8", plain(s, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19), "validity window=12s", "0 1", s, 0},
		{"nothing is valid of which nothing is known", plain(s, 0, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan), "validity", "0 0", s, 0},
		{"NaN is not complete", plain(s, 0, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, 1, 1), "completeness", "0 0.16666666666666663", s, 0},
		{"integers", plain(s, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).as(tickwell.KindInt32), "timeliness", "0 1", s, 0},
	} {
		f.check(t)
	}
	for _, window := range []string{"0", "-5", "5x", "0s", "s", "1e300d"} {
		refused(t, sec(stop), "validity window="+window, "window", window, "a positive number of points, or a positive number with a unit of ms, s, m, h or d")
	}
	refused(t, sec(stop), "completeness downtime=maybe", "downtime", "one of false, true")
	refused(t, sec(stop), "validity downtime=true", "downtime", "not known; those known are [window]")
}
