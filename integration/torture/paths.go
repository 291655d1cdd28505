package torture

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/integration/oracle"
)

// dumpRange reads everything, series by series, through Series.Range.
func dumpRange(db *tickwell.DB) (oracle.Dump, error) {
	ctx := context.Background()
	d := oracle.Dump{}
	list, err := db.ListSeries(ctx, "root.**")
	if err != nil {
		return d, err
	}
	for info := range list {
		p, err := rangeSeries(ctx, db, info)
		if len(p) > 0 {
			d[info.Path()] = p
		}
		if err != nil {
			return d, fmt.Errorf("%s: %w", info.Path(), err)
		}
	}
	return d, nil
}

// dumpDamaged is dumpRange that goes on behind errors, which it returns by path.
func dumpDamaged(db *tickwell.DB) (oracle.Dump, map[string]error) {
	ctx := context.Background()
	d, failed := oracle.Dump{}, map[string]error{}
	list, err := db.ListSeries(ctx, "root.**")
	if err != nil {
		failed["root.**"] = err
		return d, failed
	}
	for info := range list {
		p, err := rangeSeries(ctx, db, info)
		if len(p) > 0 {
			d[info.Path()] = p
		}
		if err != nil {
			failed[info.Path()] = err
		}
	}
	return d, failed
}

// rangeSeries reads one series. What it has read before an error is returned
// with it.
func rangeSeries(ctx context.Context, db *tickwell.DB, info tickwell.SeriesInfo) (oracle.Points, error) {
	switch info.Kind {
	case tickwell.KindBool:
		return rangeOf(ctx, db, info, func(v bool) oracle.Cell { return cellOf(tickwell.BoolValue(v)) })
	case tickwell.KindInt32:
		return rangeOf(ctx, db, info, func(v int32) oracle.Cell { return cellOf(tickwell.Int32Value(v)) })
	case tickwell.KindInt64:
		return rangeOf(ctx, db, info, func(v int64) oracle.Cell { return cellOf(tickwell.Int64Value(v)) })
	case tickwell.KindFloat32:
		return rangeOf(ctx, db, info, func(v float32) oracle.Cell {
			return oracle.Cell{Kind: oracle.Float32, Bits: uint64(math.Float32bits(v))}
		})
	case tickwell.KindFloat64:
		return rangeOf(ctx, db, info, func(v float64) oracle.Cell {
			return oracle.Cell{Kind: oracle.Float64, Bits: math.Float64bits(v)}
		})
	}
	return rangeOf(ctx, db, info, oracle.TextCell)
}

func rangeOf[T tickwell.Type](ctx context.Context, db *tickwell.DB, info tickwell.SeriesInfo, cell func(T) oracle.Cell) (oracle.Points, error) {
	s, err := tickwell.SeriesOf[T](db, info.Path())
	if err != nil {
		return nil, err
	}
	points := oracle.Points{}
	last, first := int64(0), true
	for p, err := range s.Range(ctx, time.Time{}, time.Time{}) {
		if err != nil {
			return points, err
		}
		at := p.Time.UnixNano()
		if !first && at <= last {
			return points, fmt.Errorf("time %d comes after %d", at, last)
		}
		first, last = false, at
		points[at] = cell(p.Value)
	}
	return points, nil
}

// cellOf is the cell of a value. The bits of floats come through their Go
// values, which keep NaN payloads on every machine the store runs on.
func cellOf(v tickwell.Value) oracle.Cell {
	c := oracle.Cell{Kind: oracle.Kind(v.Kind())}
	switch v.Kind() {
	case tickwell.KindBool:
		if v.Bool() {
			c.Bits = 1
		}
	case tickwell.KindInt32:
		c.Bits = uint64(uint32(v.Int64()))
	case tickwell.KindInt64:
		c.Bits = uint64(v.Int64())
	case tickwell.KindText:
		c.Text = v.Text()
	}
	return c
}

// cellAt is cellOf of a vector's value, floats included.
func cellAt(data tickwell.Vector, i int) oracle.Cell {
	switch v := data.(type) {
	case tickwell.Float32s:
		return oracle.Cell{Kind: oracle.Float32, Bits: uint64(math.Float32bits(v[i]))}
	case tickwell.Float64s:
		return oracle.Cell{Kind: oracle.Float64, Bits: math.Float64bits(v[i])}
	}
	return cellOf(data.Value(i))
}

// checkPaths reads the store through every other interface and returns how the
// first of them differs from want.
func checkPaths(db *tickwell.DB, want oracle.Dump) string {
	for _, path := range []struct {
		name  string
		check func(*tickwell.DB, oracle.Dump) error
	}{
		{"rows by device", func(db *tickwell.DB, want oracle.Dump) error { return checkRows(db, want, false) }},
		{"rows backwards", func(db *tickwell.DB, want oracle.Dump) error { return checkRows(db, want, true) }},
		{"part of the range", checkParts},
		{"aggregates", checkAggregates},
		{"last values", checkLast},
	} {
		if err := path.check(db, want); err != nil {
			return path.name + ": " + err.Error()
		}
	}
	return ""
}

// devices groups the paths of a dump.
func devices(d oracle.Dump) map[string][]string {
	m := map[string][]string{}
	for _, path := range slices.Sorted(maps.Keys(d)) {
		dev := path[:strings.LastIndexByte(path, '.')]
		m[dev] = append(m[dev], path)
	}
	return m
}

func checkRows(db *tickwell.DB, want oracle.Dump, backwards bool) error {
	got := oracle.Dump{}
	for dev := range devices(want) {
		q := tickwell.Query{From: []string{dev}}
		if backwards {
			q.OrderBy = []tickwell.Order{{By: expr.Time(), Desc: true}}
		}
		res, err := db.Query(context.Background(), q)
		if err != nil {
			return err
		}
		last, first := int64(0), true
		for t, err := range res.Tablets() {
			if err != nil {
				return err
			}
			for i, at := range t.Times {
				if !first && (at <= last) != backwards {
					return fmt.Errorf("%s: time %d comes after %d", dev, at, last)
				}
				first, last = false, at
				for _, col := range t.Columns {
					if col.Nulls.Get(i) {
						continue
					}
					if got[col.Name] == nil {
						got[col.Name] = oracle.Points{}
					}
					got[col.Name][at] = cellAt(col.Data, i)
				}
			}
		}
	}
	if diff := oracle.Diff(want, got); diff != "" {
		return fmt.Errorf("%s", diff)
	}
	return nil
}

// checkParts reads the middle of each series, with edges between and on points.
func checkParts(db *tickwell.DB, want oracle.Dump) error {
	for path, points := range want {
		times := points.Times()
		from, to := times[len(times)/4], times[len(times)*3/4]+1
		part := oracle.Points{}
		for at, c := range points {
			if from <= at && at < to {
				part[at] = c
			}
		}
		res, err := db.Query(context.Background(), tickwell.Query{Select: []expr.Expr{expr.Col(path)}, Start: time.Unix(0, from), End: time.Unix(0, to)})
		if err != nil {
			return err
		}
		got := oracle.Points{}
		for t, err := range res.Tablets() {
			if err != nil {
				return err
			}
			for i, at := range t.Times {
				got[at] = cellAt(t.Columns[0].Data, i)
			}
		}
		if diff := oracle.Diff(oracle.Dump{path: part}, oracle.Dump{path: got}); diff != "" {
			return fmt.Errorf("[%d, %d) of %s", from, to, diff)
		}
	}
	return nil
}

func checkAggregates(db *tickwell.DB, want oracle.Dump) error {
	for path, points := range want {
		col := expr.Col(path)
		times := points.Times()
		first, last := points[times[0]], points[times[len(times)-1]]
		q := tickwell.Query{Select: []expr.Expr{expr.Count(col), expr.First(col), expr.Last(col), expr.Call("min_time", col), expr.Call("max_time", col)}}
		sum, size, summed := sumOf(points)
		if summed {
			q.Select = append(q.Select, expr.Sum(col))
		}
		res, err := db.Query(context.Background(), q)
		if err != nil {
			return err
		}
		all, err := res.Collect()
		if err != nil {
			return err
		}
		if len(all) != 1 || all[0].Len() != 1 {
			return fmt.Errorf("%s: no single row", path)
		}
		cols := all[0].Columns
		for i, w := range []oracle.Cell{oracle.IntCell(int64(len(points))), first, last, oracle.IntCell(times[0]), oracle.IntCell(times[len(times)-1])} {
			if got := cellAt(cols[i].Data, 0); got != w {
				return fmt.Errorf("%s is %v, want %v", cols[i].Name, got, w)
			}
		}
		if summed {
			if got := cols[5].Data.Value(0).Float64(); math.Abs(got-sum) > 1e-12*size {
				return fmt.Errorf("%s is %v, want %v", cols[5].Name, got, sum)
			}
		}
	}
	return nil
}

// sumOf adds the points in time order and their sizes. It is false where a sum
// makes no sense or is not finite.
func sumOf(points oracle.Points) (sum, size float64, ok bool) {
	for _, at := range points.Times() {
		var v float64
		switch c := points[at]; c.Kind {
		case oracle.Int32:
			v = float64(int32(c.Bits))
		case oracle.Int64:
			v = float64(int64(c.Bits))
		case oracle.Float32:
			v = float64(math.Float32frombits(uint32(c.Bits)))
		case oracle.Float64:
			v = math.Float64frombits(c.Bits)
		default:
			return 0, 0, false
		}
		if math.IsNaN(v) || math.Abs(v) > 1e300 {
			return 0, 0, false
		}
		sum, size = sum+v, size+math.Abs(v)
	}
	return sum, size, true
}

func checkLast(db *tickwell.DB, want oracle.Dump) error {
	list, err := db.Last(context.Background(), "root.**")
	if err != nil {
		return err
	}
	got := map[string]bool{}
	for _, p := range list {
		points := want[p.Path()]
		if len(points) == 0 {
			return fmt.Errorf("%s has a last value, want none", p.Path())
		}
		times := points.Times()
		at := times[len(times)-1]
		c := points[at]
		if p.Time.UnixNano() != at || !sameValue(p.Value, c) {
			return fmt.Errorf("%s: %v at %d, want %v at %d", p.Path(), p.Value, p.Time.UnixNano(), c, at)
		}
		got[p.Path()] = true
	}
	for path := range want {
		if !got[path] {
			return fmt.Errorf("%s has no last value", path)
		}
	}
	return nil
}

// sameValue compares a value with a cell, by bits.
func sameValue(v tickwell.Value, c oracle.Cell) bool {
	switch c.Kind {
	case oracle.Float32:
		return v.Equal(tickwell.Float32Value(math.Float32frombits(uint32(c.Bits))))
	case oracle.Float64:
		return v.Equal(tickwell.Float64Value(math.Float64frombits(c.Bits)))
	}
	return cellOf(v) == c
}
