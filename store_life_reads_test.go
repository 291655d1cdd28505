package tickwell

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/pattern"
)

// What a life reads, by every way there is.

// visible returns what a series should show in a range.
func (l *aLife) visible(path string, from, to int64) (out []point) {
	ser := l.state.series[path]
	if ser == nil {
		return nil
	}
	device, name := pattern.Split(path)
	h, ok := l.db.eng.Horizon(device, name)
	for at, p := range ser.points {
		if from <= at && (at < to || to == math.MaxInt64) && (!ok || at >= h) {
			out = append(out, point{at, p.v})
		}
	}
	slices.SortFunc(out, func(a, b point) int { return cmp.Compare(a.t, b.t) })
	return out
}

// read does one read of one series or device.
func (l *aLife) read() {
	paths := slices.Sorted(maps.Keys(l.state.series))
	if len(paths) == 0 {
		return
	}
	path := paths[l.r.IntN(len(paths))]
	start, end, from, to := l.span([]string{path})
	l.readOf(l.r.IntN(liveReads), path, start, end, from, to)
}

// readAll reads all series every way.
func (l *aLife) readAll() {
	for _, path := range slices.Sorted(maps.Keys(l.state.series)) {
		for way := range liveReads {
			start, end, from, to := l.span([]string{path})
			l.readOf(way, path, start, end, from, to)
			l.readOf(way, path, time.Time{}, time.Time{}, math.MinInt64, math.MaxInt64)
		}
	}
}

const liveReads = 10

// readOf compares a read with the reference; again where what may go has gone
// meanwhile.
func (l *aLife) readOf(way int, path string, start, end time.Time, from, to int64) {
	var err error
	for range 4 {
		if err = l.readOnce(way, path, start, end, from, to); err == nil {
			return
		}
		l.settle()
	}
	l.must(err)
}

func (l *aLife) readOnce(way int, path string, start, end time.Time, from, to int64) error {
	device, name := pattern.Split(path)
	kind := l.state.series[path].kind
	want := l.visible(path, from, to)
	what := fmt.Sprintf("way %d of %s [%d, %d)", way, path, from, to)
	q := Query{Select: []expr.Expr{expr.Col(name)}, From: []string{device}, Start: start, End: end}
	switch way {
	case 0, 1:
		got, err := l.handle(path, kind).read(start, end, way == 0)
		return samePoints(what, want, got, err)
	case 2:
		got, err := l.column(q)
		return samePoints(what, want, got, err)
	case 3:
		q.OrderBy = []Order{{By: expr.Time(), Desc: true}}
		slices.Reverse(want)
		q.Offset = l.r.IntN(3)
		want = want[min(q.Offset, len(want)):]
		if l.r.IntN(3) > 0 {
			q.Limit = 1 + l.r.IntN(80)
			want = want[:min(q.Limit, len(want))]
		}
		got, err := l.column(q)
		return samePoints(what, want, got, err)
	case 4:
		q.Limit, q.Offset = 1+l.r.IntN(80), l.r.IntN(3)
		want = want[min(q.Offset, len(want)):]
		want = want[:min(q.Limit, len(want))]
		got, err := l.column(q)
		return samePoints(what, want, got, err)
	case 5: // aggregates of all
		return l.aggregates(what, q, kind, [][]point{want})
	case 6: // of windows
		if len(want) == 0 {
			return nil
		}
		at := want[l.r.IntN(len(want))].t
		step := int64(time.Second) * []int64{1, 7, 60, 3600}[l.r.IntN(4)]
		n := 1 + l.r.Int64N(12)
		first := min(max(at-l.r.Int64N(n)*step, (year1678+1e6)*1e9), (year2262-1e6)*1e9)
		q.Start, q.End = ns(first), ns(first+n*step)
		q.GroupBy = GroupByTime{Interval: time.Duration(step)}
		var groups [][]point
		for i := range n {
			groups = append(groups, l.visible(path, first+i*step, first+(i+1)*step))
		}
		return l.aggregates(fmt.Sprintf("%s, %d windows of %v from %d", what, n, time.Duration(step), first), q, kind, groups)
	case 7:
		return l.last(what, path)
	case 8:
		got, err := l.deviceCells(Query{From: []string{device}, Start: start, End: end})
		return sameCells(what, l.cellsOf(device, from, to), got, err)
	default: // rows by a condition that is true of all, which reads them otherwise
		q.Where = expr.Col(name).NotNull()
		got, err := l.column(q)
		return samePoints(what, want, got, err)
	}
}

func samePoints(what string, want, got []point, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Errorf("%s: %d points, want %d: no %d %v", what, len(got), len(want), want[i].t, want[i].v)
		case i >= len(want):
			return fmt.Errorf("%s: %d points, want %d: too much is %d %v", what, len(got), len(want), got[i].t, got[i].v)
		case want[i].t != got[i].t || !want[i].v.Equal(got[i].v):
			return fmt.Errorf("%s: point %d is %d %v (%x), want %d %v (%x)", what, i, got[i].t, got[i].v, got[i].v.num, want[i].t, want[i].v, want[i].v.num)
		}
	}
	return nil
}

// column runs a query of one column.
func (l *aLife) column(q Query) (out []point, err error) {
	res, err := l.db.Query(l.ctx, q)
	if err != nil {
		return nil, err
	}
	for t, err := range res.Tablets() {
		if err != nil {
			return nil, err
		}
		for i, at := range t.Times {
			if !t.Columns[0].Nulls.Get(i) {
				out = append(out, point{at, t.Columns[0].Data.Value(i)})
			}
		}
	}
	return out, nil
}

var liveAggregates = []string{"count", "first_value", "last_value", "min_time", "max_time", "min_value", "max_value"}

// aggregates compares those of a series over groups.
func (l *aLife) aggregates(what string, q Query, kind Kind, groups [][]point) error {
	col := q.Select[0]
	q.Select = nil
	names := liveAggregates
	if kind == KindText {
		names = names[:5]
	}
	names = names[l.r.IntN(len(names)):]
	for _, a := range names {
		q.Select = append(q.Select, expr.Call(a, col))
	}
	res, err := l.db.Query(l.ctx, q)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	row := 0
	for r, err := range res.Rows() {
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if row == len(groups) {
			return fmt.Errorf("%s: more than %d groups", what, row)
		}
		for c, a := range names {
			if want := slowAggregate(a, kind, groups[row]); !want.allows(r.Value(c)) {
				return fmt.Errorf("%s: %s of group %d is %v, want %v, of %d points", what, a, row, r.Value(c), want.v, len(groups[row]))
			}
		}
		row++
	}
	if row != len(groups) {
		return fmt.Errorf("%s: %d groups, want %d", what, row, len(groups))
	}
	return nil
}

// last asks for the newest points of a device.
func (l *aLife) last(what, path string) error {
	device, name := pattern.Split(path)
	pat := []string{path, device + ".*", "root.**." + name}[l.r.IntN(3)]
	p, err := pattern.Parse(pat)
	if err != nil {
		return err
	}
	var want []string
	for _, path := range slices.Sorted(maps.Keys(l.state.series)) {
		if all := l.visible(path, math.MinInt64, math.MaxInt64); p.Match(path) && len(all) > 0 {
			want = append(want, fmt.Sprintf("%s %d %v %x %q", path, all[len(all)-1].t, all[len(all)-1].v.kind, all[len(all)-1].v.num, all[len(all)-1].v.str))
		}
	}
	found, err := l.db.Last(l.ctx, pat)
	if err != nil {
		return fmt.Errorf("last %s: %w", what, err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s %d %v %x %q", f.Path(), f.Time.UnixNano(), f.Value.kind, f.Value.num, f.Value.str))
	}
	if !slices.Equal(want, got) {
		return fmt.Errorf("last %s %s: %v, want %v", what, pat, got, want)
	}
	return nil
}

// cellsOf is what a device should show.
func (l *aLife) cellsOf(device string, from, to int64) (out []liveCell) {
	for i := range liveColumns {
		path := livePath(device, i)
		for _, p := range l.visible(path, from, to) {
			out = append(out, liveCell{path, p.v.kind, p.t, p.v})
		}
	}
	return out
}

// deviceCells runs a query of all columns of a device.
func (l *aLife) deviceCells(q Query) (out []liveCell, err error) {
	res, err := l.db.Query(l.ctx, q)
	if err != nil {
		return nil, err
	}
	cols, last := res.Columns(), int64(math.MinInt64)
	for r, err := range res.Rows() {
		if err != nil {
			return nil, err
		}
		if r.UnixNano() <= last {
			return nil, fmt.Errorf("row of %d after %d", r.UnixNano(), last)
		}
		last = r.UnixNano()
		out = appendCells(out, cols, r)
	}
	return out, nil
}

func appendCells(out []liveCell, cols []ColumnInfo, r Row) []liveCell {
	for c := range cols {
		if v := r.Value(c); !v.IsNull() {
			out = append(out, liveCell{cols[c].Name, v.kind, r.UnixNano(), v})
		}
	}
	return out
}

func sameCells(what string, want, got []liveCell, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	order := func(a, b liveCell) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.at, b.at)) }
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Errorf("%s: %d cells, want %d: no %+v", what, len(got), len(want), want[i])
		case i >= len(want):
			return fmt.Errorf("%s: %d cells, want %d: too much is %+v", what, len(got), len(want), got[i])
		case order(want[i], got[i]) != 0 || !want[i].v.Equal(got[i].v):
			return fmt.Errorf("%s: cell %d is %+v, want %+v", what, i, got[i], want[i])
		}
	}
	return nil
}

// liveHeld is a read that is left open while other things happen.
type liveHeld struct {
	what string
	cols []ColumnInfo
	next func() (Row, error, bool)
	stop func()
	want []liveCell
	got  []liveCell
	over bool
}

// hold opens a read, or goes on with one.
func (l *aLife) hold() {
	if n := len(l.held); n > 0 && (n > 4 || l.r.IntN(2) == 0) {
		i := l.r.IntN(n)
		h := l.held[i]
		l.must(h.more([]int{1, 30, math.MaxInt}[l.r.IntN(3)]))
		if h.over {
			l.held = slices.Delete(l.held, i, i+1)
		}
		return
	}
	device := l.device()
	start, end, from, to := l.span(nil)
	want := l.cellsOf(device, from, to)
	res, err := l.db.Query(l.ctx, Query{From: []string{device}, Start: start, End: end})
	l.must(err)
	h := &liveHeld{what: fmt.Sprintf("held at step %d: %s [%d, %d)", len(l.steps), device, from, to), cols: res.Columns(), want: want}
	h.next, h.stop = iter.Pull2(res.Rows())
	l.must(h.more(1))
	l.settle()
	if again := l.cellsOf(device, from, to); len(again) != len(want) { // the quota moved
		h.stop()
	} else if !h.over {
		l.held = append(l.held, h)
	}
}

// more reads so many rows.
func (h *liveHeld) more(rows int) error {
	for range rows {
		r, err, ok := h.next()
		if !ok {
			h.over = true
			return sameCells(h.what, h.want, h.got, nil)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", h.what, err)
		}
		h.got = appendCells(h.got, h.cols, r)
	}
	return nil
}
