package exec

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// cast converts n cells. A fraction is rounded half up on its way to an
// integer; a value that the kind cannot hold, or a text that is none of its
// values, is an error.
func (o *op) cast(in *Col, n int) error {
	o.out.reset(o.n.kind)
	for i := range n {
		if in.Kind == column.Null || in.Nulls.Get(i) {
			o.out.appendNull()
			continue
		}
		if err := castCell(&o.out, in, i); err != nil {
			return fmt.Errorf("%s: %w", o.n, err)
		}
	}
	return nil
}

func castCell(out, in *Col, i int) error {
	if out.Kind == in.Kind {
		out.AppendRange(&in.Vector, i, i+1)
		return nil
	}
	if out.Kind == column.Text {
		out.Texts = append(out.Texts, cellText(in, i))
		return nil
	}
	if in.Kind == column.Text {
		return castText(out, in.Texts[i])
	}
	switch out.Kind {
	case column.Bool:
		out.Bools = append(out.Bools, in.Float64At(i) != 0)
	case column.Int32, column.Int64:
		var v int64
		if integer(in.Kind) {
			v = integerAt(in, i)
		} else {
			// Adding 0.5 first would round twice.
			v0 := in.Float64At(i)
			f := math.Floor(v0)
			if v0-f >= 0.5 {
				f++
			}
			if !(f >= math.MinInt64 && f < math.MaxInt64) {
				return errCast(out.Kind, in.Float64At(i))
			}
			v = int64(f)
		}
		if out.Kind == column.Int64 {
			out.Int64s = append(out.Int64s, v)
			return nil
		}
		if v < math.MinInt32 || v > math.MaxInt32 {
			return errCast(out.Kind, v)
		}
		out.Int32s = append(out.Int32s, int32(v))
	case column.Float32:
		f := in.Float64At(i)
		if math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
			return errCast(out.Kind, f)
		}
		out.Float32s = append(out.Float32s, float32(f))
	case column.Float64:
		out.Float64s = append(out.Float64s, in.Float64At(i))
	}
	return nil
}

// errCast is for a value that kind k cannot hold.
//
//go:noinline
func errCast(k column.Kind, v any) error {
	return errs.Badf("%v is no value of %s", v, DocumentKind(k))
}

//go:noinline
func errText(k column.Kind, s string) error { return errCast(k, strconv.Quote(s)) }

func castText(out *Col, s string) error {
	switch out.Kind {
	case column.Bool:
		switch strings.ToLower(s) {
		case "true":
			out.Bools = append(out.Bools, true)
		case "false":
			out.Bools = append(out.Bools, false)
		default:
			return errText(out.Kind, s)
		}
	case column.Int32:
		v, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			return errText(out.Kind, s)
		}
		out.Int32s = append(out.Int32s, int32(v))
	case column.Int64:
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return errText(out.Kind, s)
		}
		out.Int64s = append(out.Int64s, v)
	case column.Float32:
		v, err := strconv.ParseFloat(s, 32)
		if err != nil {
			return errText(out.Kind, s)
		}
		out.Float32s = append(out.Float32s, float32(v))
	case column.Float64:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return errText(out.Kind, s)
		}
		out.Float64s = append(out.Float64s, v)
	}
	return nil
}

//go:noinline
func integerAt(c *Col, i int) int64 {
	if c.Kind == column.Int32 {
		return int64(c.Int32s[i])
	}
	return c.Int64s[i]
}

// cellText prints a cell in the shortest form that reads back as the same
// value, floats as the documents do.
func cellText(c *Col, i int) string {
	switch c.Kind {
	case column.Bool:
		return strconv.FormatBool(c.Bools[i])
	case column.Int32, column.Int64:
		return strconv.FormatInt(integerAt(c, i), 10)
	case column.Float32:
		return column.FloatText(float64(c.Float32s[i]), 32)
	case column.Float64:
		return column.FloatText(c.Float64s[i], 64)
	}
	return c.Texts[i]
}
