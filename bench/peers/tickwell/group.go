package main

import (
	"math"
	"math/bits"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/bench/harness"
)

// group turns points into tablets that are filled again and again: a row for
// each device and tick, and a tablet of one point for each late one.
type group struct {
	series  []harness.Meta
	of      []*device // by series number
	devices []device
	late    []lane // by series number
	batch   []*tickwell.Tablet
	taken   []*tick
	lanes   []*lane // that are in use
}

// device holds the tablets of a gateway; the first used of them are taken.
type device struct {
	first  uint32 // number of its first series
	at     int64  // of the last tick that is taken, ms
	last   *tick
	series []harness.Meta
	ticks  []*tick
	used   int
}

// lane holds the tablets for late points of one series.
type lane struct {
	points []*point
	used   int
}

// tick is a tablet of one row whose cells are filled in place, in one piece.
type tick struct {
	tablet  tickwell.Tablet
	set     uint // a bit for each measurement that has a value
	missing uint // those that had none the last time
	times   [1]int64
	floats  [harness.Measurements]float64
	ints    [harness.Measurements]int64
	columns [harness.Measurements]tickwell.Column
}

// point is a tablet of one cell.
type point struct {
	tablet  tickwell.Tablet
	times   [1]int64
	value   [1]float64
	counter [1]int64
	columns [1]tickwell.Column
}

// null marks the only row of a column that has no value.
var null = tickwell.Bitmap{1}

// never is no time.
const never = math.MinInt64

func newGroup(series []harness.Meta) *group {
	g := &group{series: series, of: make([]*device, len(series)), late: make([]lane, len(series))}
	for i := range series { // those of a device stand together
		if n := series[i].DeviceNo; n == len(g.devices) {
			g.devices = append(g.devices, device{first: uint32(i), at: never, series: series[i : i+1]})
		} else {
			g.devices[n].series = series[i-series[i].MeasureNo : i+1]
		}
	}
	for i := range series {
		g.of[i] = &g.devices[series[i].DeviceNo]
	}
	return g
}

func newTick(series []harness.Meta) *tick {
	k := new(tick)
	k.tablet = tickwell.Tablet{Device: series[0].Device, Times: k.times[:], Columns: k.columns[:len(series)]}
	for i := range series {
		k.columns[i].Name = series[i].Measurement
		if series[i].IsInt {
			k.columns[i].Data = tickwell.Int64s(k.ints[i : i+1])
		} else {
			k.columns[i].Data = tickwell.Float64s(k.floats[i : i+1])
		}
	}
	return k
}

func newPoint(m *harness.Meta) *point {
	p := new(point)
	p.tablet = tickwell.Tablet{Device: m.Device, Times: p.times[:], Columns: p.columns[:]}
	p.columns[0] = tickwell.Column{Name: m.Measurement, Data: tickwell.Float64s(p.value[:])}
	if m.IsInt {
		p.columns[0].Data = tickwell.Int64s(p.counter[:])
	}
	return p
}

// fill returns the tablets of pts. They are good until the next call.
func (g *group) fill(pts []harness.Point) []*tickwell.Tablet {
	g.batch = g.batch[:0]
	newest := int64(never)
	for len(pts) > 0 {
		p := &pts[0]
		if p.TS < newest {
			g.takeLate(p)
			pts = pts[1:]
			continue
		}
		newest = p.TS
		d := g.of[p.Series]
		if p.TS != d.at {
			g.take(d, p.TS)
		}
		pts = pts[d.last.put(d.first, pts):]
	}
	for _, k := range g.taken {
		k.mark()
	}
	g.taken = g.taken[:0]
	for i := range g.devices {
		g.devices[i].used, g.devices[i].at = 0, never
	}
	for _, l := range g.lanes {
		l.used = 0
	}
	g.lanes = g.lanes[:0]
	return g.batch
}

// take makes the next tablet of a device the one of the time ms.
func (g *group) take(d *device, ms int64) {
	if d.used == len(d.ticks) {
		d.ticks = append(d.ticks, newTick(d.series))
	}
	k := d.ticks[d.used]
	d.used++
	d.at, d.last = ms, k
	k.times[0] = ms * 1e6
	g.batch = append(g.batch, &k.tablet)
	g.taken = append(g.taken, k)
}

// put fills the cells of the points that pts begins with, of the row's device, whose
// first series is first, and of one time. It returns how many they are.
func (k *tick) put(first uint32, pts []harness.Point) int {
	at, set, width := pts[0].TS, k.set, uint32(len(k.tablet.Columns))
	for i := range pts {
		p := &pts[i]
		n := p.Series - first
		if n >= width || n >= harness.Measurements || p.TS != at {
			pts = pts[:i]
			break
		}
		k.floats[n], k.ints[n] = p.V, int64(p.V) // the column has one of them
		set |= 1 << n
	}
	k.set = set
	return len(pts)
}

// mark tells which cells of the row have no value. Most are as they were.
func (k *tick) mark() {
	missing := (uint(1)<<len(k.tablet.Columns) - 1) &^ k.set
	for other := missing ^ k.missing; other != 0; other &= other - 1 {
		c := bits.TrailingZeros(other)
		k.columns[c].Nulls = nil
		if missing>>c&1 != 0 {
			k.columns[c].Nulls = null
		}
	}
	k.set, k.missing = 0, missing
}

func (g *group) takeLate(p *harness.Point) {
	l := &g.late[p.Series]
	if l.used == 0 {
		g.lanes = append(g.lanes, l)
	}
	if l.used == len(l.points) {
		l.points = append(l.points, newPoint(&g.series[p.Series]))
	}
	k := l.points[l.used]
	l.used++
	k.times[0], k.value[0], k.counter[0] = p.TS*1e6, p.V, int64(p.V)
	g.batch = append(g.batch, &k.tablet)
}
