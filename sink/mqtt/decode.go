package mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
)

// DecodeOptions say how [DecodeTablet] reads payloads. The zero DecodeOptions
// read what a Sink without further settings sends.
type DecodeOptions struct {
	// Precision is the unit of times. Default a millisecond.
	Precision time.Duration
	// Kind, if set, says of which kind a measurement is; KindNull leaves it to
	// the payload. A value that cannot be of that kind is an error. A payload
	// tells integers, numbers with a point or an exponent, booleans and texts
	// from each other: Int64, Float64, Bool and Text. A receiver of Int32,
	// Float32, or of senders that write 21 and then 21.5, needs it.
	Kind func(device, measurement string) tickwell.Kind
	// Rows is the most rows of a payload. Default 10,000.
	Rows int
}

// DecodeTablet reads a payload of [FormatTablet] as well as the other forms that
// IoTDB's broker takes: "timestamps" with an array of rows in "values", and an
// array of such objects. Each object is one tablet. Null values are null cells.
// Other keys are ignored.
//
// Errors wrap tickwell.ErrBadInput: nothing of such a payload is used.
func DecodeTablet(payload []byte, o DecodeOptions) ([]tickwell.Tablet, error) {
	o.Precision, o.Rows = orDefault(o.Precision, time.Millisecond), orDefault(o.Rows, 10_000)
	objects, err := readObjects(payload)
	var tablets []tickwell.Tablet
	rows := 0
	for i := 0; i < len(objects) && err == nil; i++ {
		var t tickwell.Tablet
		if t, err = objects[i].tablet(&o); err != nil && len(objects) > 1 {
			err = fmt.Errorf("object %d: %w", i, err)
		}
		if rows += len(t.Times); rows > o.Rows {
			err = fmt.Errorf("more than %d rows", o.Rows)
		}
		tablets = append(tablets, t)
	}
	if err != nil {
		return nil, fmt.Errorf("mqtt: payload %.60q: %w: %w", payload, err, tickwell.ErrBadInput)
	}
	return tablets, nil
}

// object is one JSON object of a payload.
type object struct {
	Device       string            `json:"device"`
	Measurements []string          `json:"measurements"`
	Timestamp    *json.Number      `json:"timestamp"`
	Timestamps   []json.Number     `json:"timestamps"`
	Values       []json.RawMessage `json:"values"`
}

func readObjects(payload []byte) (objects []object, err error) {
	if text := bytes.TrimLeft(payload, " \t\r\n"); len(text) > 0 && text[0] == '[' {
		if err = json.Unmarshal(payload, &objects); err == nil && len(objects) == 0 {
			err = errors.New("an empty array")
		}
		return objects, err
	}
	objects = make([]object, 1)
	return objects, json.Unmarshal(payload, &objects[0])
}

// tablet makes a tablet of an object.
func (b *object) tablet(o *DecodeOptions) (tickwell.Tablet, error) {
	t := tickwell.Tablet{Device: b.Device}
	rows, err := b.rows()
	switch {
	case err != nil:
		return t, err
	case b.Device == "":
		return t, errors.New("no device")
	case len(b.Measurements) == 0:
		return t, errors.New("no measurements")
	case len(rows) > o.Rows:
		return t, fmt.Errorf("more than %d rows", o.Rows)
	}
	stamps := b.Timestamps
	if b.Timestamp != nil {
		stamps = []json.Number{*b.Timestamp}
	}
	for _, s := range stamps {
		n, err := strconv.ParseInt(string(s), 10, 64)
		if err != nil || n > math.MaxInt64/int64(o.Precision) || n < math.MinInt64/int64(o.Precision) {
			return t, fmt.Errorf("timestamp %.30s is no integer in range", s)
		}
		t.Times = append(t.Times, n*int64(o.Precision))
	}
	cells := make([]tickwell.Value, len(rows))
	for m, name := range b.Measurements {
		want := tickwell.KindNull
		if o.Kind != nil {
			want = o.Kind(b.Device, name)
		}
		for i, row := range rows {
			if len(row) != len(b.Measurements) {
				return t, fmt.Errorf("%d values for %d measurements", len(row), len(b.Measurements))
			}
			if cells[i], err = readValue(row[m], want); err != nil {
				return t, fmt.Errorf("%s: %w", name, err)
			}
		}
		column, some, err := newColumn(name, cells)
		if err != nil {
			return t, fmt.Errorf("%s: %w", name, err)
		}
		if some {
			t.Columns = append(t.Columns, column)
		}
	}
	if len(t.Columns) == 0 {
		return t, errors.New("no values")
	}
	return t, nil
}

// rows returns the values by row.
func (b *object) rows() ([][]json.RawMessage, error) {
	if b.Timestamp != nil {
		if b.Timestamps != nil {
			return nil, errors.New("both timestamp and timestamps")
		}
		return [][]json.RawMessage{b.Values}, nil
	}
	if len(b.Timestamps) == 0 {
		return nil, errors.New("no timestamp")
	}
	if len(b.Timestamps) != len(b.Values) {
		return nil, fmt.Errorf("%d rows of values for %d timestamps", len(b.Values), len(b.Timestamps))
	}
	rows := make([][]json.RawMessage, len(b.Values))
	for i, v := range b.Values {
		if err := json.Unmarshal(v, &rows[i]); err != nil {
			return nil, fmt.Errorf("row %d of values: %w", i, err)
		}
	}
	return rows, nil
}

// readValue reads one value; want is KindNull if any kind will do.
func readValue(raw json.RawMessage, want tickwell.Kind) (tickwell.Value, error) {
	text := string(raw)
	wrong := func() (tickwell.Value, error) {
		return tickwell.Value{}, fmt.Errorf("%.30s is no value of kind %v", text, want)
	}
	switch {
	case text == "null":
		return tickwell.Value{}, nil
	case text == "true" || text == "false":
		if want == tickwell.KindText {
			return tickwell.TextValue(text), nil
		}
		if want != tickwell.KindNull && want != tickwell.KindBool {
			return wrong()
		}
		return tickwell.BoolValue(text == "true"), nil
	case strings.HasPrefix(text, `"`):
		if err := json.Unmarshal(raw, &text); err != nil {
			return wrong()
		}
		if want == tickwell.KindNull {
			want = tickwell.KindText
		}
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return tickwell.Value{}, fmt.Errorf("%.30s is no single value", text)
	case want == tickwell.KindNull:
		want = tickwell.KindInt64
		if strings.ContainsAny(text, ".eE") {
			want = tickwell.KindFloat64
		}
	}
	v, ok := parseValue(text, want)
	if !ok {
		return wrong()
	}
	return v, nil
}

// parseValue reads a text, or a number's text, as a value of a kind.
func parseValue(text string, want tickwell.Kind) (tickwell.Value, bool) {
	var err error
	switch want {
	case tickwell.KindText:
		return tickwell.TextValue(text), true
	case tickwell.KindBool:
		return tickwell.BoolValue(text == "true"), text == "true" || text == "false"
	case tickwell.KindInt32:
		var n int64
		n, err = strconv.ParseInt(text, 10, 32)
		return tickwell.Int32Value(int32(n)), err == nil
	case tickwell.KindInt64:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		return tickwell.Int64Value(n), err == nil
	case tickwell.KindFloat32:
		var f float64
		f, err = strconv.ParseFloat(text, 32)
		return tickwell.Float32Value(float32(f)), err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	return tickwell.Float64Value(f), err == nil
}

// newColumn makes a column of cells, null where they are; some is false if all
// are. Among integers, one number with a point makes all of them Float64.
func newColumn(name string, cells []tickwell.Value) (c tickwell.Column, some bool, err error) {
	kind := tickwell.KindNull
	for _, v := range cells {
		switch k := v.Kind(); {
		case k == tickwell.KindNull || k == kind:
		case kind == tickwell.KindNull:
			kind = k
		case numeric(k) && numeric(kind):
			kind = tickwell.KindFloat64
		default:
			return c, false, fmt.Errorf("values of kinds %v and %v", kind, k)
		}
	}
	c = tickwell.Column{Name: name}
	for i, v := range cells {
		if v.IsNull() {
			c.Nulls.Set(i)
		}
	}
	c.Data = vector(kind, cells)
	return c, kind != tickwell.KindNull, nil
}

func numeric(k tickwell.Kind) bool { return k == tickwell.KindInt64 || k == tickwell.KindFloat64 }

// vector gathers cells, zero where they are null.
func vector(kind tickwell.Kind, cells []tickwell.Value) tickwell.Vector {
	switch kind {
	case tickwell.KindBool:
		return tickwell.Bools(gather(cells, tickwell.Value.Bool))
	case tickwell.KindInt32:
		return tickwell.Int32s(gather(cells, func(v tickwell.Value) int32 { return int32(v.Int64()) }))
	case tickwell.KindInt64:
		return tickwell.Int64s(gather(cells, tickwell.Value.Int64))
	case tickwell.KindFloat32:
		return tickwell.Float32s(gather(cells, func(v tickwell.Value) float32 { return float32(v.Float64()) }))
	case tickwell.KindText:
		return tickwell.Texts(gather(cells, tickwell.Value.Text))
	}
	return tickwell.Float64s(gather(cells, tickwell.Value.Float64))
}

func gather[T any](cells []tickwell.Value, of func(tickwell.Value) T) []T {
	list := make([]T, len(cells))
	for i, v := range cells {
		if !v.IsNull() {
			list[i] = of(v)
		}
	}
	return list
}
