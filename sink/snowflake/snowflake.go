// Package snowflake has a sink that writes events into a table of Snowflake: by
// INSERT statements over the SQL API, or by Snowpipe Streaming over REST. Both
// log in with a key pair.
//
// It was written from the service's public documentation and is tested against a
// strict stand-in of our own. It was never run against Snowflake itself. The way
// that is tested up to the last step is a Kafka topic with Snowflake's connector:
// see the README.
//
// What the answers mean:
//
//	accepted, committed                   delivered
//	401, 403                              tried again with the key read anew
//	408, 429, 5xx                         tried again, after Retry-After if that is given
//	413                                   the batch is split
//	422 with a data error (SQLSTATE 22…)  the batch is split, a single event given up
//	422 otherwise, such as no such table  tried again: the events are not at fault
package snowflake

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/post"
)

// Sink writes events into a table. Set the fields before it is added to a store
// and leave them alone from then on. It prints without its key.
type Sink struct {
	// Account is the account's identifier, organisation-account or the older
	// locator. User is whom the key belongs to.
	Account, User string
	// Key is the private key in PEM (PKCS 8 or PKCS 1, RSA of at least 2048 bits,
	// not encrypted). It is read when the sink is opened, and again when it is
	// refused.
	Key sink.Secret
	// URL is where the account is reached. Default
	// https://ACCOUNT.snowflakecomputing.com.
	URL string

	// Database, Schema and Table say where rows go. Names are taken as they are,
	// case included: what was made without quotes is upper case.
	Database, Schema, Table string
	// Columns are those of the table that are written.
	Columns []Column
	// Warehouse and Role are those of statements. Default: those of the user.
	Warehouse, Role string

	// Streaming uses Snowpipe Streaming instead of statements.
	Streaming bool
	// Pipe is the pipe that takes the rows. Default: the table's own,
	// TABLE-STREAMING.
	Pipe string
	// Channel is the channel's name, one for each sink: who opens it takes it
	// over. Default tickwell.
	Channel string

	Trust sink.Trust  // where connections may go; default sink.Operator
	TLS   *tls.Config // certificate authorities; at least TLS 1.2
	// Clock dates logins. Default: the system's.
	Clock tickwell.Clock

	state *state
}

// Column is a column of the table and where its values come from.
type Column struct {
	Name string // as in the table
	// From is a field of the event, or one of time, id, series and source, which
	// every event has. Default: Name in lower case.
	From string
}

func (c Column) from() string {
	if c.From == "" {
		return strings.ToLower(c.Name)
	}
	return c.From
}

// state is what Open makes.
type state struct {
	account *post.Client
	login   *login
	stream  *stream
}

var accountName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

// Warnings says when the server's certificate is not checked; the store logs it.
func (s *Sink) Warnings() []string { return sink.TLSWarnings(s.TLS) }

// Validate returns an error if the settings can never work. The store calls it
// when the sink is added.
func (s *Sink) Validate() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("snowflake: %w: %w", err, tickwell.ErrBadInput)
	}
	return nil
}

func (s *Sink) check() error {
	switch {
	case !accountName.MatchString(s.Account):
		return fmt.Errorf("account %q", s.Account)
	case s.User == "" || !s.Key.IsSet():
		return errors.New("a login needs User and Key")
	case s.Database == "" || s.Schema == "" || s.Table == "":
		return errors.New("a table needs Database, Schema and Table")
	case len(s.Columns) == 0:
		return errors.New("no Columns")
	}
	seen := make(map[string]bool)
	for _, c := range s.Columns {
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("column %q is empty or there twice", c.Name)
		}
		seen[c.Name] = true
	}
	cfg := s.config()
	return cfg.Check()
}

func (s *Sink) config() post.Config {
	url := s.URL
	if url == "" {
		url = "https://" + strings.ToLower(strings.ReplaceAll(s.Account, "_", "-")) + ".snowflakecomputing.com"
	}
	return post.Config{Name: "snowflake", URL: url, Trust: s.Trust, TLS: s.TLS}
}

// Defaults sets what of the spec was left zero: a second to fill a batch, a
// minute for an attempt. With Streaming it is one call at a time, whatever
// InFlight says. The store calls it.
func (s *Sink) Defaults(spec *tickwell.SinkSpec) {
	if s.Streaming {
		spec.InFlight = 1
	}
	if spec.Notify {
		return
	}
	if spec.Linger == 0 {
		spec.Linger = time.Second
	}
	if spec.Timeout == 0 {
		spec.Timeout = time.Minute
	}
}

// Open reads the key; for streaming it logs in and opens the channel.
func (s *Sink) Open(ctx context.Context) error {
	s.close()
	if err := s.Validate(); err != nil {
		return err
	}
	login, err := s.readKey()
	if err != nil {
		return fmt.Errorf("snowflake: %w", err)
	}
	account, err := post.Open(s.config())
	if err != nil {
		return err
	}
	st := &state{account: account, login: login}
	if s.Streaming {
		if st.stream, err = s.openStream(ctx, st); err != nil {
			account.Close()
			return err
		}
	}
	s.state = st
	return nil
}

// Close frees the connections. It may be called more than once; Open makes the
// sink usable again.
func (s *Sink) Close(context.Context) error {
	s.close()
	return nil
}

func (s *Sink) close() {
	if s.state == nil {
		return
	}
	s.state.account.Close()
	if s.state.stream != nil {
		s.state.stream.ingest.Close()
	}
	s.state = nil
}

// Handle writes events and waits until they are stored.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	switch {
	case s.state == nil:
		return sink.NotConnected(errors.New("snowflake: not open"))
	case len(events) == 0:
		return nil
	case s.state.stream != nil:
		return s.append(ctx, events)
	}
	return s.insert(ctx, events)
}

// classify is that of the client, but for a login that is refused: the sink is
// opened again, which reads the key.
func classify(c *post.Client, a *post.Answer) error {
	err := c.Classify(a, c.Text(a))
	if a.Status == 401 || a.Status == 403 {
		return sink.NotConnected(err)
	}
	return err
}

// now is the time by the sink's clock.
func (s *Sink) now() time.Time {
	if s.Clock == nil {
		return clock.System().Now()
	}
	return s.Clock.Now()
}
