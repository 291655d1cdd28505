package torture

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/tickwell/tickwell/integration/oracle"
)

// columns are the measurements of every device, of all kinds.
var columns = []oracle.Column{
	{Name: "i", Kind: oracle.Int64}, {Name: "f", Kind: oracle.Float64}, {Name: "t", Kind: oracle.Text},
	{Name: "b", Kind: oracle.Bool}, {Name: "n", Kind: oracle.Int32}, {Name: "r", Kind: oracle.Float32},
}

var deviceNames = []string{oracle.Guarded, oracle.Tallied, "root.c", "root.c.`od.d`"}

// meters are the devices that a gateway reads at one moment. From eight on, the
// log encodes their rows together.
var meters = []string{"root.g.m0", "root.g.m1", "root.g.m2", "root.g.m3", "root.g.m4", "root.g.m5", "root.g.m6", "root.g.m7", "root.g.m8", "root.g.m9"}

// step is the distance of the times that calls write to.
const step = oracle.Period / 4

// generator draws calls. Values depend on how many were drawn, so that each
// write of a cell is another one.
type generator struct {
	rng   *rand.Rand
	drawn int64
	now   int64
	files bool // draws flushes and reopenings
}

func newGenerator(seed uint64) *generator {
	return &generator{rng: rand.New(rand.NewPCG(seed, 11)), now: wallStart.UnixNano(), files: true}
}

// calls draws n calls.
func (g *generator) calls(n int) []oracle.Call {
	out := make([]oracle.Call, n)
	for i := range out {
		out[i] = g.call()
	}
	return out
}

func (g *generator) call() oracle.Call {
	switch k := g.rng.IntN(40); {
	case k < 24:
		return g.insert()
	case k < 27:
		from := g.time()
		return oracle.Call{Verb: oracle.Delete, Pattern: g.pattern(), From: from, To: from + g.rng.Int64N(12)*step}
	case k < 28:
		return oracle.Call{Verb: oracle.Drop, Pattern: g.pattern()}
	case k < 31 && g.files:
		return oracle.Call{Verb: oracle.Flush}
	case k < 32 && g.files:
		return oracle.Call{Verb: oracle.Reopen}
	case k < 33:
		return oracle.Call{Verb: oracle.Sync}
	case k < 37:
		g.now += oracle.Period
		return oracle.Call{Verb: oracle.Tick}
	}
	return g.insert()
}

// pattern draws series of root.a, root.b and root.c, never those that the query
// and the trigger write, whose own order of writes matters.
func (g *generator) pattern() string {
	dev := deviceNames[g.rng.IntN(3)]
	if g.rng.IntN(6) == 0 {
		dev = meters[g.rng.IntN(len(meters))]
	}
	switch g.rng.IntN(6) {
	case 0:
		return dev + ".*"
	case 1:
		return "root.c.**"
	}
	return dev + "." + columns[g.rng.IntN(len(columns))].Name
}

// time draws a time around now: mostly new, often one that was written before,
// now and then far away.
func (g *generator) time() int64 {
	switch g.rng.IntN(10) {
	case 0:
		return g.now - g.now%step - g.rng.Int64N(80)*step
	case 1:
		return g.now - g.now%step + g.rng.Int64N(40)*step
	}
	return g.now - g.now%step - g.rng.Int64N(10)*step
}

func (g *generator) insert() oracle.Call {
	c := oracle.Call{Verb: oracle.Insert, Via: uint8(g.rng.IntN(ways)), Durable: g.rng.IntN(25) == 0}
	if c.Via == viaTablets && g.rng.IntN(3) == 0 {
		c.Tablets = g.reading()
		return c
	}
	n := 1
	if c.Via == viaTablets {
		n += g.rng.IntN(3)
	}
	for range n {
		c.Tablets = append(c.Tablets, g.tablet(int(c.Via)))
	}
	return c
}

// reading draws what a gateway writes at once: rows of all meters with the same
// columns, and now and then of another device, another one's columns, or a meter
// twice.
func (g *generator) reading() (tablets []oracle.Tablet) {
	picked := g.rng.Perm(len(columns))[:1+g.rng.IntN(3)]
	rows := []int{1, 1, 2, 5}[g.rng.IntN(4)]
	for _, device := range meters[g.rng.IntN(3):] {
		switch g.rng.IntN(24) {
		case 0:
			tablets = append(tablets, g.tablet(viaTablets))
		case 1:
			tablets = append(tablets, g.rows(device, 1+g.rng.IntN(3), g.rng.Perm(len(columns))[:2], false))
		case 2:
			tablets = append(tablets, g.rows(device, rows, picked, true))
		}
		tablets = append(tablets, g.rows(device, rows, picked, g.rng.IntN(6) == 0))
	}
	return tablets
}

func (g *generator) tablet(via int) oracle.Tablet {
	device := deviceNames[g.rng.IntN(len(deviceNames))]
	rows, single := 1, via == viaRow || via == viaWriter || via == viaSeries
	if !single {
		rows = []int{1, 2, 5, 20}[g.rng.IntN(4)]
	}
	picked := g.rng.Perm(len(columns))[:1+g.rng.IntN(4)]
	if via == viaSeries {
		picked = picked[:1]
	}
	return g.rows(device, rows, picked, !single && g.rng.IntN(3) == 0)
}

// rows draws a tablet of some of the columns, in any order of times.
func (g *generator) rows(device string, rows int, picked []int, nulls bool) oracle.Tablet {
	t := oracle.Tablet{Device: device}
	at := g.time()
	for range rows {
		t.Times = append(t.Times, at)
		switch g.rng.IntN(8) {
		case 0: // twice
		case 1:
			at = g.time()
		default:
			at += step
		}
	}
	for _, p := range picked {
		col := oracle.Column{Name: columns[p].Name, Kind: columns[p].Kind}
		for range rows {
			cell := g.cell(col.Kind)
			if nulls && g.rng.IntN(3) == 0 {
				cell = oracle.Cell{}
			}
			col.Cells = append(col.Cells, cell)
		}
		t.Columns = append(t.Columns, col)
	}
	return t
}

var strange = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Float64frombits(0x7ff8dead0000beef)}

func (g *generator) cell(k oracle.Kind) oracle.Cell {
	g.drawn++
	c := oracle.Cell{Kind: k}
	n := g.drawn
	if g.rng.IntN(6) == 0 {
		n = g.rng.Int64N(5)
	}
	switch k {
	case oracle.Bool:
		c.Bits = g.rng.Uint64N(2)
	case oracle.Int32:
		c.Bits = uint64(uint32(int32(n)))
	case oracle.Int64:
		if c.Bits = uint64(n); g.rng.IntN(150) == 0 {
			c = oracle.IntCell(oracle.Refused)
		}
	case oracle.Float32:
		c.Bits = uint64(math.Float32bits(float32(n) / 8))
	case oracle.Float64:
		v := float64(n) / 100
		if g.rng.IntN(12) == 0 {
			v = strange[g.rng.IntN(len(strange))]
		}
		c.Bits = math.Float64bits(v)
	case oracle.Text:
		c.Text = strings.Repeat("añ\x00\n\xff"[:1+g.rng.IntN(6)], g.rng.IntN(4)) + string(rune('a'+n%26))
		if g.rng.IntN(40) == 0 {
			c.Text = strings.Repeat("long ", g.rng.IntN(200))
		}
	}
	return c
}
