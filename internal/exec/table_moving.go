package exec

import (
	"math"

	"github.com/tickwell/tickwell/internal/column"
)

// A movingPart sums up some rows of a moving window: their sum, their least or
// greatest value, or their number, mean and squared distance from it.
type movingPart struct{ a, n, sq float64 }

// movingKinds is the aggregates over the last rows. join puts the parts of
// earlier and later rows together; value is what is given for a whole window.
var movingKinds = map[string]func() *moving{
	"moving_avg": func() *moving {
		return &moving{join: addParts, value: func(p movingPart) float64 { return p.a / p.n }}
	},
	"moving_sum": func() *moving {
		return &moving{join: addParts, value: func(p movingPart) float64 { return p.a }}
	},
	"moving_min": func() *moving {
		return &moving{join: leastPart, value: func(p movingPart) float64 { return p.a }}
	},
	"moving_max": func() *moving {
		return &moving{join: greatestPart, value: func(p movingPart) float64 { return p.a }}
	},
	"moving_stddev": func() *moving {
		return &moving{join: spreadParts, least: 2, value: func(p movingPart) float64 { return math.Sqrt(p.sq / (p.n - 1)) }}
	},
}

func addParts(x, y movingPart) movingPart { return movingPart{a: x.a + y.a, n: x.n + y.n} }

// leastPart and greatestPart leave NaN out unless there is nothing else, as the
// aggregates do.
func leastPart(x, y movingPart) movingPart {
	if y.a < x.a || x.a != x.a {
		return y
	}
	return x
}

func greatestPart(x, y movingPart) movingPart {
	if y.a > x.a || x.a != x.a {
		return y
	}
	return x
}

func spreadParts(x, y movingPart) movingPart {
	n := x.n + y.n
	d := y.a - x.a
	return movingPart{a: x.a + d*(y.n/n), n: n, sq: x.sq + y.sq + d*d*(x.n*y.n/n)}
}

// moving is an aggregate over the last rows, of fewer at the begin. Each round
// through the ring begins with the parts of its ends, so that a row costs two
// joins however long the window is, nothing is ever taken away again, and no
// rounding error and no NaN stays.
type moving struct {
	noWindows
	join  func(earlier, later movingPart) movingPart
	value func(movingPart) float64
	least int // rows without which nothing is given

	ring []float64
	ends []movingPart // ends[i]: rows i and later of the last round
	now  movingPart   // rows of this round
	at   int          // next place in the ring
	full bool         // there was a round before
}

func (t *moving) Start(c *Call) (column.Kind, Access, error) {
	if err := inputs(c, "number"); err != nil {
		return 0, wholeInput, err
	}
	if _, err := c.need("window"); err != nil {
		return 0, wholeInput, err
	}
	n, err := c.integerOr("window", 0)
	if err == nil && (n < 1 || n > 1<<16) {
		err = badQuery("function %s: attribute \"window\" is %d, it has to be in [1, 65536]", c.Name, n)
	}
	if err != nil {
		return 0, wholeInput, err
	}
	t.ring, t.ends = make([]float64, n), make([]movingPart, n)
	return column.Float64, wholeInput, nil
}

func (t *moving) Rows(b *Batch, out *Out) error {
	c := &b.Cols[0]
	for i, at := range b.Times {
		v := c.Float64At(i)
		part := movingPart{a: v, n: 1}
		if t.at > 0 {
			part = t.join(t.now, part)
		}
		t.now = part
		t.ring[t.at] = v
		t.at++
		if t.full && t.at < len(t.ring) {
			part = t.join(t.ends[t.at], part)
		}
		if t.at == len(t.ring) {
			t.turn()
		}
		if int(part.n) < t.least {
			continue
		}
		if err := out.Float64(at, t.value(part)); err != nil {
			return err
		}
	}
	return nil
}

// turn begins a round.
func (t *moving) turn() {
	var p movingPart
	for i := len(t.ring) - 1; i >= 0; i-- {
		q := movingPart{a: t.ring[i], n: 1}
		if i < len(t.ring)-1 {
			q = t.join(q, p)
		}
		p = q
		t.ends[i] = p
	}
	t.at, t.full = 0, true
}
