module github.com/tickwell/tickwell/integration

go 1.26.0

require (
	github.com/eclipse/paho.golang v0.23.0
	github.com/eclipse/paho.mqtt.golang v1.5.1
	github.com/tickwell/tickwell v0.0.0
	github.com/tickwell/tickwell/sink/kafka v0.0.0
	github.com/tickwell/tickwell/sink/mqtt v0.0.0
	github.com/tickwell/tickwell/sink/smtp v0.0.0-00010101000000-000000000000
	github.com/twmb/franz-go v1.22.2
	github.com/twmb/franz-go/pkg/kmsg v1.15.0
	github.com/wneessen/go-mail v0.8.1
	golang.org/x/crypto v0.54.0
)

require (
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/robfig/cron/v3 v3.0.1 // indirect
	github.com/tidwall/btree v1.8.2 // indirect
	golang.org/x/net v0.56.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)

replace github.com/tickwell/tickwell => ../

replace github.com/tickwell/tickwell/sink/kafka => ../sink/kafka

replace github.com/tickwell/tickwell/sink/mqtt => ../sink/mqtt

replace github.com/tickwell/tickwell/sink/smtp => ../sink/smtp
