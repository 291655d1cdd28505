package exec

import (
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// Query is what to read. The root package's Query documents the fields.
type Query struct {
	Select     []expr.Expr
	From       []string
	Where      expr.Expr
	Start, End int64 // [Start, End); the extremes of int64: open
	Group      Group
	Levels     []int
	Having     expr.Expr
	Fill       Fill
	OrderBy    []Order
	Limit      int // 0: none
	Offset     int
	SLimit     int // 0: none
	SOffset    int
	ByDevice   bool
	NoAlign    bool
	Last       bool
	Zone       *time.Location
	// Unit is what expressions count time in, and functions take it in: 0 is a
	// nanosecond.
	Unit int64

	// Exact forbids answers from block statistics for sums of floats, so that
	// computing a window again gives the same bits.
	Exact bool
	// Stored lets aggregates be answered from where they are stored, if the
	// Source has Levels; Plan.Aggregates tells what they are.
	Stored bool
	// Budget bounds the bytes that functions and sorting may hold; 0 is
	// DefaultBudget.
	Budget int64
}

// DefaultBudget is the memory a query may hold, as the documents' key
// udf_memory_budget_in_mb has it.
const DefaultBudget = 30 << 20

// GroupKind says how rows are grouped.
type GroupKind uint8

// The kinds of groups.
const (
	GroupNone GroupKind = iota
	GroupTime
	GroupVariation
	GroupCondition
	GroupSession
	GroupCount
)

// Group is a GROUP BY clause.
type Group struct {
	Kind      GroupKind
	Interval  Span      // time: length; session: gap in NS
	Step      Span      // time: zero is Interval
	LeftOpen  bool      // time: (start, end], named by its end
	By        expr.Expr // variation, condition, count
	Delta     float64   // variation
	Keep      Keep      // condition
	Size      int       // count
	KeepNulls bool      // ignoreNull = false
}

// Span is a length of time: calendar months and nanoseconds.
type Span struct {
	Months int
	NS     int64
}

// IsZero reports whether s has no length.
func (s Span) IsZero() bool { return s == Span{} }

// Keep compares the number of rows of a group with N; the zero Keep keeps all.
type Keep struct {
	Op expr.Op // OpEq OpNe OpLt OpLe OpGt OpGe, OpNone: keep all
	N  int64
}

// FillKind says how nulls of the result are filled.
type FillKind uint8

// The kinds of fill.
const (
	FillNone FillKind = iota
	FillPrevious
	FillLinear
	FillValue
)

// Fill is a FILL clause; Value is one cell for FillValue.
type Fill struct {
	Kind  FillKind
	Value column.Vector
}

// Order is one key of ORDER BY.
type Order struct {
	By         expr.Expr
	Desc       bool
	NullsFirst bool
}

// Column describes a column of the result.
type Column struct {
	Name   string
	Kind   column.Kind
	Const  bool    // of the input of an aggregate: it has the same value in every row
	Source *Series // of a column that is a series as stored, else nil
}
