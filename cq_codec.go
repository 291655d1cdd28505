package tickwell

import (
	"fmt"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
)

// The stored definition of a continuous query is a version byte, the fields of
// its CQSpec in order, and then, if the query is a Query, 1 and its fields, or
// else 0. Numbers are varints, texts and lists have their length before them.
const cqVersion = 1

// encodeCQ is the inverse of decodeCQ.
func encodeCQ(s *CQSpec) []byte {
	b := appendText(appendText([]byte{cqVersion}, s.Name), s.Text)
	b = appendTime(appendInt(b, int64(s.Every)), s.Boundary)
	b = appendText(appendInt(appendInt(b, int64(s.StartOffset)), int64(s.EndOffset)), s.Cron)
	b = appendInt(b, int64(s.Policy))
	b = appendInt(appendInt(b, int64(s.Lateness)), int64(s.IdleTimeout))
	b = appendTime(appendTime(appendBool(b, s.OnChange), s.Origin), s.From)
	b = appendTexts(appendBool(b, s.AtEnd), s.Sinks)
	q, ok := s.Query.(Query)
	b = appendBool(b, ok)
	if ok {
		b = appendQuery(b, &q)
	}
	return b
}

func appendQuery(b []byte, q *Query) []byte {
	b = appendUint(b, uint64(len(q.Select)))
	for _, e := range q.Select {
		b = appendExpr(b, e)
	}
	b = appendExpr(appendTexts(b, q.From), q.Where)
	b = appendGroupBy(b, q.GroupBy)
	b = appendUint(b, uint64(len(q.Levels)))
	for _, l := range q.Levels {
		b = appendInt(b, int64(l))
	}
	b = appendExpr(b, q.Having)
	b = appendBool(appendBool(b, q.Fill.Previous), q.Fill.Linear)
	b = append(b, byte(q.Fill.Value.kind))
	b = appendText(appendWord(b, q.Fill.Value.num), q.Fill.Value.str)
	b = appendUint(b, uint64(len(q.OrderBy)))
	for _, o := range q.OrderBy {
		b = appendBool(appendBool(appendExpr(b, o.By), o.Desc), o.NullsFirst)
	}
	for _, n := range []int{q.Limit, q.Offset, q.SeriesLimit, q.SeriesOffset} {
		b = appendInt(b, int64(n))
	}
	b = appendBool(appendBool(appendBool(b, q.AlignByDevice), q.DisableAlign), q.Last)
	b = appendInt(appendText(b, q.Zone), int64(q.TimeUnit))
	b = appendUint(b, uint64(len(q.Into)))
	for _, t := range q.Into {
		b = appendTexts(appendText(b, t.Device), t.Columns)
	}
	return b
}

// The kinds of GROUP BY in a stored definition.
const (
	cqNoGroup = iota
	cqGroupTime
	cqGroupVariation
	cqGroupCondition
	cqGroupSession
	cqGroupCount
)

func appendGroupBy(b []byte, g GroupBy) []byte {
	switch g := g.(type) {
	case GroupByTime:
		b = appendInt(appendInt(append(b, cqGroupTime), int64(g.Interval)), int64(g.Step))
		return appendBool(appendInt(appendInt(b, int64(g.IntervalMonths)), int64(g.StepMonths)), g.LeftOpen)
	case GroupByVariation:
		v := Float64Value(g.Delta)
		return appendBool(appendWord(appendExpr(append(b, cqGroupVariation), g.By), v.num), g.KeepNulls)
	case GroupByCondition:
		return appendBool(appendInt(appendInt(appendExpr(append(b, cqGroupCondition), g.By), int64(g.KeepOp)), g.KeepN), g.KeepNulls)
	case GroupBySession:
		return appendInt(append(b, cqGroupSession), int64(g.Gap))
	case GroupByCount:
		return appendBool(appendInt(appendExpr(append(b, cqGroupCount), g.By), int64(g.Size)), g.KeepNulls)
	}
	return append(b, cqNoGroup)
}

func appendExpr(b []byte, e expr.Expr) []byte {
	if e.IsZero() {
		return append(b, 0)
	}
	return e.AppendBinary(append(b, 1))
}

// decodeCQ reads a stored definition. Query is nil if it was not a Query.
func decodeCQ(src []byte) (CQSpec, error) {
	r := cqReader{wireReader{codec.Reader{Src: src}}}
	if v := r.Byte(); v != cqVersion {
		return CQSpec{}, fmt.Errorf("continuous query of version %d: %w", v, errs.Corrupt)
	}
	s := CQSpec{Name: r.Text(), Text: r.Text(), Every: r.duration(), Boundary: r.time(), StartOffset: r.duration(), EndOffset: r.duration(),
		Cron: r.Text(), Policy: TimeoutPolicy(r.Varint()), Lateness: r.duration(), IdleTimeout: r.duration(),
		OnChange: r.bool(), Origin: r.time(), From: r.time(), AtEnd: r.bool(), Sinks: r.texts()}
	if r.bool() {
		s.Query = r.query()
	}
	if r.Bad || len(r.Src) != 0 {
		return CQSpec{}, fmt.Errorf("definition of a continuous query of %d bytes makes no sense: %w", len(src), errs.Corrupt)
	}
	return s, nil
}

// cqReader is a wireReader of queries.
type cqReader struct{ wireReader }

func (r *cqReader) expr() expr.Expr {
	if !r.bool() {
		return expr.Expr{}
	}
	e, rest, err := expr.Decode(r.Src)
	if err != nil {
		r.Bad, r.Src = true, nil
		return expr.Expr{}
	}
	r.Src = rest
	return e
}

func (r *cqReader) query() Query {
	var q Query
	for range r.Count(1) {
		q.Select = append(q.Select, r.expr())
	}
	q.From, q.Where = r.texts(), r.expr()
	q.GroupBy = r.groupBy()
	for range r.Count(1) {
		q.Levels = append(q.Levels, r.number())
	}
	q.Having = r.expr()
	q.Fill.Previous, q.Fill.Linear = r.bool(), r.bool()
	q.Fill.Value.kind = Kind(r.Byte())
	q.Fill.Value.num, q.Fill.Value.str = r.Uint64(), r.Text()
	if q.Fill.Value.kind > KindText {
		r.Bad = true
	}
	for range r.Count(3) {
		q.OrderBy = append(q.OrderBy, Order{By: r.expr(), Desc: r.bool(), NullsFirst: r.bool()})
	}
	q.Limit, q.Offset, q.SeriesLimit, q.SeriesOffset = r.number(), r.number(), r.number(), r.number()
	q.AlignByDevice, q.DisableAlign, q.Last, q.Zone = r.bool(), r.bool(), r.bool(), r.Text()
	q.TimeUnit = r.duration()
	for range r.Count(2) {
		q.Into = append(q.Into, Target{Device: r.Text(), Columns: r.texts()})
	}
	return q
}

func (r *cqReader) groupBy() GroupBy {
	switch r.Byte() {
	case cqNoGroup:
	case cqGroupTime:
		return GroupByTime{Interval: r.duration(), Step: r.duration(), IntervalMonths: r.number(), StepMonths: r.number(), LeftOpen: r.bool()}
	case cqGroupVariation:
		by, delta := r.expr(), Value{kind: KindFloat64, num: r.Uint64()}
		return GroupByVariation{By: by, Delta: delta.Float64(), KeepNulls: r.bool()}
	case cqGroupCondition:
		return GroupByCondition{By: r.expr(), KeepOp: expr.Op(r.Varint()), KeepN: r.Varint(), KeepNulls: r.bool()}
	case cqGroupSession:
		return GroupBySession{Gap: r.duration()}
	case cqGroupCount:
		return GroupByCount{By: r.expr(), Size: r.number(), KeepNulls: r.bool()}
	default:
		r.Bad = true
	}
	return nil
}
