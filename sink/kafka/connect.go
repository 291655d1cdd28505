package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/tickwell/tickwell/sink"
)

// Mechanism is a way to authenticate (SASL).
type Mechanism string

// The mechanisms, by the names that Kafka's own settings use.
const (
	Plain    Mechanism = "PLAIN"
	SCRAM256 Mechanism = "SCRAM-SHA-256"
	SCRAM512 Mechanism = "SCRAM-SHA-512"
	OAuth    Mechanism = "OAUTHBEARER"
)

func (s *Sink) mechanism() Mechanism {
	if s.Mechanism == "" && s.Token.IsSet() {
		return OAuth
	}
	return s.Mechanism
}

func (s *Sink) checkLogin() error {
	m := s.mechanism()
	switch m {
	case "":
		if s.User != "" || s.Password.IsSet() {
			return errors.New("User or Password without a Mechanism")
		}
	case Plain, SCRAM256, SCRAM512:
		if s.User == "" || !s.Password.IsSet() {
			return fmt.Errorf("%s needs User and Password", m)
		}
	case OAuth:
		if !s.Token.IsSet() {
			return fmt.Errorf("%s needs a Token", m)
		}
	default:
		return fmt.Errorf("mechanism %q is not %s, %s, %s or %s", m, Plain, SCRAM256, SCRAM512, OAuth)
	}
	if (m == Plain || m == OAuth) && s.TLS == nil && !s.ClearText {
		return fmt.Errorf("%s shows the secret to everyone on the way: set TLS, or ClearText if that is meant", m)
	}
	return nil
}

// login asks for the secrets each time it is used.
func (s *Sink) login() sasl.Mechanism {
	switch s.mechanism() {
	case Plain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			p, err := s.Password.Reveal()
			return plain.Auth{User: s.User, Pass: p}, err
		})
	case SCRAM256, SCRAM512:
		auth := func(context.Context) (scram.Auth, error) {
			p, err := s.Password.Reveal()
			return scram.Auth{User: s.User, Pass: p}, err
		}
		if s.Mechanism == SCRAM256 {
			return scram.Sha256(auth)
		}
		return scram.Sha512(auth)
	case OAuth:
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			t, err := s.Token.Reveal()
			return oauth.Auth{Token: t, Extensions: s.Extensions}, err
		})
	}
	return nil
}

// connect makes a client; it connects when it is used.
func (s *Sink) connect(st *state) (*kgo.Client, error) {
	codec, err := compression(s.Compression)
	if err != nil {
		return nil, err
	}
	var seeds []string
	for _, b := range s.Brokers {
		a, err := address(b)
		if err != nil {
			return nil, err
		}
		seeds = append(seeds, a)
	}
	id := s.ClientID
	if id == "" {
		id = "tickwell"
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(seeds...), kgo.ClientID(id), kgo.Dialer(s.dial), kgo.WithHooks(st.last), kgo.DisableClientMetrics(),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // by the hash that Kafka's own clients use
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(codec),
		kgo.MaxBufferedRecords(1 << 20), kgo.ProducerLinger(10 * time.Millisecond), // Handle ends it
		kgo.RequestRetries(len(seeds) + 2), kgo.ProduceRequestTimeout(5 * time.Second), kgo.RequestTimeoutOverhead(5 * time.Second),
		kgo.RetryBackoffFn(backoff), kgo.MetadataMinAge(250 * time.Millisecond),
	}
	opts = append(opts, kgo.ProducerBatchMaxBytesFn(func(string) int32 { // asked when the topic is known
		if n := st.limit.Load(); n > 0 {
			return n
		}
		return defaultMaxBytes
	}))
	if m := s.login(); m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	return kgo.NewClient(opts...)
}

// backoff is how long the client waits between its own attempts. It is short:
// the store's waits between attempts grow.
func backoff(fails int) time.Duration {
	return min(100*time.Millisecond<<min(fails, 4), time.Second)
}

// dial connects to a broker, also to those that the cluster names: each address
// is looked at as it is dialled, see sink.Operator.
func (s *Sink) dial(ctx context.Context, network, host string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("connections to %s are refused: not an address", address)
		}
		return sink.Operator.CheckAddr(a)
	}}
	conn, err := d.DialContext(ctx, network, host)
	if err != nil || s.TLS == nil {
		return conn, err
	}
	conf := s.TLS.Clone()
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	if conf.ServerName == "" {
		if conf.ServerName, _, err = net.SplitHostPort(host); err != nil {
			conn.Close()
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// lastError remembers why the client could not connect: it tries again by
// itself, and when an attempt ends nothing but "deadline exceeded" is left.
type lastError struct {
	mu  sync.Mutex
	err error
}

// OnBrokerConnect is called by the client.
func (l *lastError) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	l.mu.Lock()
	l.err = err
	l.mu.Unlock()
}

// explain adds the last failure to connect to an error that has no cause.
func (l *lastError) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil || l.err == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", err, l.err)
}

// fail names the sink and the topic and hides secrets.
func (s *Sink) fail(err error) error {
	if err == nil {
		return nil
	}
	password, _ := s.Password.Reveal()
	token, _ := s.Token.Reveal()
	return sink.Scrub(fmt.Errorf("kafka: topic %s: %w", s.Topic, err), password, token)
}

// classify says what is to happen to an event whose record was settled with err.
func (s *Sink) classify(err error) error {
	switch e := s.fail(err); {
	case err == nil:
		return nil
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge),
		errors.Is(err, kerr.InvalidRecord), errors.Is(err, kerr.InvalidTimestamp):
		return sink.Permanent(e)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return e // it is still under way
	default:
		// The client has given the record up, which it does not do for what
		// waiting cures.
		return sink.NotConnected(e)
	}
}
