// Package driver lets programs use a tickwell store through database/sql, in the
// SQL of package iotsql.
//
//	sql.Register("tickwell", &driver.Driver{}) // once, in main
//	db, err := sql.Open("tickwell", "data?precision=us&zone=Europe/Berlin")
//	rows, err := db.QueryContext(ctx, "SELECT temperature FROM root.ln.wf01.wt01 WHERE time > ?", since)
//
// A program that has opened its store already, for its triggers, say, gives it to
// [NewConnector] and sql.OpenDB. Importing this package registers nothing.
//
// # Data source names
//
// A name is a folder, or "memory" for a store of its own in memory, and then
// parameters as in a URL:
//
//	precision  ms (default), us or ns: what times that are integers count
//	zone       the time zone of times without one, of natural months, and of the
//	           times that are returned; default UTC
//	time       "time" (default): the column Time is a time.Time; "int": an integer
//	           in the precision
//	sync       always, never, or a duration: how often the log is forced to disk;
//	           default 1s
//	readonly   true: the store as it is now, also beside a program that writes
//
// All connections of a sql.DB share the store, which is opened by the first and
// closed by sql.DB.Close. A second sql.DB of the same folder gets ErrLocked.
//
// # Statements
//
// Parameters are ?, ?2 and :name (sql.Named). Prepared statements are checked when
// they are prepared. Query takes several statements, separated by semicolons, if
// there are no arguments: each that answers is a result set. RowsAffected is the
// number of rows inserted.
//
// There are no transactions: Begin fails. One INSERT of many rows is atomic.
//
// # Values
//
// BOOLEAN is bool, INT32 and INT64 are int64, FLOAT and DOUBLE are float64, TEXT
// is string, TIMESTAMP is time.Time, and null is nil. ColumnTypes tells the
// documents' names, and the narrower Go types.
package driver
