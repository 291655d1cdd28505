// Package udflib is a library of functions for the quality, the shape and the
// repair of time series: the eight groups of the data-quality library that the
// IoTDB documents name. None of it is built in: [Register] makes the functions
// of a store known to its queries, all or by group, and [Specs] gives them for
// Options.Functions, and [Classes] for CREATE FUNCTION. docs/functions.md has a table of them with examples.
//
// Every function is written against the public contracts of package tickwell,
// as a user's would be. What gives one value is an aggregate ([tickwell.UDAF]),
// so that it works in groups and in continuous queries; what gives a series is
// a [tickwell.UDTF].
//
// # Conventions
//
// Where the documents give a single value at time 0, an aggregate gives it in
// its row. Where they number points by timestamps that mean nothing, point i is
// at i milliseconds after the Unix epoch. Integers are computed with as
// float64. NaN and infinities in the input are left out unless the function
// says otherwise. Functions whose name tickwell has built in are not registered
// again; [Function].BuiltIn says what answers for them.
//
// An attribute that a function does not know is an error, as is a value it
// cannot use. Functions that need their whole input hold it in memory, 16 bytes
// a point and input.
package udflib
