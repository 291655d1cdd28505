module github.com/tickwell/tickwell/bench/peers/tickwell

go 1.26.0

require (
	github.com/tickwell/tickwell v0.0.0
	github.com/tickwell/tickwell/bench v0.0.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/robfig/cron/v3 v3.0.1 // indirect
	github.com/tidwall/btree v1.8.2 // indirect
)

replace (
	github.com/tickwell/tickwell => ../../..
	github.com/tickwell/tickwell/bench => ../..
)
