// Package expr builds the expressions of queries as plain values: what to
// select, what to filter by, what to order by.
//
//	expr.Avg(expr.Col("temperature")).As("avg")
//	expr.Col("speed").Gt(3).And(expr.Col("status").Eq("ok"))
//	expr.Call("multiplier", expr.Col("s2")).With("a", "2")
//
// An [Expr] is immutable, holds no functions, and can be stored and compared
// by its encoding, so a definition that contains one (a continuous query) can
// be listed, saved and found again. Nothing is resolved here: names, kinds and
// functions are checked when a query is planned.
//
// Operands are given as any: an Expr stands for itself, a bool, integer,
// float, string, time.Time or time.Duration for a constant (times and
// durations as Unix nanoseconds). Any other type makes an expression whose
// [Expr.Err] says so, which planning a query returns.
//
// The meaning of every operator follows Apache IoTDB's query language:
// arithmetic yields float64, an operand that is null makes the result null
// except for IS NULL, and AND, OR and NOT are three-valued. What CASE, AND and OR
// do not need for a row cannot fail for it: a condition guards a CAST.
package expr
