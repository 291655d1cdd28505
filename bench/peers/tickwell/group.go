package main

import (
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/bench/harness"
)

// group turns points into tablets that are filled again and again: a row for
// each device and tick, and a tablet of one point for each late one.
type group struct {
	series  []harness.Meta
	devices []device
	late    []lane // by series number
	batch   []*tickwell.Tablet
	taken   []*tick
	lanes   []*lane // that are in use
}

// device holds the tablets of a gateway; the first used of them are taken.
type device struct {
	series []harness.Meta
	ticks  []*tick
	used   int
}

// lane holds the tablets for late points of one series.
type lane struct {
	points []*tick
	used   int
}

// tick is a tablet of one row whose vectors are filled in place.
type tick struct {
	tablet *tickwell.Tablet
	floats [harness.Measurements]tickwell.Float64s
	ints   [harness.Measurements]tickwell.Int64s
	set    uint // a bit for each measurement that has a value
}

// null marks the only row of a column that has no value.
var null = tickwell.Bitmap{1}

func newGroup(series []harness.Meta) *group {
	g := &group{series: series, late: make([]lane, len(series))}
	for i := range series { // those of a device stand together
		if n := series[i].DeviceNo; n == len(g.devices) {
			g.devices = append(g.devices, device{series: series[i : i+1]})
		} else {
			g.devices[n].series = series[i-series[i].MeasureNo : i+1]
		}
	}
	return g
}

func newTick(series []harness.Meta) *tick {
	k := &tick{tablet: &tickwell.Tablet{Device: series[0].Device, Times: make([]int64, 1)}}
	for _, m := range series {
		col := tickwell.Column{Name: m.Measurement}
		if m.IsInt {
			k.ints[m.MeasureNo] = make(tickwell.Int64s, 1)
			col.Data = k.ints[m.MeasureNo]
		} else {
			k.floats[m.MeasureNo] = make(tickwell.Float64s, 1)
			col.Data = k.floats[m.MeasureNo]
		}
		k.tablet.Columns = append(k.tablet.Columns, col)
	}
	return k
}

func (k *tick) put(m *harness.Meta, v float64) {
	if m.IsInt {
		k.ints[m.MeasureNo][0] = int64(v)
	} else {
		k.floats[m.MeasureNo][0] = v
	}
	k.set |= 1 << m.MeasureNo
}

// fill returns the tablets of pts. They are good until the next call.
func (g *group) fill(pts []harness.Point) []*tickwell.Tablet {
	g.batch = g.batch[:0]
	newest := int64(0)
	for i := range pts {
		p := &pts[i]
		m := &g.series[p.Series]
		if p.TS < newest {
			g.latePoint(p, m)
			continue
		}
		newest = p.TS
		g.tickOf(m, p.TS*1e6).put(m, p.V)
	}
	for _, k := range g.taken {
		if len(k.tablet.Columns) == 1 {
			continue
		}
		for c := range k.tablet.Columns {
			k.tablet.Columns[c].Nulls = nil
			if k.set>>c&1 == 0 {
				k.tablet.Columns[c].Nulls = null
			}
		}
		k.set = 0
	}
	g.taken = g.taken[:0]
	for i := range g.devices {
		g.devices[i].used = 0
	}
	for _, l := range g.lanes {
		l.used = 0
	}
	g.lanes = g.lanes[:0]
	return g.batch
}

// tickOf returns the tablet of a device for the time ns.
func (g *group) tickOf(m *harness.Meta, ns int64) *tick {
	d := &g.devices[m.DeviceNo]
	if d.used > 0 && d.ticks[d.used-1].tablet.Times[0] == ns {
		return d.ticks[d.used-1]
	}
	if d.used == len(d.ticks) {
		d.ticks = append(d.ticks, newTick(d.series))
	}
	k := d.ticks[d.used]
	d.used++
	g.take(k, ns)
	return k
}

func (g *group) latePoint(p *harness.Point, m *harness.Meta) {
	l := &g.late[p.Series]
	if l.used == 0 {
		g.lanes = append(g.lanes, l)
	}
	if l.used == len(l.points) {
		l.points = append(l.points, newTick(g.series[p.Series:p.Series+1]))
	}
	k := l.points[l.used]
	l.used++
	k.put(m, p.V)
	g.take(k, p.TS*1e6)
}

func (g *group) take(k *tick, ns int64) {
	k.tablet.Times[0] = ns
	g.batch = append(g.batch, k.tablet)
	g.taken = append(g.taken, k)
}
