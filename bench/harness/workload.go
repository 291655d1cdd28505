package harness

import "fmt"

// The workload: a thousand series of a hundred devices.
const (
	Devices      = 100
	Measurements = 10
	IntFrom      = 8     // measurements 8 and 9 are counters
	StepMS       = 10000 // one point per series every 10 s
	MaxDelay     = 30    // out-of-order points come up to 30 steps (5 min) late
	BatchPoints  = 1000
)

// MakeSeries lists the series of the workload.
func MakeSeries() []Meta {
	ms := make([]Meta, 0, Devices*Measurements)
	for d := range Devices {
		for m := range Measurements {
			dev, mea := fmt.Sprintf("gw%03d", d), fmt.Sprintf("m%d", m)
			ms = append(ms, Meta{Name: dev + "." + mea, Device: dev, Measurement: mea,
				DeviceNo: d, MeasureNo: m, IsInt: m >= IntFrom})
		}
	}
	return ms
}

// Gen makes the points tick by tick without allocating once it runs. Values of
// gauges are a random walk on hundredths, so they have two decimals; counters
// grow by a small random step.
type Gen struct {
	series []uint32
	state  []int64
	rng    uint64
	tick   int64
	from   int64
	ooo    bool
	ring   [MaxDelay + 1][]Point
	isInt  []bool

	// What a correct store must answer, by series number.
	N       []int64
	Sum     []float64
	Max     []float64
	LastTS  []int64
	LastV   []float64
	Emitted int64
}

// NewGen makes a generator for the given series numbers.
func NewGen(all []Meta, series []uint32, from int64, ooo bool) *Gen {
	g := &Gen{series: series, from: from, ooo: ooo, rng: 0x9E3779B97F4A7C15,
		state: make([]int64, len(all)), isInt: make([]bool, len(all)),
		N: make([]int64, len(all)), Sum: make([]float64, len(all)), Max: make([]float64, len(all)),
		LastTS: make([]int64, len(all)), LastV: make([]float64, len(all))}
	for i := range all {
		g.isInt[i] = all[i].IsInt
		g.state[i] = int64(5000 + 37*i)
		g.Max[i] = -1e300
	}
	return g
}

func (g *Gen) next() uint64 {
	g.rng ^= g.rng << 13
	g.rng ^= g.rng >> 7
	g.rng ^= g.rng << 17
	return g.rng
}

// Tick appends the points of one 10 s step to dst.
func (g *Gen) Tick(dst []Point) []Point {
	ts := g.from + g.tick*StepMS
	for _, s := range g.series {
		r := g.next()
		var v float64
		if g.isInt[s] {
			g.state[s] += int64(r & 127)
			v = float64(g.state[s])
		} else {
			g.state[s] += int64(r&255) - 127
			v = float64(g.state[s]) / 100
		}
		p := Point{s, ts, v}
		if g.ooo && (r>>32)%100 < 5 {
			d := int64(1 + (r>>40)%MaxDelay)
			i := (g.tick + d) % (MaxDelay + 1)
			g.ring[i] = append(g.ring[i], p)
			continue
		}
		dst = append(dst, p)
		g.note(p)
	}
	if g.ooo {
		i := g.tick % (MaxDelay + 1)
		for _, p := range g.ring[i] {
			g.note(p)
		}
		dst = append(dst, g.ring[i]...)
		g.ring[i] = g.ring[i][:0]
	}
	g.tick++
	return dst
}

func (g *Gen) note(p Point) {
	g.Emitted++
	g.N[p.Series]++
	g.Sum[p.Series] += p.V
	if p.V > g.Max[p.Series] {
		g.Max[p.Series] = p.V
	}
	if p.TS >= g.LastTS[p.Series] {
		g.LastTS[p.Series], g.LastV[p.Series] = p.TS, p.V
	}
}
