package snowflake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/post"
)

// stream is an open channel of Snowpipe Streaming.
//
// Rows are appended with an offset token, which the service stores together with
// them: a number that grows, how many events they are of, and the hash of their
// IDs. After a lost answer the channel is opened again and says which token it has
// committed, so a batch that is there already is not sent again.
type stream struct {
	ingest    *post.Client
	header    http.Header
	path      string // of the pipe
	channel   string
	next      string // continuation token
	committed string // offset token when the channel was opened
	number    uint64 // of the last offset token
}

// maxAppend is the most bytes of rows that one request takes.
const maxAppend = 16 << 20

func (s *Sink) openStream(ctx context.Context, st *state) (*stream, error) {
	h, err := s.header(st, "application/json")
	if err != nil {
		return nil, err
	}
	ask := func(c *post.Client, method, ref string, h http.Header, body string) (*post.Answer, error) {
		a, err := c.Send(ctx, method, ref, h, []byte(body))
		if err == nil {
			err = classify(c, a)
		}
		return a, err
	}
	a, err := ask(st.account, http.MethodGet, "/v2/streaming/hostname", h, "")
	if err != nil {
		return nil, err
	}
	host := strings.TrimSpace(string(a.Body))
	cfg := s.config()
	scheme, _, _ := strings.Cut(cfg.URL, ":")
	cfg.URL = scheme + "://" + host
	if u, err := url.Parse(cfg.URL); err != nil || u.Host != host || u.Hostname() == "" {
		return nil, errors.New("snowflake: the host for streaming is none")
	}
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "scope": {host}}
	if a, err = ask(st.account, http.MethodPost, "/oauth/token", h, form.Encode()); err != nil {
		return nil, err
	}
	token := strings.TrimSpace(string(a.Body))
	ingest, err := post.Open(cfg)
	if err != nil {
		return nil, err
	}
	ingest.Hide(token)
	pipe, channel := s.Pipe, s.Channel
	if pipe == "" {
		pipe = s.Table + "-STREAMING"
	}
	if channel == "" {
		channel = "tickwell"
	}
	c := &stream{
		ingest: ingest, channel: channel, header: http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}},
		path: "/databases/" + url.PathEscape(s.Database) + "/schemas/" + url.PathEscape(s.Schema) + "/pipes/" + url.PathEscape(pipe),
	}
	if a, err = ask(ingest, http.MethodPut, "/v2/streaming"+c.path+"/channels/"+url.PathEscape(channel), c.header, "{}"); err != nil {
		ingest.Close()
		return nil, err
	}
	var opened struct {
		Next   string `json:"next_continuation_token"`
		Status struct {
			Committed string `json:"last_committed_offset_token"`
		} `json:"channel_status"`
	}
	if err := json.Unmarshal(a.Body, &opened); err != nil || opened.Next == "" {
		ingest.Close()
		return nil, ingest.Answered(a, "the channel has no continuation token")
	}
	c.next, c.committed = opened.Next, opened.Status.Committed
	number, _, _ := strings.Cut(c.committed, "-")
	c.number, _ = strconv.ParseUint(number, 16, 64)
	return c, nil
}

// hash is that of events in an offset token.
func hash(events []tickwell.Event) string {
	h := fnv.New64a()
	for i := range events {
		fmt.Fprintf(h, "%d:%s", len(events[i].ID), events[i].ID)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// rest leaves out the events that the channel had committed when it was opened:
// all of one batch, one after the other. What stands before them need not have
// been sent, for batches that failed wait while others go on.
func (c *stream) rest(events []tickwell.Event) []tickwell.Event {
	_, last, _ := strings.Cut(c.committed, "-")
	c.committed = "" // what comes later is not from before
	count, sum, _ := strings.Cut(last, "-")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return events
	}
	for i := 0; i+n <= len(events); i++ {
		if hash(events[i:i+n]) == sum {
			return slices.Concat(events[:i], events[i+n:])
		}
	}
	return events
}

// append writes events as rows and waits until they are committed. After any
// failure the channel is opened again, for only then it says what it has.
func (s *Sink) append(ctx context.Context, events []tickwell.Event) error {
	c := s.state.stream
	if events = c.rest(events); len(events) == 0 {
		return nil
	}
	var rows []byte
	for i := range events {
		rows = append(s.row(rows, &events[i]), '\n')
	}
	if len(rows) > maxAppend {
		return sink.TooLarge(fmt.Errorf("snowflake: %d bytes of rows, the service takes %d", len(rows), maxAppend))
	}
	token := fmt.Sprintf("%016x-%d-%s", c.number+1, len(events), hash(events))
	h := c.header.Clone()
	h.Set("Content-Type", "application/x-ndjson")
	query := url.Values{"continuationToken": {c.next}, "offsetToken": {token}}
	a, err := c.ingest.Send(ctx, http.MethodPost, "/v2/streaming/data"+c.path+"/channels/"+url.PathEscape(c.channel)+"/rows?"+query.Encode(), h, rows)
	if err != nil {
		return sink.NotConnected(err)
	}
	if a.Status == http.StatusRequestEntityTooLarge {
		return c.ingest.Classify(a, "")
	}
	var appended struct {
		Next string `json:"next_continuation_token"`
	}
	if err := classify(c.ingest, a); err != nil {
		return sink.NotConnected(err)
	}
	if err := json.Unmarshal(a.Body, &appended); err != nil || appended.Next == "" {
		return sink.NotConnected(c.ingest.Answered(a, "no continuation token"))
	}
	c.next, c.number = appended.Next, c.number+1
	return s.awaitCommit(ctx, c, token)
}

// awaitCommit asks until the channel has committed the token.
func (s *Sink) awaitCommit(ctx context.Context, c *stream, token string) error {
	body, err := json.Marshal(map[string][]string{"channel_names": {c.channel}})
	if err != nil {
		return err
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		a, err := c.ingest.Send(ctx, http.MethodPost, "/v2/streaming"+c.path+":bulk-channel-status", c.header, body)
		if err == nil {
			err = classify(c.ingest, a)
		}
		if err != nil {
			return sink.NotConnected(err)
		}
		var status struct {
			Channels map[string]struct {
				Committed string `json:"last_committed_offset_token"`
			} `json:"channel_statuses"`
		}
		if err := json.Unmarshal(a.Body, &status); err != nil {
			return sink.NotConnected(c.ingest.Answered(a, "no status"))
		}
		if status.Channels[c.channel].Committed >= token { // they begin with a number of fixed width
			return nil
		}
		if err := pause(ctx, wait); err != nil {
			return sink.NotConnected(err)
		}
	}
}

// row appends the columns of an event as a JSON object.
func (s *Sink) row(dst []byte, e *tickwell.Event) []byte {
	dst = append(dst, '{')
	for i, c := range s.Columns {
		v := e.Get(c.from())
		if v.IsNull() {
			switch c.from() {
			case "time":
				v = tickwell.TextValue(e.Time.UTC().Format(time.RFC3339Nano))
			case "id":
				v = tickwell.TextValue(e.ID)
			case "series":
				v = tickwell.TextValue(e.Series)
			case "source":
				v = tickwell.TextValue(e.Source)
			}
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(sink.AppendValueJSON(dst, tickwell.TextValue(c.Name)), ':')
		dst = sink.AppendValueJSON(dst, v)
	}
	return append(dst, '}')
}
