package mqtt

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// tabletRow is what a payload of FormatTablet says.
type tabletRow struct {
	device string
	names  []string // nil: those of the fields
	at     time.Time
	fields []tickwell.Field
}

// append writes the object that IoTDB's JSON formatter takes, keys in its order.
// Names and texts are escaped as JSON asks. A number of a floating-point kind has
// a point or an exponent, so that a reader can tell it from an integer. Nulls
// have no place there and are left out together with their names; NaN and the
// infinities are the texts "NaN", "+Inf" and "-Inf".
func (r *tabletRow) append(dst []byte, unit time.Duration) ([]byte, error) {
	if r.names != nil && len(r.names) != len(r.fields) {
		return dst, fmt.Errorf("%d values for %d measurements", len(r.fields), len(r.names))
	}
	dst = append(dst, `{"device":`...)
	dst = sink.AppendValueJSON(dst, tickwell.TextValue(r.device))
	dst = append(dst, `,"measurements":[`...)
	n := 0
	for i := range r.fields {
		if r.fields[i].Value.IsNull() {
			continue
		}
		name := r.fields[i].Name
		if r.names != nil {
			name = r.names[i]
		}
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = sink.AppendValueJSON(dst, tickwell.TextValue(name))
		n++
	}
	if n == 0 {
		return dst, errors.New("an event without values")
	}
	dst = append(dst, `],"timestamp":`...)
	dst = strconv.AppendInt(dst, inUnits(r.at, unit), 10)
	dst = append(dst, `,"values":[`...)
	for i, first := 0, true; i < len(r.fields); i++ {
		if r.fields[i].Value.IsNull() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendNumberOr(dst, r.fields[i].Value)
	}
	return append(dst, `]}`...), nil
}

// appendNumberOr is sink.AppendValueJSON but for numbers with a point.
func appendNumberOr(dst []byte, v tickwell.Value) []byte {
	start := len(dst)
	dst = sink.AppendValueJSON(dst, v)
	if k := v.Kind(); k != tickwell.KindFloat32 && k != tickwell.KindFloat64 || math.IsNaN(v.Float64()) || math.IsInf(v.Float64(), 0) {
		return dst
	}
	if !bytes.ContainsAny(dst[start:], ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

// inUnits rounds down, also before 1970.
func inUnits(t time.Time, unit time.Duration) int64 {
	ns, u := t.UnixNano(), int64(unit)
	q := ns / u
	if ns%u < 0 {
		q--
	}
	return q
}
