package sink

import (
	"math"
	"sort"
	"strconv"
	"time"
	"unicode/utf8"

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

// AppendRowJSON appends the row of e as one JSON object without a line end: the
// key time (as of [AppendJSON]) unless a field has that name, then the fields in
// the event's order. Of fields with the same name the last one counts for most
// readers. It leaves out what else the event says of itself.
func AppendRowJSON(dst []byte, e *tickwell.Event) []byte {
	dst = append(dst, '{')
	start := len(dst)
	if e.Get("time").IsNull() {
		dst = append(dst, `"time":"`...)
		dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		if f.Name == "time" && f.Value.IsNull() {
			continue // the event's own time stands there
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, f.Name), ':')
		dst = AppendValueJSON(dst, f.Value)
	}
	return append(dst, '}')
}

// AppendValueJSON appends v as a JSON value; see [AppendJSON].
func AppendValueJSON(dst []byte, v tickwell.Value) []byte {
	switch v.Kind() {
	case tickwell.KindNull:
		return append(dst, "null"...)
	case tickwell.KindText:
		return appendText(dst, v.Text())
	case tickwell.KindInt32, tickwell.KindInt64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case tickwell.KindFloat32, tickwell.KindFloat64:
		f, bits := v.Float64(), 64
		if v.Kind() == tickwell.KindFloat32 {
			bits = 32
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return appendText(dst, v.String())
		}
		return strconv.AppendFloat(dst, f, 'g', -1, bits)
	}
	return strconv.AppendBool(dst, v.Bool())
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
	return append(appendEscaped(append(dst, '"'), s), '"')
}

// appendEscaped appends s as the inside of a JSON string. Bad UTF-8 becomes
// U+FFFD; the two line ends that JavaScript has and JSON has not are escaped.
func appendEscaped(dst []byte, s string) []byte {
	plain := 0 // s[plain:i] needs no escape
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = append(dst, s[plain:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			plain = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(append(dst, s[plain:i]...), "\uFFFD"...)
			plain = i + n
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[plain:i]...), `\u202`...)
			dst = append(dst, hex[r&15])
			plain = i + n
		}
		i += n
	}
	return append(dst, s[plain:]...)
}

const hex = "0123456789abcdef"
