// Package iotsql runs statements of the Apache IoTDB dialect of SQL on a
// tickwell store: the statements of the documents, word by word, and what
// belongs to them.
//
//	conn, err := iotsql.New(db, nil)
//	res, err := conn.Exec(ctx, "SELECT max_value(temperature) FROM root.ln.*.* GROUP BY ([0, 3600000), 10m)")
//	for row, err := range res.Rows() { … }
//
// It builds the values of the root package (Query, CQSpec, TriggerSpec, rows)
// and calls the DB with them; it has no power of its own, so whatever a
// statement does, Go code can do, and Options.Authorize is asked the same.
//
// # What is different from Go
//
// Every path begins with root. Times are integers in the precision of the
// connection (milliseconds, unless [Options.Precision] says otherwise) or
// literals such as 2021-05-11T22:18:14.598+08:00; one without zone is meant in
// the zone of the connection. A series that does not exist is made by INSERT,
// with a kind inferred from the literal as IoTDB does: true and false give
// BOOLEAN, numbers FLOAT, integers beyond 2^24 and NaN DOUBLE, texts TEXT.
//
// # Statements
//
//	CREATE [STATELESS | STATEFUL] TRIGGER, DROP / START / STOP TRIGGER, SHOW TRIGGERS
//	CREATE / DROP FUNCTION, SHOW FUNCTIONS
//	CREATE / DROP CONTINUOUS QUERY (CQ), SHOW CONTINUOUS QUERIES (CQS)
//	CREATE / DELETE TIMESERIES, SHOW TIMESERIES, SHOW DEVICES, SHOW CHILD PATHS / NODES
//	CREATE / DELETE DATABASE (STORAGE GROUP), SHOW DATABASES, COUNT …
//	SET / UNSET / SHOW TTL
//	INSERT, DELETE, SELECT … [INTO …], EXPLAIN SELECT
//
// Keywords and function names may be written in any case. A name that is no
// plain word is put in backquotes; a backquote inside is doubled. Comments are
// -- to the end of the line and /* … */.
//
// # Parameters
//
// A literal may be given as ?, ?2 or :name; its value is an argument of
// [Conn.Exec] and never becomes text. Times are bound as time.Time, everything
// else as the Go type of its kind.
package iotsql
