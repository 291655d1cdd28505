module github.com/tickwell/tickwell/bench/peers/sqlitemattn

go 1.26.0

require (
	github.com/tickwell/tickwell/bench v0.0.0
	github.com/mattn/go-sqlite3 v1.14.52
)

replace github.com/tickwell/tickwell/bench => ../..
