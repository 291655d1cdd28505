// Package tickwell is a time-series database with behaviour, inside a Go
// program: a store whose users write triggers, functions and continuous queries
// as Go code, and whose results leave through sinks.
//
// # Nouns
//
// A path is nodes joined by dots, such as root.plant.press1.temperature: its
// last node is the measurement, the rest the device. A series is a path with
// values of one kind over time. Rows of one device travel as a [Tablet].
//
// A [Trigger] is told of rows that are inserted, before or after they are
// stored. A [UDTF] or [UDAF] is a function that queries call. A
// [ContinuousQuery] computes results again and again; a [Query] is one. Both
// triggers and continuous queries may send an [Event], which a [Sink] takes out
// of the program. Package window cuts rows into windows, package expr holds the
// expressions of queries.
//
// # A first program
//
//	db, err := tickwell.Open(ctx, "data", nil) // "" keeps everything in memory
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	err = db.Insert(ctx, "root.plant.press1", time.Now(), tickwell.Float64("temperature", 21.5))
//	...
//	res, err := db.Query(ctx, tickwell.Query{From: []string{"root.plant.*"}})
//	...
//	for row, err := range res.Rows() {
//		...
//	}
//
// # Guarantees
//
// One log carries points, the state of triggers, the progress of continuous
// queries and outgoing events, so they cannot disagree after a crash. With
// [SyncInterval], the default, an acknowledged insert survives a killed process,
// and a power cut takes at most the last interval and what came during one sync;
// with [SyncAlways] it survives both. An insert, also of several tablets, is
// stored whole or not at all, and queries see it whole or not at all. An event
// leaves only when its cause is durable, and at least once; docs/sinks.md is about
// that. What is promised, and which test holds it, is in docs/guarantees.md.
//
// Every byte on disk is under a checksum: damage is an error that names where,
// never a wrong value. No panic of a trigger, function, query or sink reaches
// the program, and no lock is held while they run.
//
// # Concurrency
//
// All methods of [DB], [Writer] and [Series] are safe for concurrent use. A
// Tablet is not, and belongs to whoever made it. What callbacks are lent is
// valid only during the call.
//
// The words and rules are those of Apache IoTDB's trigger, UDF and continuous
// query frameworks where it has them; docs/DESIGN.md says where and why this
// package differs.
package tickwell
