package sink

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
)

// filter changes a value between a name and its text.
type filter struct {
	name string
	arg  string
	n    int
	run  func(f *filter, t *Template, c cell) (cell, error)
}

func (f *filter) apply(t *Template, c cell) (cell, error) { return f.run(f, t, c) }

// argument is what a filter takes after its name.
type argument uint8

const (
	noArgument argument = iota
	textArgument
	digitsArgument
)

var filters = map[string]struct {
	arg argument
	run func(f *filter, t *Template, c cell) (cell, error)
}{
	"upper":   {noArgument, textFilter(strings.ToUpper)},
	"lower":   {noArgument, textFilter(strings.ToLower)},
	"trim":    {noArgument, textFilter(strings.TrimSpace)},
	"url":     {noArgument, textFilter(percent)},
	"default": {textArgument, orElse},
	"date":    {textArgument, date},
	"fixed":   {digitsArgument, fixed},
	"unix":    {noArgument, epoch(time.Time.Unix)},
	"unixms":  {noArgument, epoch(time.Time.UnixMilli)},
}

// percent encodes for a path and for a query: where the one has a plus, the other
// has a blank.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func textFilter(change func(string) string) func(*filter, *Template, cell) (cell, error) {
	return func(_ *filter, t *Template, c cell) (cell, error) {
		if !c.known || !c.isTime && c.number == "" && c.value.IsNull() {
			return c, nil
		}
		return cell{value: tickwell.TextValue(change(c.text(t))), known: true}, nil
	}
}

func orElse(f *filter, t *Template, c cell) (cell, error) {
	empty := !c.isTime && c.number == "" && (c.value.IsNull() || c.text(t) == "")
	if !c.known || empty {
		return cell{value: tickwell.TextValue(f.arg), known: true}, nil
	}
	return c, nil
}

func date(f *filter, t *Template, c cell) (cell, error) {
	c, at, err := c.instant(t)
	if err != nil || !c.isTime {
		return c, err
	}
	return cell{value: tickwell.TextValue(at.Format(f.arg)), known: true}, nil
}

// instant is the time that the cell is, or counts as Unix nanoseconds. The cell that
// is returned is none if it is null or unknown, which is left to a filter default.
func (c cell) instant(t *Template) (cell, time.Time, error) {
	switch {
	case c.isTime:
	case !c.known || c.number == "" && c.value.IsNull():
	case c.number == "" && c.value.Kind() == tickwell.KindInt64:
		c.time, c.isTime = time.Unix(0, c.value.Int64()).In(t.zone), true
	default:
		return c, time.Time{}, errors.New("not a time")
	}
	return c, c.time, nil
}

func epoch(of func(time.Time) int64) func(*filter, *Template, cell) (cell, error) {
	return func(_ *filter, t *Template, c cell) (cell, error) {
		c, at, err := c.instant(t)
		if err != nil || !c.isTime {
			return c, err
		}
		return cell{value: tickwell.Int64Value(of(at)), known: true}, nil
	}
}

func fixed(f *filter, _ *Template, c cell) (cell, error) {
	switch c.value.Kind() {
	case tickwell.KindInt32, tickwell.KindInt64:
		c.number = strconv.FormatInt(c.value.Int64(), 10)
		if f.n > 0 {
			c.number += "." + strings.Repeat("0", f.n)
		}
	case tickwell.KindFloat32, tickwell.KindFloat64:
		if v := c.value.Float64(); !math.IsNaN(v) && !math.IsInf(v, 0) {
			c.number = strconv.FormatFloat(v, 'f', f.n, 64)
		}
	case tickwell.KindNull:
	default:
		if !c.isTime {
			return c, fmt.Errorf("a %s is not a number", c.value.Kind())
		}
	}
	if c.isTime {
		return c, errors.New("a time is not a number")
	}
	return c, nil
}

// text is the cell for people.
func (c *cell) text(t *Template) string {
	switch {
	case c.number != "":
		return c.number
	case c.isTime:
		return c.time.Format(t.o.TimeFormat)
	case !c.known:
		return ""
	}
	bits := 64
	switch c.value.Kind() {
	case tickwell.KindFloat32:
		bits = 32
	case tickwell.KindFloat64:
	default:
		return c.value.String()
	}
	f := c.value.Float64()
	if a := math.Abs(f); a == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, bits)
	}
	return c.value.String()
}
