package exec

import (
	"cmp"
	"maps"
	"math"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/sorting"
)

// tables is the built-in functions that make a series, by lower-case name.
var tables = allTables()

func allTables() map[string]func() Transformer {
	all := map[string]func() Transformer{
		"time_difference":         func() Transformer { return &trend{what: timeDifference} },
		"difference":              func() Transformer { return &trend{what: difference} },
		"non_negative_difference": func() Transformer { return &trend{what: difference, absolute: true} },
		"derivative":              func() Transformer { return &trend{what: derivative} },
		"non_negative_derivative": func() Transformer { return &trend{what: derivative, absolute: true} },
	}
	maps.Copy(all, movingKinds)
	if !small {
		maps.Copy(all, rareTables())
		maps.Copy(all, bucketSamples())
	}
	return all
}

// rareTables is in [rare], as bucketSamples is.
func rareTables() map[string]func() Transformer {
	return map[string]func() Transformer{
		"top_k":             func() Transformer { return &topK{} },
		"bottom_k":          func() Transformer { return &topK{bottom: true} },
		"zero_duration":     func() Transformer { return &interval{zero: true, duration: true} },
		"non_zero_duration": func() Transformer { return &interval{duration: true} },
		"zero_count":        func() Transformer { return &interval{zero: true} },
		"non_zero_count":    func() Transformer { return &interval{} },
		"change_points":     func() Transformer { return &changePoints{} },
		"m4":                func() Transformer { return &m4{} },
		"ewma":              func() Transformer { return &ewma{} },
	}
}

// noWindows is the rest of a Transformer that reads rows and ends quietly.
type noWindows struct{}

func (noWindows) Window(*Batch, int64, int64, *Out) error { return nil }
func (noWindows) Terminate(*Out) error                    { return nil }
func (noWindows) Close()                                  {}

var wholeInput = Access{Begin: NoBegin, End: NoEnd}

// topK is the k greatest or least points, in time order. A point replaces the
// worst only if it is better; of equal worst points the latest leaves.
type topK struct {
	noWindows
	bottom bool
	k      int
	times  []int64
	cells  Col
	worst  int
}

func (t *topK) Start(c *Call) (column.Kind, Access, error) {
	if len(c.Inputs) != 1 || c.Inputs[0].Kind == column.Bool {
		return 0, wholeInput, badQuery("function %s takes one input of numbers or text", c.Name)
	}
	if _, err := c.need("k"); err != nil {
		return 0, wholeInput, err
	}
	k, err := c.integerOr("k", 0)
	if err == nil && (k < 1 || k > 1000) {
		err = badQuery("function %s: k has to be greater than 0 and less than or equal to 1000", c.Name)
	}
	t.k = int(k)
	t.cells.reset(c.Inputs[0].Kind)
	return c.Inputs[0].Kind, wholeInput, err
}

// better reports whether cell i of a is preferred to cell j of b.
func (t *topK) better(a *Col, i int, b *Col, j int) bool {
	c := compareCells(a, i, b, j)
	if t.bottom {
		return c < 0
	}
	return c > 0
}

func (t *topK) Rows(b *Batch, _ *Out) error {
	c := &b.Cols[0]
	for i, at := range b.Times {
		if len(t.times) < t.k {
			t.times = append(t.times, at)
			t.cells.appendCell(c, i)
			t.findWorst()
		} else if t.better(c, i, &t.cells, t.worst) {
			t.times[t.worst] = at
			t.cells.Set(t.worst, &c.Vector, i)
			t.findWorst()
		}
	}
	return nil
}

func (t *topK) findWorst() {
	t.worst = 0
	for i := range t.times {
		if t.better(&t.cells, t.worst, &t.cells, i) ||
			!t.better(&t.cells, i, &t.cells, t.worst) && t.times[i] > t.times[t.worst] {
			t.worst = i
		}
	}
}

func (t *topK) Terminate(out *Out) error {
	order := make([]int, len(t.times))
	for i := range order {
		order[i] = i
	}
	sorting.By(order, func(a, b int) int { return cmp.Compare(t.times[a], t.times[b]) })
	for _, i := range order {
		if err := out.Cell(t.times[i], &t.cells, i); err != nil {
			return err
		}
	}
	return nil
}

// interval tells of each run of zero, or of other values, at its first time:
// its duration or number of points, if that lies between min and max.
type interval struct {
	noWindows
	zero, duration bool
	unit           int64
	min, max       int64
	on             bool
	first, last, n int64
}

func (t *interval) Start(c *Call) (column.Kind, Access, error) {
	def := int64(1)
	if t.duration {
		def = 0
	}
	var err error
	t.unit = perUnit(c.Unit)
	if len(c.Inputs) != 1 || c.Inputs[0].Kind == column.Text {
		return 0, wholeInput, badQuery("function %s takes one input of numbers or booleans", c.Name)
	}
	if t.min, err = c.integerOr("min", def); err != nil {
		return 0, wholeInput, err
	}
	t.max, err = c.integerOr("max", math.MaxInt64)
	if err == nil && t.max < t.min {
		err = badQuery("function %s: max %d is less than min %d", c.Name, t.max, t.min)
	}
	return column.Int64, wholeInput, err
}

func (t *interval) Rows(b *Batch, out *Out) error {
	for i, at := range b.Times {
		if (b.Cols[0].Float64At(i) == 0) != t.zero {
			if err := t.Terminate(out); err != nil {
				return err
			}
			continue
		}
		if !t.on {
			t.on, t.first, t.n = true, at, 0
		}
		t.last = at
		t.n++
	}
	return nil
}

func (t *interval) Terminate(out *Out) error {
	if !t.on {
		return nil
	}
	t.on = false
	v := t.n
	if t.duration {
		v = unitsBetween(t.first, t.last, t.unit)
	}
	if v < t.min || v > t.max {
		return nil
	}
	return out.Int64(t.first, v)
}

// What a trend function tells of a point and the one before it.
const (
	timeDifference = iota
	difference
	derivative
)

type trend struct {
	noWindows
	what     int
	absolute bool
	unit     int64
	any      bool
	at       int64
	prev     Col
}

func (t *trend) Start(c *Call) (column.Kind, Access, error) {
	t.unit = perUnit(c.Unit)
	if t.what == timeDifference {
		if len(c.Inputs) != 1 {
			return 0, wholeInput, badQuery("function %s takes 1 input, got %d", c.Name, len(c.Inputs))
		}
		return column.Int64, wholeInput, nil
	}
	if err := inputs(c, "number"); err != nil {
		return 0, wholeInput, err
	}
	kind := c.Inputs[0].Kind
	t.prev.reset(kind)
	if t.what == derivative {
		kind = column.Float64
	}
	return kind, wholeInput, nil
}

func (t *trend) Rows(b *Batch, out *Out) error {
	c := &b.Cols[0]
	before, j := &t.prev, 0 // the row before
	for i, at := range b.Times {
		if t.any {
			if err := t.emit(at, c, i, before, j, out); err != nil {
				return err
			}
		}
		t.any, t.at = true, at
		before, j = c, i
	}
	if n := len(b.Times); n > 0 && t.what != timeDifference {
		t.prev.reset(c.Kind)
		t.prev.AppendRange(&c.Vector, n-1, n)
	}
	return nil
}

func (t *trend) emit(at int64, c *Col, i int, p *Col, j int, out *Out) error {
	switch {
	case t.what == timeDifference:
		return out.Int64(at, unitsBetween(t.at, at, t.unit))
	case t.what == derivative:
		v := (c.Float64At(i) - p.Float64At(j)) / (distance(t.at, at) / float64(t.unit))
		if t.absolute {
			v = math.Abs(v)
		}
		return out.Float64(at, v)
	}
	switch c.Kind {
	case column.Int32:
		v := c.Int32s[i] - p.Int32s[j]
		if t.absolute {
			v = max(v, -v)
		}
		return out.Int32(at, v)
	case column.Int64:
		v := c.Int64s[i] - p.Int64s[j]
		if t.absolute {
			v = max(v, -v)
		}
		return out.Int64(at, v)
	case column.Float32:
		v := c.Float32s[i] - p.Float32s[j]
		if t.absolute {
			v = max(v, -v)
		}
		return out.Float32(at, v)
	}
	v := c.Float64s[i] - p.Float64s[j]
	if t.absolute {
		v = math.Abs(v)
	}
	return out.Float64(at, v)
}

// changePoints is the first point and each that differs from the last one kept.
type changePoints struct {
	noWindows
	any  bool
	kept Col
}

func (t *changePoints) Start(c *Call) (column.Kind, Access, error) {
	if len(c.Inputs) != 1 {
		return 0, wholeInput, badQuery("function %s takes 1 input, got %d", c.Name, len(c.Inputs))
	}
	t.kept.reset(c.Inputs[0].Kind)
	return c.Inputs[0].Kind, wholeInput, nil
}

func (t *changePoints) Rows(b *Batch, out *Out) error {
	c := &b.Cols[0]
	kept, j := &t.kept, 0
	for i, at := range b.Times {
		if t.any && sameCell(c, i, kept, j) {
			continue
		}
		t.any = true
		kept, j = c, i
		var err error
		switch c.Kind {
		case column.Float64:
			err = out.Float64(at, c.Float64s[i])
		case column.Int64:
			err = out.Int64(at, c.Int64s[i])
		default:
			err = out.Cell(at, c, i)
		}
		if err != nil {
			return err
		}
	}
	if kept == c {
		t.kept.reset(c.Kind)
		t.kept.AppendRange(&c.Vector, j, j+1)
	}
	return nil
}

// sameCell reports whether two cells of one kind are the same.
func sameCell(a *Col, i int, b *Col, j int) bool {
	switch a.Kind {
	case column.Float64:
		return math.Float64bits(a.Float64s[i]) == math.Float64bits(b.Float64s[j])
	case column.Int64:
		return a.Int64s[i] == b.Int64s[j]
	case column.Text:
		return a.Texts[i] == b.Texts[j]
	}
	return keyOf(a, i) == keyOf(b, j)
}

// m4 keeps of each window the first, the last, and between them the least and
// the greatest point.
type m4 struct {
	noWindows
	last int64
	any  bool
}

func (t *m4) Start(c *Call) (column.Kind, Access, error) {
	a := wholeInput
	if err := inputs(c, "number"); err != nil {
		return 0, a, err
	}
	size, err1 := c.integerOr("windowSize", 0)
	length, err2 := c.integerOr("timeInterval", 0)
	_, bySize := c.Attr("windowSize")
	_, byTime := c.Attr("timeInterval")
	if bySize == byTime {
		return 0, a, badQuery("function %s: exactly one of the attributes windowSize and timeInterval is required", c.Name)
	}
	step, err3 := c.integerOr("slidingStep", max(size, length))
	begin, err4 := c.integerOr("displayWindowBegin", NoBegin)
	end, err5 := c.integerOr("displayWindowEnd", NoEnd)
	if err := cmp.Or(err1, err2, err3, err4, err5); err != nil {
		return 0, a, err
	}
	unit := perUnit(c.Unit)
	a = Access{Kind: SlidingTime, Interval: scale(length, unit), Step: scale(step, unit), Begin: scale(begin, unit), End: scale(end, unit)}
	if bySize {
		a = Access{Kind: SlidingSize, Size: size, Step: step, Begin: NoBegin, End: NoEnd}
	}
	return c.Inputs[0].Kind, a, nil
}

func (t *m4) Rows(*Batch, *Out) error { return nil }

// Window emits in time order. Of the least and the greatest point, the earlier
// one is left out if it is the first point or equals the last value, the later
// one if it is the same point or equals the last value; ties keep the earliest.
func (t *m4) Window(b *Batch, _, _ int64, out *Out) error {
	n := b.Len()
	if n == 0 {
		return nil
	}
	c := &b.Cols[0]
	lo, hi := 0, 0
	for i := range n {
		if compareCells(c, i, c, lo) < 0 {
			lo = i
		}
		if compareCells(c, i, c, hi) > 0 {
			hi = i
		}
	}
	early, late := min(lo, hi), max(lo, hi)
	last := n - 1
	put := func(i int) error {
		if t.any && b.Times[i] <= t.last { // windows that overlap repeat points
			return nil
		}
		t.any, t.last = true, b.Times[i]
		return out.Cell(b.Times[i], c, i)
	}
	if err := put(0); err != nil {
		return err
	}
	if early > 0 && compareCells(c, early, c, last) != 0 {
		if err := put(early); err != nil {
			return err
		}
	}
	if late > early && compareCells(c, late, c, last) != 0 {
		if err := put(late); err != nil {
			return err
		}
	}
	if last > 0 {
		return put(last)
	}
	return nil
}
