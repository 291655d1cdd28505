package sink

import (
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
)

// AppendJSON appends e as one JSON object without a line end. Keys come in a
// fixed order: id, source, series, time (RFC 3339 with nanoseconds, UTC), then
// status, revision, fields, labels and notes where they are not empty. Fields
// are an object in the event's order; NaN and the infinities, which JSON does
// not have, are the texts "NaN", "+Inf" and "-Inf".
func AppendJSON(dst []byte, e *tickwell.Event) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendText(dst, e.ID)
	dst = append(dst, `,"source":`...)
	dst = appendText(dst, e.Source)
	dst = append(dst, `,"series":`...)
	dst = appendText(dst, e.Series)
	dst = append(dst, `,"time":"`...)
	dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, '"')
	if e.Status != tickwell.StatusNone {
		dst = append(dst, `,"status":`...)
		dst = appendText(dst, e.Status.String())
	}
	if e.Revision != 0 {
		dst = append(dst, `,"revision":`...)
		dst = strconv.AppendInt(dst, int64(e.Revision), 10)
	}
	if len(e.Fields) > 0 {
		dst = append(dst, `,"fields":{`...)
		for i := range e.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, e.Fields[i].Name), ':')
			dst = AppendValueJSON(dst, e.Fields[i].Value)
		}
		dst = append(dst, '}')
	}
	dst = appendPairs(dst, "labels", e.Labels)
	dst = appendPairs(dst, "notes", e.Notes)
	return append(dst, '}')
}

// AppendValueJSON appends v as a JSON value; see [AppendJSON].
func AppendValueJSON(dst []byte, v tickwell.Value) []byte {
	switch v.Kind() {
	case tickwell.KindNull:
		return append(dst, "null"...)
	case tickwell.KindText:
		return appendText(dst, v.Text())
	case tickwell.KindFloat32, tickwell.KindFloat64:
		if f := v.Float64(); math.IsNaN(f) || math.IsInf(f, 0) {
			return appendText(dst, v.String())
		}
	}
	return append(dst, v.String()...)
}

func appendPairs(dst []byte, key string, m map[string]string) []byte {
	if len(m) == 0 {
		return dst
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	dst = append(append(dst, `,"`...), key...)
	dst = append(dst, `":{`...)
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, k), ':')
		dst = appendText(dst, m[k])
	}
	return append(dst, '}')
}

func appendText(dst []byte, s string) []byte {
	b, _ := json.Marshal(s) // of a string it cannot fail; bad UTF-8 becomes U+FFFD
	return append(dst, b...)
}
