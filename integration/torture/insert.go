package torture

import (
	"context"
	"math"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/oracle"
)

// The ways to insert. The single-row ones are used where the call has one row of
// one tablet without nulls.
const (
	viaTablets = iota
	viaTablet
	viaRow
	viaWriter
	viaWriterTablet
	viaSeries
	ways
)

func (w *World) insert(ctx context.Context, c *oracle.Call) error {
	tablets := make([]*tickwell.Tablet, len(c.Tablets))
	nulls := false
	for i := range c.Tablets {
		tablets[i] = tabletOf(&c.Tablets[i])
		for _, col := range tablets[i].Columns {
			nulls = nulls || col.Nulls != nil
		}
	}
	if c.Durable {
		_, err := w.db.Write(ctx, tickwell.WriteOptions{Durable: true}, tablets...)
		return err
	}
	via := int(c.Via) % ways
	t := tablets[0]
	single := len(tablets) == 1 && len(t.Times) == 1 && !nulls
	switch {
	case via == viaTablet && len(tablets) == 1:
		return w.db.InsertTablet(ctx, t)
	case via == viaRow && single:
		fields := make([]tickwell.Field, len(t.Columns))
		for i, col := range t.Columns {
			fields[i] = tickwell.Field{Name: col.Name, Value: col.Data.Value(0)}
		}
		return w.db.Insert(ctx, t.Device, time.Unix(0, t.Times[0]), fields...)
	case via == viaWriter && single, via == viaWriterTablet && len(tablets) == 1:
		columns := make([]tickwell.ColumnInfo, len(t.Columns))
		values := make([]tickwell.Value, len(t.Columns))
		for i, col := range t.Columns {
			columns[i] = tickwell.ColumnInfo{Name: col.Name, Kind: col.Data.Kind()}
		}
		wr, err := w.db.Writer(t.Device, columns...)
		if err != nil {
			return err
		}
		if via == viaWriterTablet {
			return wr.InsertTablet(ctx, t)
		}
		for i, col := range t.Columns {
			values[i] = col.Data.Value(0)
		}
		return wr.Insert(ctx, time.Unix(0, t.Times[0]), values...)
	case via == viaSeries && single && len(t.Columns) == 1:
		return insertPoint(ctx, w.db, t.Device+"."+t.Columns[0].Name, t.Times[0], t.Columns[0].Data)
	}
	return w.db.InsertTablets(ctx, tablets...)
}

func insertPoint(ctx context.Context, db *tickwell.DB, path string, at int64, v tickwell.Vector) error {
	switch v := v.(type) {
	case tickwell.Bools:
		return pointOf(ctx, db, path, at, v[0])
	case tickwell.Int32s:
		return pointOf(ctx, db, path, at, v[0])
	case tickwell.Int64s:
		return pointOf(ctx, db, path, at, v[0])
	case tickwell.Float32s:
		return pointOf(ctx, db, path, at, v[0])
	case tickwell.Float64s:
		return pointOf(ctx, db, path, at, v[0])
	}
	return pointOf(ctx, db, path, at, v.(tickwell.Texts)[0])
}

func pointOf[T tickwell.Type](ctx context.Context, db *tickwell.DB, path string, at int64, v T) error {
	s, err := tickwell.SeriesOf[T](db, path)
	if err != nil {
		return err
	}
	return s.Insert(ctx, time.Unix(0, at), v)
}

// tabletOf translates a tablet of the oracle.
func tabletOf(t *oracle.Tablet) *tickwell.Tablet {
	out := &tickwell.Tablet{Device: t.Device, Times: t.Times}
	for _, col := range t.Columns {
		c := tickwell.Column{Name: col.Name}
		for i, cell := range col.Cells {
			if cell.Kind == oracle.Null {
				c.Nulls.Set(i)
			}
		}
		switch col.Kind {
		case oracle.Bool:
			c.Data = tickwell.Bools(cells(col.Cells, func(c oracle.Cell) bool { return c.Bits == 1 }))
		case oracle.Int32:
			c.Data = tickwell.Int32s(cells(col.Cells, func(c oracle.Cell) int32 { return int32(c.Bits) }))
		case oracle.Int64:
			c.Data = tickwell.Int64s(cells(col.Cells, func(c oracle.Cell) int64 { return int64(c.Bits) }))
		case oracle.Float32:
			c.Data = tickwell.Float32s(cells(col.Cells, func(c oracle.Cell) float32 { return math.Float32frombits(uint32(c.Bits)) }))
		case oracle.Float64:
			c.Data = tickwell.Float64s(cells(col.Cells, func(c oracle.Cell) float64 { return math.Float64frombits(c.Bits) }))
		default:
			c.Data = tickwell.Texts(cells(col.Cells, func(c oracle.Cell) string { return c.Text }))
		}
		out.Columns = append(out.Columns, c)
	}
	return out
}

func cells[T any](in []oracle.Cell, f func(oracle.Cell) T) []T {
	out := make([]T, len(in))
	for i, c := range in {
		out[i] = f(c)
	}
	return out
}
