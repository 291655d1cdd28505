// Package seed holds the promise that nothing of the documents that tickwell is
// built from gets lost. It consists of tests only.
//
// testdata/seed-items.tsv lists every hook, clause, parameter, table column,
// note and example of the documents. testdata/seed-coverage.tsv says of each
// item, by its id, what shows it; the second column is one of
//
//	TestName, ./window TestOther/case    tests, separated by commas
//	open                                 nothing yet
//	n/a: reason                          it cannot exist in a Go library, and what
//	                                     plays its role
//
// A test is named by the folder of its package and its name, or by the name
// alone if it belongs to the root package. It may be a Test, an Example with
// output, a Fuzz function (its seeds run), or a subtest.
//
// TestSeedCoverage fails if an id is missing, unknown or named twice, or if a
// named test does not exist, did not run, was skipped, or failed. To learn what
// ran it reads the events of `go test -json` from the file that
// TICKWELL_TEST_EVENTS names, as `make test` sets it. With -run-named it runs
// the named tests itself, which takes minutes (`make seed`); with neither it
// reads the test files only, which takes a second.
package seed
