module github.com/tickwell/tickwell/examples/enrich

go 1.26.0

require (
	github.com/tickwell/tickwell v0.0.0
	github.com/tickwell/tickwell/sink/kafka v0.0.0
	github.com/twmb/franz-go v1.22.2
	github.com/twmb/franz-go/pkg/kfake v0.0.0-20260918054303-01f206a7e32c
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/robfig/cron/v3 v3.0.1 // indirect
	github.com/tidwall/btree v1.8.2 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.15.0 // indirect
)

replace github.com/tickwell/tickwell => ../../

replace github.com/tickwell/tickwell/sink/kafka => ../../sink/kafka
