module github.com/tickwell/tickwell/bench/cases/windows

go 1.26.0

require (
	github.com/gammazero/deque v1.2.3
	github.com/samber/ro v0.3.0
	github.com/tickwell/tickwell v0.0.0
	github.com/tickwell/tickwell/bench v0.0.0
	github.com/zeromicro/go-zero v1.10.3
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/fatih/color v1.18.0 // indirect
	github.com/mattn/go-colorable v0.1.13 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/samber/lo v1.52.0 // indirect
	github.com/spaolacci/murmur3 v1.1.0 // indirect
	go.opentelemetry.io/otel v1.40.0 // indirect
	go.opentelemetry.io/otel/trace v1.40.0 // indirect
	go.uber.org/automaxprocs v1.6.0 // indirect
	golang.org/x/exp v0.0.0-20220303212507-bbda1eaf7a17 // indirect
	golang.org/x/sys v0.41.0 // indirect
	golang.org/x/text v0.34.0 // indirect
)

replace (
	github.com/tickwell/tickwell => ../../..
	github.com/tickwell/tickwell/bench => ../..
)
