module github.com/tickwell/tickwell/bench/peers/tstorage

go 1.26.0

require (
	github.com/tickwell/tickwell/bench v0.0.0
	github.com/nakabonne/tstorage v0.3.6
)

replace github.com/tickwell/tickwell/bench => ../..
