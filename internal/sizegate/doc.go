// Package sizegate measures what tickwell adds to a program. It consists of
// tests only. testdata/full uses one of everything: insert, query, trigger,
// UDTF, continuous query, window; testdata/empty prints a line. Both are built
// stripped for two edge devices, and the difference must stay below a limit.
package sizegate
