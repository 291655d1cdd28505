package iotsql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

func (s *insertStmt) answers() bool { return false }

// run stores the rows. A value that its series cannot hold is left out, with
// the other values of its measurement in this statement, and reported when the
// rest is stored, as IoTDB does.
func (s *insertStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	kinds := make([]tickwell.Kind, len(s.columns))
	var failed []error
	refuse := func(i int, err error) {
		kinds[i] = tickwell.KindNull
		failed = append(failed, fmt.Errorf("measurement %s: %w", s.columns[i], err))
	}
	made := 0
	var fresh []string // series that are made
	for i, name := range s.columns {
		kinds[i] = c.db.SeriesKind(s.device, name)
		if kinds[i] == tickwell.KindNull {
			for r := range s.rows {
				if v := &s.rows[r].values[i]; v.kind != litNull {
					kinds[i] = v.infer(c)
					if s.aligned {
						fresh = append(fresh, pattern.Join(s.device, name))
					}
					break
				}
			}
			if kinds[i] == tickwell.KindNull {
				refuse(i, fmt.Errorf("it does not exist, and null does not say of which kind it is to be: %w", errs.BadInput))
			}
		}
	}
	t := &tickwell.Tablet{Device: s.device, Times: make([]int64, len(s.rows))}
	for r := range s.rows {
		t.Times[r] = s.rows[r].at
	}
	for i, name := range s.columns {
		if kinds[i] == tickwell.KindNull {
			continue
		}
		col, err := s.column(c, name, kinds[i], i)
		if err != nil {
			refuse(i, err)
			continue
		}
		t.Columns = append(t.Columns, col)
		made++
	}
	if made > 0 {
		if err := c.db.InsertTablet(ctx, t); err != nil {
			return nil, err
		}
	}
	for _, path := range fresh {
		// A hint only: who may insert need not be allowed to give one.
		_ = c.db.SetSeriesHints(ctx, path, tickwell.Params{"aligned": "true"})
	}
	if failed != nil {
		text := "nothing is stored"
		if made > 0 {
			text = "the other measurements are stored"
		}
		return nil, fmt.Errorf("iotsql: insert %s: %s: %w", s.device, text, errors.Join(failed...))
	}
	return done(int64(len(s.rows))), nil
}

// column makes the column of a measurement.
func (s *insertStmt) column(c *Conn, name string, kind tickwell.Kind, i int) (tickwell.Column, error) {
	n := len(s.rows)
	col := tickwell.Column{Name: name}
	var err error
	switch kind {
	case tickwell.KindBool:
		col.Data, err = convert(s, i, &col.Nulls, make(tickwell.Bools, n), literal.asBool)
	case tickwell.KindInt32:
		col.Data, err = convert(s, i, &col.Nulls, make(tickwell.Int32s, n), literal.asInt32)
	case tickwell.KindInt64:
		col.Data, err = convert(s, i, &col.Nulls, make(tickwell.Int64s, n), literal.asInt64)
	case tickwell.KindFloat32:
		col.Data, err = convert(s, i, &col.Nulls, make(tickwell.Float32s, n), literal.asFloat32)
	case tickwell.KindFloat64:
		col.Data, err = convert(s, i, &col.Nulls, make(tickwell.Float64s, n), literal.asFloat64)
	case tickwell.KindText:
		col.Data, err = convert(s, i, &col.Nulls, make(tickwell.Texts, n), literal.asText)
	}
	return col, err
}

func convert[T any, V interface {
	~[]T
	tickwell.Vector
}](s *insertStmt, i int, nulls *tickwell.Bitmap, out V, to func(literal) (T, bool)) (V, error) {
	for r := range s.rows {
		l := s.rows[r].values[i]
		if l.kind == litNull {
			nulls.Set(r)
			continue
		}
		v, ok := to(l)
		if !ok {
			return out, fmt.Errorf("data type is not consistent, input %s, registered %s: %w", l, kindName(out.Kind()), errs.KindMismatch)
		}
		out[r] = v
	}
	return out, nil
}

// infer is the kind of the series that a value makes.
func (l literal) infer(c *Conn) tickwell.Kind {
	switch l.kind {
	case litBool:
		return tickwell.KindBool
	case litInteger:
		if v, err := strconv.ParseFloat(l.text, 64); c.ints == tickwell.KindFloat32 && (err != nil || math.Abs(v) > 1<<24) {
			return tickwell.KindFloat64
		}
		return c.ints
	case litDecimal:
		return c.decs
	case litNaN:
		return tickwell.KindFloat64
	case litText:
		return tickwell.KindText
	case litBound:
		switch l.val.(type) {
		case bool:
			return tickwell.KindBool
		case int32:
			return tickwell.KindInt32
		case int64:
			return tickwell.KindInt64
		case float32:
			return tickwell.KindFloat32
		case float64:
			return tickwell.KindFloat64
		case string:
			return tickwell.KindText
		}
	}
	return tickwell.KindNull
}

// String is the value as it would be written.
func (l literal) String() string {
	switch l.kind {
	case litNull:
		return "null"
	case litText:
		return "'" + strings.ReplaceAll(l.text, "'", "''") + "'"
	case litBound:
		return fmt.Sprintf("%v", l.val)
	}
	return l.text
}

// asText is what a text is made of.
func (l literal) asText() (string, bool) {
	if l.kind == litBound {
		s, ok := l.val.(string)
		return s, ok
	}
	return l.text, true
}

func (l literal) asBool() (bool, bool) {
	if l.kind == litBound {
		b, ok := l.val.(bool)
		return b, ok
	}
	switch {
	case l.kind != litBool && l.kind != litText:
	case strings.EqualFold(l.text, "true"):
		return true, true
	case strings.EqualFold(l.text, "false"):
		return false, true
	}
	return false, false
}

func (l literal) asInt64() (int64, bool) {
	switch v := l.val.(type) {
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case nil:
		if l.kind == litBool {
			return 0, false
		}
		v2, err := strconv.ParseInt(strings.TrimSpace(l.text), 10, 64)
		return v2, err == nil
	}
	return 0, false
}

func (l literal) asInt32() (int32, bool) {
	v, ok := l.asInt64()
	return int32(v), ok && v >= math.MinInt32 && v <= math.MaxInt32
}

func (l literal) asFloat(bits int) (float64, bool) {
	switch v := l.val.(type) {
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case float32:
		return float64(v), true
	case float64:
		return v, true
	case nil:
		if l.kind == litBool {
			return 0, false
		}
		v2, err := strconv.ParseFloat(strings.TrimSpace(l.text), bits)
		return v2, err == nil
	}
	return 0, false
}

func (l literal) asFloat64() (float64, bool) { return l.asFloat(64) }

func (l literal) asFloat32() (float32, bool) {
	v, ok := l.asFloat(32)
	if math.Abs(v) > math.MaxFloat32 && !math.IsInf(v, 0) {
		return 0, false
	}
	return float32(v), ok
}
