package tickwell

import (
	"time"

	"github.com/tickwell/tickwell/expr"
)

// Query describes a read. It is a plain value; the zero value of each clause
// means that the clause is absent. Only Select or From must be given. A Query
// is also a [ContinuousQuery], which sets Start and End at each run.
//
// The clauses and their rules are those of Apache IoTDB's SELECT.
type Query struct {
	// Select lists the result columns, see package expr. Names without dots are
	// looked up below each of From; wildcards make one column per series, in
	// the order in which the series were created. Empty: expr.Col("*").
	Select []expr.Expr
	// From lists devices or patterns of devices, such as "root.ln.wf01.wt01",
	// "root.ln.*.wt01" or "root.**". Empty: the columns are whole paths.
	From []string
	// Where keeps the rows for which it is true. A row is the values of all
	// series of the query (of one device, with AlignByDevice) at one time.
	Where expr.Expr
	// Start and End limit rows to Start <= time < End. Zero: open. An End before
	// Start is an error, as for Delete; where they are equal there are no rows.
	Start, End time.Time

	// GroupBy folds groups of rows by the aggregates of Select. Nil with
	// aggregates: all rows are one group, and the result is one row, at the
	// time 0 of the Unix epoch.
	GroupBy GroupBy
	// Levels folds series together whose paths agree in the nodes of these
	// numbers (root is 0); the other nodes print as *.
	Levels []int
	// Having keeps the groups for which it is true.
	Having expr.Expr
	// Fill replaces nulls of the result.
	Fill Fill
	// OrderBy sorts the result. Default: by time, with AlignByDevice by device
	// and time.
	OrderBy []Order
	// Limit and Offset cut the rows of the result. Limit 0: no limit.
	Limit, Offset int
	// SeriesLimit and SeriesOffset cut its columns (SLIMIT, SOFFSET). SeriesLimit
	// 0: no limit.
	SeriesLimit, SeriesOffset int

	// AlignByDevice gives the rows of each device separately: tablets carry the
	// device, columns are measurements.
	AlignByDevice bool
	// DisableAlign gives each column separately, with its own times and no
	// nulls put in.
	DisableAlign bool
	// Last gives the newest point of each series: one row of the text columns
	// Timeseries, Value and DataType per series.
	Last bool
	// Zone names the time zone of natural months. Default UTC.
	Zone string
	// TimeUnit is what expressions count time in: expr.Time, min_time, __endTime,
	// the times and durations that functions take and give. Default and least:
	// a nanosecond. Times of rows are not concerned, nor are constants made of a
	// time.Time or time.Duration: they are nanoseconds, so with another unit
	// compare expr.Time with a number.
	TimeUnit time.Duration

	// Into writes the result: each column to a target, by position or by
	// template. The rows are written as one atomic insert.
	Into []Target

	// Rollups lets windows of GROUP BY time, and the one window of a query
	// without GROUP BY that has Start and End, be put together from results of
	// incremental continuous queries, the coarsest that are exact: that write
	// the same aggregate of the same series under the same Where (or, count and
	// sum for an average of integers; one of them may read the results of
	// another), without Having. Counts, sums of integers, extremes, first and
	// last values and times are put together from smaller windows; sums and
	// averages of floats, which would be rounded differently, and all others are
	// taken from windows of the same length only. What is not computed yet, or
	// dirty, or not there, is read from rows.
	//
	// The answer has the bits that folding the rows in the order of time gives.
	// Where rows have expired, it is what they gave before. It has no effect
	// with Levels, with other groups, and in a continuous query.
	// The build tag tickwell_small leaves it out.
	Rollups bool

	// AllowDamaged leaves out what cannot be read of damaged files, instead of
	// failing with ErrDamaged; [Result.Damage] tells what was left out. Points that
	// newer, damaged ones had overwritten may show again. Windows that are
	// answered from [Query.Rollups] or statistics are whole all the same. It has no
	// effect in a continuous query.
	AllowDamaged bool

	// exact asks for the same bits whenever a window is computed again.
	exact bool
}

// GroupBy is a GROUP BY clause: [GroupByTime], [GroupByVariation],
// [GroupByCondition], [GroupBySession] or [GroupByCount].
type GroupBy interface{ groupBy() }

// GroupByTime cuts [Query.Start, Query.End) into windows of Interval that begin
// every Step, counted from Start. Each window is a row at the time of its
// start, also when it is empty. Both times must be given, except in a
// continuous query.
type GroupByTime struct {
	Interval time.Duration
	Step     time.Duration // 0: Interval
	// IntervalMonths and StepMonths are natural months in Query.Zone, instead
	// of Interval and Step: January 31 + 1 month is the last day of February.
	IntervalMonths, StepMonths int
	// LeftOpen makes windows (start, end], and rows carry the end.
	LeftOpen bool
}

// GroupByVariation begins a group where By differs from its first value in the
// group by more than Delta; with Delta 0 where it is not equal.
type GroupByVariation struct {
	By    expr.Expr
	Delta float64
	// KeepNulls gives runs of rows in which By is null groups of their own
	// (ignoreNull=false). Default: such rows are left out.
	KeepNulls bool
}

// GroupByCondition makes each run of rows for which By is true a group, if KeepOp
// and KeepN allow its number of rows.
type GroupByCondition struct {
	By expr.Expr
	// KeepOp compares the number of rows with KeepN: expr.OpGe and 3 keep runs of
	// three rows or more. Default: all runs.
	KeepOp expr.Op
	KeepN  int64
	// KeepNulls lets a row in which By is null end the run (ignoreNull=false).
	// Default: such rows are left out.
	KeepNulls bool
}

// GroupBySession makes a group of rows that follow each other by at most Gap.
type GroupBySession struct{ Gap time.Duration }

// GroupByCount makes a group of each Size rows in which By is not null. A last
// group of fewer rows is left out.
type GroupByCount struct {
	By   expr.Expr
	Size int
	// KeepNulls counts rows in which By is null too (ignoreNull=false).
	KeepNulls bool
}

func (GroupByTime) groupBy()      {}
func (GroupByVariation) groupBy() {}
func (GroupByCondition) groupBy() {}
func (GroupBySession) groupBy()   {}
func (GroupByCount) groupBy()     {}

// Fill is a FILL clause; one of its fields is set. It works on the finished
// rows in their order, for each device by itself.
type Fill struct {
	// Previous repeats the last value that is not null.
	Previous bool
	// Linear lays a line through the neighbours, weighted by time; numeric
	// columns only.
	Linear bool
	// Value replaces nulls of columns it suits: a boolean fills Bool and Text,
	// an integer every number and Text, a float Float32, Float64 and Text, a
	// text only Text.
	Value Value
}

// Order is one key of ORDER BY: expr.Time(), expr.Device() with
// Query.AlignByDevice, or any expression that Select could hold.
type Order struct {
	By         expr.Expr // what rows are compared by
	Desc       bool      // largest first
	NullsFirst bool      // default: nulls last
}

// Target is an item of INTO. Device and Columns may hold placeholders that are
// taken from the path of the source series: "${2}" is its node 2 (root is 0),
// and "::" as the last node of Device stands for the rest of the source device,
// as a column for the source measurement: in a query of raw columns, and in
// Device in one with AlignByDevice. Without placeholders, the columns of
// all items together match the columns of the result by position.
type Target struct {
	Device  string
	Columns []string
}
