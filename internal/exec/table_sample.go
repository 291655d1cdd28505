package exec

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/sorting"
)

func bucketSamples() map[string]func() Transformer {
	return map[string]func() Transformer{
		"equal_size_bucket_random_sample":  func() Transformer { return &bucketSample{pick: (*bucketSample).random} },
		"equal_size_bucket_agg_sample":     func() Transformer { return &bucketSample{pick: (*bucketSample).aggregate, types: aggTypes} },
		"equal_size_bucket_m4_sample":      func() Transformer { return &bucketSample{pick: (*bucketSample).m4, points: 4} },
		"equal_size_bucket_outlier_sample": func() Transformer { return &bucketSample{pick: (*bucketSample).outliers, types: outlierTypes} },
	}
}

var (
	aggTypes     = []string{"avg", "max", "min", "sum", "extreme", "variance"}
	outlierTypes = []string{"avg", "stendis", "cos", "prenextdis"}
)

// bucketSample thins a series: of each bucket of floor(points/proportion) rows
// it keeps some points, or a value at the first time.
type bucketSample struct {
	noWindows
	pick   func(t *bucketSample, b *Batch, out *Out) error
	points float64  // kept of a bucket, 0: 1
	types  []string // allowed values of 'type', the first is the default
	typ    string
	number int
	rng    *rand.Rand
}

func (t *bucketSample) Rows(*Batch, *Out) error { return nil }

func (t *bucketSample) Start(c *Call) (column.Kind, Access, error) {
	a := wholeInput
	if err := inputs(c, "number"); err != nil {
		return 0, a, err
	}
	p, err := c.numberOr("proportion", 0.1)
	if err != nil {
		return 0, a, err
	}
	if !(p > 0 && p <= 1) {
		return 0, a, badQuery("function %s: attribute \"proportion\" is %v, it has to be greater than 0 and less than or equal to 1", c.Name, p)
	}
	number, err := c.integerOr("number", 3)
	if err == nil && number < 1 {
		err = badQuery("function %s: attribute \"number\" is %d, it has to be positive", c.Name, number)
	}
	seed, err2 := c.integerOr("seed", 1)
	if err == nil {
		err = err2
	}
	if err != nil {
		return 0, a, err
	}
	t.number, t.rng = int(number), rand.New(rand.NewPCG(uint64(seed), 0))
	kind := c.Inputs[0].Kind
	if len(t.types) > 0 {
		t.typ = t.types[0]
		if v, ok := c.Attr("type"); ok {
			t.typ = v
		}
		if !slices.Contains(t.types, t.typ) {
			return 0, a, badQuery("function %s: attribute \"type\" is %q, it has to be one of %v", c.Name, t.typ, t.types)
		}
		if len(t.types) == len(aggTypes) && (t.typ == "avg" || t.typ == "sum" || t.typ == "variance") {
			kind = column.Float64
		}
	}
	size := int64(math.Floor(max(t.points, 1)/p + 1e-9))
	a.Kind, a.Size, a.Step = SlidingSize, size, size
	return kind, a, nil
}

func (t *bucketSample) Window(b *Batch, _, _ int64, out *Out) error {
	if b.Len() == 0 {
		return nil
	}
	return t.pick(t, b, out)
}

func (t *bucketSample) random(b *Batch, out *Out) error {
	i := t.rng.IntN(b.Len())
	return out.Cell(b.Times[i], &b.Cols[0], i)
}

func (t *bucketSample) aggregate(b *Batch, out *Out) error {
	c, best, sum, m2, mean := &b.Cols[0], 0, 0.0, 0.0, 0.0
	for i := range b.Len() {
		v, w := c.Float64At(i), c.Float64At(best)
		sum += v
		d := v - mean
		mean += d / float64(i+1)
		m2 += d * (v - mean)
		switch {
		case t.typ == "max" && v > w, t.typ == "min" && v < w,
			t.typ == "extreme" && (math.Abs(v) > math.Abs(w) || math.Abs(v) == math.Abs(w) && v > w):
			best = i
		}
	}
	n := float64(b.Len())
	switch t.typ {
	case "avg":
		return out.Float64(b.Times[0], sum/n)
	case "sum":
		return out.Float64(b.Times[0], sum)
	case "variance":
		return out.Float64(b.Times[0], m2/n)
	}
	return out.Cell(b.Times[0], c, best)
}

// m4 keeps the first and the last point and, of those between, the least and
// the greatest.
func (t *bucketSample) m4(b *Batch, out *Out) error {
	c, n := &b.Cols[0], b.Len()
	keep := []int{0}
	if n > 2 {
		lo, hi := 1, 1
		for i := 1; i < n-1; i++ {
			if compareCells(c, i, c, lo) < 0 {
				lo = i
			}
			if compareCells(c, i, c, hi) > 0 {
				hi = i
			}
		}
		keep = append(keep, min(lo, hi), max(lo, hi))
	}
	return emitRows(b, append(keep, n-1), out)
}

// emitRows emits rows in order, each once.
func emitRows(b *Batch, rows []int, out *Out) error {
	for i, r := range rows {
		if i > 0 && rows[i-1] == r {
			continue
		}
		if err := out.Cell(b.Times[r], &b.Cols[0], r); err != nil {
			return err
		}
	}
	return nil
}

// outliers keeps the points that stand out most: by distance to the mean (avg),
// to the line through the first and the last point (stendis), to the neighbours
// (prenextdis), or by the sharpness of the angle at them (cos).
func (t *bucketSample) outliers(b *Batch, out *Out) error {
	c, n := &b.Cols[0], b.Len()
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	if n <= t.number {
		return emitRows(b, rows, out)
	}
	x := func(i int) float64 { return float64(b.Times[i] - b.Times[0]) }
	mean := 0.0
	for i := range n {
		mean += c.Float64At(i) / float64(n)
	}
	score := make([]float64, n)
	for i := range n {
		v := c.Float64At(i)
		prev, next := max(i-1, 0), min(i+1, n-1)
		switch t.typ {
		case "avg":
			score[i] = math.Abs(v - mean)
		case "stendis":
			dx, dy := x(n-1), c.Float64At(n-1)-c.Float64At(0)
			score[i] = math.Abs(dy*x(i)-dx*(v-c.Float64At(0))) / math.Hypot(dx, dy)
		case "prenextdis":
			score[i] = math.Abs(v-c.Float64At(prev)) + math.Abs(v-c.Float64At(next))
		case "cos":
			score[i] = math.Inf(-1)
			if i > 0 && i < n-1 {
				ax, ay := x(prev)-x(i), c.Float64At(prev)-v
				bx, by := x(next)-x(i), c.Float64At(next)-v
				score[i] = (ax*bx + ay*by) / (math.Hypot(ax, ay) * math.Hypot(bx, by))
			}
		}
	}
	sorting.Stable(rows, func(a, b int) int {
		switch {
		case score[a] > score[b]:
			return -1
		case score[a] < score[b]:
			return 1
		}
		return 0
	})
	rows = rows[:t.number]
	slices.Sort(rows)
	return emitRows(b, rows, out)
}

// ewma is the exponentially weighted moving average: alpha of each value, the
// rest of what was before.
type ewma struct {
	noWindows
	alpha, mean float64
	any         bool
}

func (t *ewma) Start(c *Call) (column.Kind, Access, error) {
	if err := inputs(c, "number"); err != nil {
		return 0, wholeInput, err
	}
	var err error
	t.alpha, err = c.number("alpha")
	if err == nil && !(t.alpha > 0 && t.alpha <= 1) {
		err = badQuery("function %s: attribute \"alpha\" is %v, it has to be greater than 0 and less than or equal to 1", c.Name, t.alpha)
	}
	return column.Float64, wholeInput, err
}

func (t *ewma) Rows(b *Batch, out *Out) error {
	for i, at := range b.Times {
		v := b.Cols[0].Float64At(i)
		if t.any {
			v = t.mean + t.alpha*(v-t.mean)
		}
		t.any, t.mean = true, v
		if err := out.Float64(at, v); err != nil {
			return err
		}
	}
	return nil
}
