package exec

import (
	"math"

	"github.com/tickwell/tickwell/internal/column"
)

// movingKinds is the aggregates over the last rows.
var movingKinds = map[string]func() Transformer{
	"moving_avg": func() Transformer {
		return &moving[float64]{one: self, join: addFloats, value: func(sum float64, n int) float64 { return sum / float64(n) }}
	},
	"moving_sum": func() Transformer {
		return &moving[float64]{one: self, join: addFloats, value: func(sum float64, _ int) float64 { return sum }}
	},
	"moving_min": func() Transformer {
		return &moving[float64]{one: self, join: least, value: func(v float64, _ int) float64 { return v }}
	},
	"moving_max": func() Transformer {
		return &moving[float64]{one: self, join: greatest, value: func(v float64, _ int) float64 { return v }}
	},
	"moving_stddev": func() Transformer {
		return &moving[movingSpread]{
			one: func(v float64) movingSpread { return movingSpread{1, v, 0} }, join: joinSpreads, few: 1,
			value: func(p movingSpread, n int) float64 { return math.Sqrt(p.sq / float64(n-1)) },
		}
	},
}

func self(v float64) float64 { return v }

func addFloats(x, y float64) float64 { return x + y }

// least and greatest leave NaN out unless there is nothing else, as the
// aggregates do.
func least(x, y float64) float64 {
	if y < x || x != x {
		return y
	}
	return x
}

func greatest(x, y float64) float64 {
	if y > x || x != x {
		return y
	}
	return x
}

// movingSpread is the number of some values, their mean, and the sum of their
// squared distances from it.
type movingSpread struct{ n, mean, sq float64 }

func joinSpreads(x, y movingSpread) movingSpread {
	n := x.n + y.n
	d := y.mean - x.mean
	return movingSpread{n, x.mean + d*(y.n/n), x.sq + y.sq + d*d*(x.n*y.n/n)}
}

// moving is an aggregate over the last rows, of fewer at the begin. A T sums up
// some of them: one makes it of a row, join puts those of earlier and later rows
// together, value is what is given for n rows, of more than few.
//
// Each round through the ring begins with the parts of its ends, so that a row
// costs two joins however long the window is, nothing is ever taken away again,
// and no rounding error and no NaN stays.
type moving[T any] struct {
	noWindows
	one   func(float64) T
	join  func(earlier, later T) T
	value func(part T, n int) float64
	few   int

	ring []float64
	ends []T // ends[i]: rows i and later of the last round
	now  T   // rows of this round
	at   int // next place in the ring
	full bool
}

func (t *moving[T]) Start(c *Call) (column.Kind, Access, error) {
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
	t.ring, t.ends = make([]float64, n), make([]T, n)
	return column.Float64, wholeInput, nil
}

func (t *moving[T]) Rows(b *Batch, out *Out) error {
	c := &b.Cols[0]
	for i, at := range b.Times {
		v := c.Float64At(i)
		part := t.one(v)
		if t.at > 0 {
			part = t.join(t.now, part)
		}
		t.now = part
		t.ring[t.at] = v
		t.at++
		n := t.at
		if t.full {
			if n = len(t.ring); t.at < n {
				part = t.join(t.ends[t.at], part)
			}
		}
		if t.at == len(t.ring) {
			t.turn()
		}
		if n <= t.few {
			continue
		}
		if err := out.Float64(at, t.value(part, n)); err != nil {
			return err
		}
	}
	return nil
}

// turn begins a round.
func (t *moving[T]) turn() {
	last := len(t.ring) - 1
	t.ends[last] = t.one(t.ring[last])
	for i := last - 1; i >= 0; i-- {
		t.ends[i] = t.join(t.one(t.ring[i]), t.ends[i+1])
	}
	t.at, t.full = 0, true
}
