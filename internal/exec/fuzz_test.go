package exec

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// mixed is a small store with a series of each kind, gaps between them.
func mixed() *fakeStore {
	f := newFakeStore()
	f.rows = 4
	times := func(first, step int64) (all []int64) {
		for i := range int64(8) {
			all = append(all, first+i*step)
		}
		return all
	}
	f.add("root.d", "b", times(0, 1), column.Vector{Kind: column.Bool, Bools: []bool{true, false, true, true, false, false, true, false}})
	f.add("root.d", "i", times(2, 3), column.Vector{Kind: column.Int32, Int32s: []int32{1, -2, math.MinInt32, 4, math.MaxInt32, 0, 7, 7}})
	f.add("root.d", "l", times(-4, 2), column.Vector{Kind: column.Int64, Int64s: []int64{1, math.MinInt64, 3, 4, 5, math.MaxInt64, 7, 0}})
	f.add("root.e", "f", times(0, 1), column.Vector{Kind: column.Float32, Float32s: []float32{0, 1.5, -2, 3, float32(math.NaN()), 5, 6, 7}})
	f.add("root.e", "d", times(5, 5), column.Vector{Kind: column.Float64, Float64s: []float64{0, math.Inf(1), -2, 3, math.NaN(), 5, 6, 7}})
	f.add("root.e", "t", times(0, 1), column.Vector{Kind: column.Text, Texts: []string{"", "a", "b", "2.5", "true", "a", "", "ä"}})
	return f
}

// Whatever a query holds, it is refused or answered: it never panics, and it
// leaves no cursor open.
func FuzzQuery(f *testing.F) {
	c := expr.Col
	seeds := []expr.Expr{
		c("*"), c("i").Add(c("l")).Gt(3), expr.Avg(c("i")), expr.Call("top_k", c("i")).With("k", "2"), c("t").Like("a%"),
		expr.Call("m4", c("i")).With("windowSize", "3"), expr.Count(c("*")).Gt(1), expr.Case(c("b"), c("i"), 3).Cast("text"),
		expr.Call("substring", c("t"), c("d"), c("i")), expr.Call("diff", expr.Max(c("i"))), c("b").And(c("b").IsNull()),
		expr.Call("difference", c("f")).Add(c("d")), expr.Call("count_time", c("*")), c("__endTime"), expr.Time().Ge(3),
		expr.Call("round", c("d"), c("l")), expr.Call("count_if", c("b")).With("keep", ">1"), expr.Call("max_by", c("t"), c("d")),
		expr.Call("const", c("i")).With("value", "x").With("type", "int32"), c("d").Cast("int32"), c("l").In(c("i"), 2, nil),
	}
	for i, e := range seeds {
		for j, o := range seeds {
			if (i+j)%5 == 0 {
				f.Add(e.AppendBinary(nil), o.AppendBinary(nil), uint32(i*37+j*1001))
			}
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte, flags uint32) {
		x, _, err := expr.Decode(a)
		if err != nil {
			return
		}
		y, _, err := expr.Decode(b)
		if err != nil {
			return
		}
		store := mixed()
		q := Query{Select: []expr.Expr{x}, From: []string{"root.*"}, Start: math.MinInt64, End: math.MaxInt64, Zone: time.UTC}
		bit := func(n uint) bool { return flags>>n&1 != 0 }
		if bit(0) {
			q.Where = y
		}
		if bit(1) {
			q.Having = y
		}
		if bit(2) {
			q.OrderBy = []Order{{By: y, Desc: bit(3), NullsFirst: bit(4)}}
		}
		q.Group.Kind = GroupKind(flags >> 5 & 7)
		q.Group.By, q.Group.Delta, q.Group.Size, q.Group.KeepNulls = y, float64(flags>>8&3), int(flags>>10&3), bit(12)
		q.Group.Interval = Span{NS: int64(flags >> 13 & 7)}
		if bit(16) {
			q.Start, q.End = -3, 20
		}
		q.Fill.Kind = FillKind(flags >> 17 & 3)
		if q.Fill.Kind == FillValue {
			constCell(&Col{}, 1)
			q.Fill.Value = column.Vector{Kind: column.Int64, Int64s: []int64{3}}
		}
		q.ByDevice, q.NoAlign, q.Last = bit(19), bit(20), bit(21)
		if bit(22) {
			q.Levels = []int{1}
		}
		q.Limit, q.Offset = int(flags>>23&7), int(flags>>26&3)
		q.SLimit, q.SOffset = int(flags>>28&3), int(flags>>30&3)
		q.Budget = 1 << 16
		plan, err := Prepare(&q, store, nil)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r := plan.Start(ctx, store, nil)
		rows := 0
		for {
			tab, err := r.Next()
			if err != nil || tab == nil || rows > 10000 {
				break
			}
			rows += tab.Len()
			for i := range tab.Cols {
				if c := &tab.Cols[i]; c.Kind != tab.Columns[i].Kind && c.Kind != column.Null {
					t.Fatalf("column %s is %s, planned %s", tab.Columns[i].Name, c.Kind, tab.Columns[i].Kind)
				} else if c.Kind != column.Null && c.Len() != tab.Len() {
					t.Fatalf("column %s has %d cells for %d rows", tab.Columns[i].Name, c.Len(), tab.Len())
				}
			}
		}
		r.Close()
		if store.open != 0 {
			t.Fatalf("%d cursors left open", store.open)
		}
	})
}
