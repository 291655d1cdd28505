package udflib

import (
	"testing"
	"time"
)

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
