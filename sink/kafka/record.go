package kafka

import (
	"fmt"
	"mime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// The headers of each record.
const (
	HeaderID     = "id"           // the event's ID: the same if it comes again
	HeaderSource = "source"       // the trigger or query it is from
	HeaderType   = "content-type" // of the value
)

// template returns that of Body, nil if there is none.
func (s *Sink) template() (*sink.Template, error) {
	if s.Body == "" {
		return nil, nil
	}
	o := s.Template
	kind, _, err := mime.ParseMediaType(s.contentType())
	o.JSON = o.JSON || err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
	return sink.NewTemplate(s.Body, o)
}

func (s *Sink) contentType() string {
	if s.ContentType == "" {
		return "application/json"
	}
	return s.ContentType
}

// form is what records look like.
type form struct {
	topic     string
	body      *sink.Template // nil: JSON
	whole     bool
	eventTime bool
	fixed     []kgo.RecordHeader // content-type and the sink's own
	size      atomic.Int64       // bytes that the records of the last batch took
}

func (s *Sink) form(tpl *sink.Template) *form {
	f := &form{topic: s.Topic, body: tpl, whole: s.Whole, eventTime: s.EventTime}
	f.fixed = append(f.fixed, kgo.RecordHeader{Key: HeaderType, Value: []byte(s.contentType())})
	names := make([]string, 0, len(s.Headers))
	for name := range s.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f.fixed = append(f.fixed, kgo.RecordHeader{Key: name, Value: []byte(s.Headers[name])})
	}
	return f
}

// records makes one record of each event; where that fails the error is the
// event's verdict. All bytes lie in one piece of memory: records live until they
// are written, which may be longer than an attempt.
func (f *form) records(events []tickwell.Event, verdicts []error) []*delivery {
	out := make([]*delivery, len(events))
	all := make([]delivery, len(events))
	headers := make([]kgo.RecordHeader, 0, len(events)*(2+len(f.fixed)))
	size := f.size.Load()
	buf := make([]byte, 0, size+size/8)
	used := 0
	// since returns what was appended after mark, so that nothing can be appended
	// to it.
	since := func(mark int) []byte { return buf[mark:len(buf):len(buf)] }
	for i := range events {
		e, r := &events[i], &all[i].record
		mark := len(buf)
		var err error
		if buf, err = f.value(buf, e); err != nil {
			verdicts[i], buf = err, buf[:mark]
			continue
		}
		r.Topic, r.Value = f.topic, since(mark)
		mark = len(buf)
		buf = append(buf, key(e)...)
		r.Key = since(mark)
		mark = len(buf)
		buf = append(buf, e.ID...)
		id := since(mark)
		mark = len(buf)
		buf = append(buf, e.Source...)
		first := len(headers)
		headers = append(headers, kgo.RecordHeader{Key: HeaderID, Value: id}, kgo.RecordHeader{Key: HeaderSource, Value: since(mark)})
		headers = append(headers, f.fixed...)
		r.Headers = headers[first:len(headers):len(headers)]
		if f.eventTime {
			r.Timestamp = e.Time
		}
		out[i] = &all[i]
		used = len(buf)
	}
	f.size.Store(int64(used))
	return out
}

func (f *form) value(dst []byte, e *tickwell.Event) ([]byte, error) {
	switch {
	case f.body != nil:
		return f.body.Append(dst, e)
	case f.whole || len(e.Fields) == 0:
		return sink.AppendJSON(dst, e), nil
	}
	return sink.AppendRowJSON(dst, e), nil
}

// key is what keeps events in order: the series, or the source of an event that
// is about none, as in the store.
func key(e *tickwell.Event) string {
	if e.Series != "" {
		return e.Series
	}
	return e.Source
}

// compression returns the client's name of a codec.
func compression(name string) (kgo.CompressionCodec, error) {
	switch name {
	case "none":
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression(), nil
	case "", "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "zstd":
		return kgo.ZstdCompression(), nil
	}
	return kgo.CompressionCodec{}, fmt.Errorf("compression %q is not none, gzip, snappy, lz4 or zstd", name)
}
