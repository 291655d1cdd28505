// Package kafka has a sink that sends events to a topic of Apache Kafka, or of
// anything that speaks its protocol (Confluent Platform and Cloud, Redpanda).
//
// Each event is one record: its value is the event's row as one JSON document,
// its key the series, so that the events of a series lie in one partition in the
// order of the log. Headers carry the event's ID, its source and the content
// type. The producer is idempotent and waits for all replicas in sync.
//
// Delivery is at least once. While a program runs, records that a broker did not
// answer for are waited for and never sent as new ones, so an outage of brokers
// makes no repetitions; after a restart of the program the newest records may
// come again, with the same ID.
//
// What a broker's answer means:
//
//	written                            accepted
//	too large, invalid record or time  the event is given up (tickwell.SinkSpec.DeadLetter)
//	unknown topic                      the topic is looked for, or made, again
//	wrong credentials, not authorized  tried again with the secrets read anew
//	anything else, or none             tried again; the record keeps its place
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// Sink sends events to a topic. Set the fields before it is added to a store and
// leave them alone from then on. It prints without secrets.
type Sink struct {
	// Brokers are where to ask for the cluster, host:port or host for port 9092.
	// One that answers is enough.
	Brokers []string
	// Topic is where records go. It must exist unless Create is set.
	Topic string
	// Create makes the topic if it does not exist. Nil: it is an error, which is
	// tried again.
	Create *NewTopic

	// Mechanism is how to authenticate: Plain, SCRAM256, SCRAM512 (each with User
	// and Password) or OAuth (with Token). Default: not at all, and OAuth if there
	// is a Token. Secrets are read for each new connection.
	Mechanism Mechanism
	User      string
	Password  sink.Secret
	Token     sink.Secret
	// Extensions go with the Token, such as logicalCluster and identityPoolId of
	// Confluent Cloud.
	Extensions map[string]string
	// TLS, if set, is used for all connections; an empty one trusts the system's
	// authorities. It may hold client certificates (mutual TLS). Less than TLS 1.2
	// is never spoken.
	TLS *tls.Config
	// ClearText allows Plain and OAuth without TLS, where everyone on the way can
	// read the secret.
	ClearText bool

	// Body is the template ([sink.Template]) of a record's value. Empty: the
	// event's row as of [sink.AppendRowJSON]; all of the event as of
	// [sink.AppendJSON] if Whole is set or it has no fields.
	Body  string
	Whole bool
	// Template has the options of Body. JSON is set if ContentType says so.
	Template sink.TemplateOptions
	// ContentType is the header content-type of records. Default
	// application/json.
	ContentType string
	// Headers go with each record, besides id, source and content-type.
	Headers map[string]string
	// EventTime makes the event's time the record's. Brokers give up records
	// from too far ahead, and drop at once what is older than their retention.
	// Default: when the record was sent.
	EventTime bool

	// Compression is that of batches: none, gzip, snappy, lz4 or zstd. Default
	// snappy.
	Compression string
	// MaxBytes is the most bytes of a batch of records, and so of a record. Default:
	// what the topic takes (max.message.bytes) if the brokers tell, else 1,000,012.
	MaxBytes int
	// ClientID is what brokers log of us. Default tickwell.
	ClientID string

	state *state
}

// NewTopic says how to make a topic.
type NewTopic struct {
	Partitions int // default: that of the brokers
	Replicas   int // default: that of the brokers
	// Settings of the topic, such as retention.ms and cleanup.policy.
	Settings map[string]string
}

// topicName is what Kafka takes for one.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// Warnings says when the server's certificate is not checked; the store logs it.
func (s *Sink) Warnings() []string { return sink.TLSWarnings(s.TLS) }

// Validate returns an error if the settings can never work. The store calls it
// when the sink is added.
func (s *Sink) Validate() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("kafka: %w: %w", err, tickwell.ErrBadInput)
	}
	if _, err := s.template(); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	return nil
}

func (s *Sink) check() error {
	if len(s.Brokers) == 0 {
		return errors.New("no Brokers")
	}
	for _, b := range s.Brokers {
		if _, err := address(b); err != nil {
			return err
		}
	}
	if !topicName.MatchString(s.Topic) || s.Topic == "." || s.Topic == ".." {
		return fmt.Errorf("topic %q is not 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'", s.Topic)
	}
	if c := s.Create; c != nil && (c.Partitions < 0 || c.Partitions > 1<<31-1 || c.Replicas < 0 || c.Replicas > 1<<15-1) {
		return fmt.Errorf("a topic of %d partitions with %d replicas", c.Partitions, c.Replicas)
	}
	if _, err := compression(s.Compression); err != nil {
		return err
	}
	if s.MaxBytes < 0 || s.MaxBytes > maxMaxBytes || s.MaxBytes > 0 && s.MaxBytes < minMaxBytes {
		return fmt.Errorf("MaxBytes %d is not from %d to %d", s.MaxBytes, minMaxBytes, maxMaxBytes)
	}
	for name := range s.Headers {
		if name == "" || name == HeaderID || name == HeaderSource || name == HeaderType {
			return fmt.Errorf("header %q is not to be set", name)
		}
	}
	return s.checkLogin()
}

// Batches of fewer bytes hold hardly a record; the client's limit is that of a
// request, 100 MiB.
const (
	minMaxBytes     = 1 << 10
	maxMaxBytes     = 64 << 20
	defaultMaxBytes = 1_000_012 // a little less than what brokers take if nobody changed it
)

// address completes host or host:port.
func address(broker string) (string, error) {
	host, port, err := net.SplitHostPort(broker)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(broker, "["), "]"), "9092"
	}
	if host == "" || strings.ContainsAny(host, " /@,[]") || port == "" {
		return "", fmt.Errorf("broker %q is not host:port", broker)
	}
	return net.JoinHostPort(host, port), nil
}

// Defaults sets what of the spec was left zero: batches of up to 4,096 that wait
// 5 ms to fill, two at a time. The store calls it.
func (s *Sink) Defaults(spec *tickwell.SinkSpec) {
	if spec.Batch == 0 && !spec.Notify {
		spec.Batch = 4096
	}
	if spec.Linger == 0 && !spec.Notify {
		spec.Linger = 5 * time.Millisecond
	}
	if spec.InFlight == 0 && !spec.Notify {
		spec.InFlight = 2
	}
}

// state is what Open makes. It is behind a pointer so that Sink can be printed
// by value.
type state struct {
	client *kgo.Client
	form   *form
	flight *flight
	ctx    context.Context // of records; ends with the client
	cancel context.CancelFunc
	last   *lastError
	limit  atomic.Int32 // bytes of a batch
}

// Open connects, looks for the topic and makes it if asked to.
func (s *Sink) Open(ctx context.Context) error {
	s.close()
	if err := s.Validate(); err != nil {
		return err
	}
	tpl, err := s.template()
	if err != nil {
		return err
	}
	st := &state{form: s.form(tpl), flight: newFlight(), last: &lastError{}}
	if st.client, err = s.connect(st); err != nil {
		return s.fail(err)
	}
	if err := s.findTopic(ctx, st); err != nil {
		st.client.Close()
		return s.fail(st.last.explain(err))
	}
	st.ctx, st.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.state = st
	return nil
}

// Close gives up what is under way and frees the connections. It may be called
// more than once; Open makes the sink usable again.
func (s *Sink) Close(context.Context) error {
	s.close()
	return nil
}

func (s *Sink) close() {
	if s.state != nil {
		s.state.cancel()
		s.state.client.Close()
		s.state = nil
	}
}

// Handle sends events and waits until they are written.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	st := s.state
	if st == nil {
		return sink.NotConnected(errors.New("kafka: not open"))
	}
	if err := ctx.Err(); err != nil {
		return s.fail(err)
	}
	verdicts := make([]error, len(events))
	batch := st.form.records(events, verdicts)
	a := newAttempt()
	var waiting error // of those that are not written yet
	for i, d := range batch {
		if d == nil {
			continue
		}
		if waiting == nil {
			if batch[i] = st.produce(ctx, a, d); batch[i] != nil {
				continue
			}
			waiting = s.notYet(ctx, st)
		}
		batch[i], verdicts[i] = nil, waiting // nor those behind it, for their order
	}
	st.wait(ctx, a)
	st.alone(ctx, batch)
	unsettled := st.flight.leave(batch)
	for i, d := range batch {
		switch {
		case d == nil: // its verdict is why there is no record
		case unsettled[d]:
			if waiting == nil {
				waiting = s.notYet(ctx, st)
			}
			verdicts[i] = waiting
		case refused(d.err) && !d.alone: // perhaps for what another record holds
			verdicts[i] = s.fail(fmt.Errorf("refused with others, and no time to send it alone: %w", d.err))
		default:
			verdicts[i] = s.classify(d.err)
		}
	}
	return sink.Verdicts(verdicts)
}

func (s *Sink) notYet(ctx context.Context, st *state) error {
	return s.fail(st.last.explain(fmt.Errorf("not written yet: %w", context.Cause(ctx))))
}
