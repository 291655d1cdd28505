// Command gateway sits between sensors and the rest of the world: readings come
// in over MQTT, are stored, watched by a trigger and averaged by a continuous
// query, and what these find goes out over MQTT and, if asked for, to Kafka.
//
//	go run .                                            a demonstration, with a broker in this process
//	go run . -broker host:1883 -dir /var/lib/gateway    until it is interrupted
//	go run . -broker host:1883 -kafka host:9092         the same events to Kafka as well
//
// Nothing is lost between the two sides. A reading is acknowledged to the broker
// when it is stored; what goes out is stored with it and kept until the other side
// has acknowledged it. Broker and gateway may stop and start as they like.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/vfs"
)

// settings are what the gateway is told.
type settings struct {
	broker, user string
	password     sink.Secret
	dir          string   // of the store; empty: memory
	kafka        []string // brokers; empty: none
	topic        string   // of Kafka
	client       string   // name of the gateway at the broker
}

func main() {
	log.SetFlags(0)
	s := settings{client: "gateway"}
	flag.StringVar(&s.broker, "broker", "", "MQTT broker, host:port; none: a demonstration")
	flag.StringVar(&s.user, "user", "", "user name at the broker")
	file := flag.String("password", "", "file with the password")
	flag.StringVar(&s.dir, "dir", "", "folder of the store; none: in memory")
	brokers := flag.String("kafka", "", "Kafka brokers, host:port, with commas between")
	flag.StringVar(&s.topic, "topic", "gateway", "topic of Kafka")
	flag.Parse()
	if *file != "" {
		s.password = sink.SecretFile(vfs.OS(), *file)
	}
	if *brokers != "" {
		s.kafka = strings.Split(*brokers, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		log.Fatal("gateway: ", err)
	}
}

func run(ctx context.Context, s settings, out io.Writer) error {
	if s.broker == "" {
		return demonstrate(ctx, s, out)
	}
	g, err := open(ctx, s)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return g.close(context.WithoutCancel(ctx))
}
