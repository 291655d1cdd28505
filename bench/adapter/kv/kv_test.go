package kv

import (
	"bytes"
	"math"
	"testing"
)

// Keys sort by series and time, and give both back.
func TestKey(t *testing.T) {
	var last [KeyLen]byte
	for i, c := range []struct {
		series uint32
		ts     int64
	}{{0, 0}, {0, 1}, {0, 256}, {0, 1_767_225_600_000}, {1, 0}, {255, 9}, {256, 1}, {math.MaxUint32, math.MaxInt64}} {
		var k [KeyLen]byte
		PutKey(k[:], c.series, c.ts)
		if Series(k[:]) != c.series || TS(k[:]) != c.ts {
			t.Errorf("key of %d, %d gives %d, %d", c.series, c.ts, Series(k[:]), TS(k[:]))
		}
		if i > 0 && bytes.Compare(last[:], k[:]) >= 0 {
			t.Errorf("key of %d, %d does not come after the one before", c.series, c.ts)
		}
		last = k
	}
}

func TestValue(t *testing.T) {
	for _, v := range []float64{0, -1.5, math.Inf(1), math.MaxFloat64} {
		var b [ValLen]byte
		PutVal(b[:], v)
		if Val(b[:]) != v {
			t.Errorf("value %v comes back as %v", v, Val(b[:]))
		}
	}
}
