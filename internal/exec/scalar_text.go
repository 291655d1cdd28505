package exec

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// textScalar is a function of text inputs; prepare reads the attributes and
// returns what adds one cell.
//
//go:noinline
func textScalar(kind column.Kind, n int, prepare func(c *Call) (func(in []string, out *Col), error)) *scalar {
	return sinkScalar(kind, n, func(c *Call) (func([]string, *Col, *textSink), error) {
		f, err := prepare(c)
		return func(in []string, out *Col, _ *textSink) { f(in, out) }, err
	})
}

// sinkScalar is a textScalar that may make texts in a sink. Inlined it would be in
// the program for each function.
//
//go:noinline
func sinkScalar(kind column.Kind, n int, prepare func(c *Call) (func(in []string, out *Col, sink *textSink), error)) *scalar {
	want := make([]string, n)
	for i := range want {
		want[i] = "text"
	}
	return &scalar{
		check: func(c *Call) (column.Kind, error) {
			if err := inputs(c, want...); err != nil {
				return 0, err
			}
			_, err := prepare(c)
			return kind, err
		},
		make: func(c *Call) (rowFunc, error) {
			f, err := prepare(c)
			row := make([]string, n)
			var sink textSink
			return func(times []int64, in []*Col, out *Col) error {
				if n == 1 && in[0].Kind == column.Text && len(in[0].Nulls) == 0 {
					for _, row[0] = range in[0].Texts[:len(times)] {
						f(row, out, &sink)
					}
					sink.flush(out)
					return nil
				}
			rows:
				for i := range times {
					for k, c := range in {
						if isNullAt(c, i) {
							out.appendNull()
							continue rows
						}
						row[k] = c.Texts[i]
					}
					f(row, out, &sink)
				}
				sink.flush(out)
				return nil
			}, err
		},
	}
}

func textScalars() map[string]*scalar {
	plain := func(f func(string) string) *scalar {
		return textScalar(column.Text, 1, func(*Call) (func([]string, *Col), error) {
			return func(in []string, out *Col) { out.Texts = append(out.Texts, f(in[0])) }, nil
		})
	}
	letters := func(first, last byte, f func(string) string) *scalar {
		return sinkScalar(column.Text, 1, func(*Call) (func([]string, *Col, *textSink), error) {
			return func(in []string, out *Col, sink *textSink) { sink.letters(out, in[0], first, last, f) }, nil
		})
	}
	test := func(key string, f func(s, arg string) bool) *scalar {
		return textScalar(column.Bool, 1, func(c *Call) (func([]string, *Col), error) {
			arg, err := c.need(key)
			return func(in []string, out *Col) { out.Bools = append(out.Bools, f(in[0], arg)) }, err
		})
	}
	return map[string]*scalar{
		"upper":           letters('a', 'z', strings.ToUpper),
		"lower":           letters('A', 'Z', strings.ToLower),
		"trim":            plain(trimBlanks),
		"string_contains": test("s", strings.Contains),
		"startswith":      test("target", strings.HasPrefix),
		"endswith":        test("target", strings.HasSuffix),
		"string_matches": textScalar(column.Bool, 1, func(c *Call) (func([]string, *Col), error) {
			pattern, err := c.need("regex")
			if err != nil {
				return nil, err
			}
			match, err := compileRegexp(`\A(?:` + pattern + `)\z`)
			if err != nil {
				return nil, fmt.Errorf("function %s: %w: %w", c.Name, err, errs.BadInput)
			}
			return func(in []string, out *Col) { out.Bools = append(out.Bools, match(in[0])) }, nil
		}),
		"length": textScalar(column.Int32, 1, func(*Call) (func([]string, *Col), error) {
			return func(in []string, out *Col) {
				out.Int32s = append(out.Int32s, int32(utf8.RuneCountInString(in[0])))
			}, nil
		}),
		"locate": textScalar(column.Int32, 1, func(c *Call) (func([]string, *Col), error) {
			target, err := c.need("target")
			reverse := c.flag("reverse", false)
			return func(in []string, out *Col) {
				at := strings.Index(in[0], target)
				if reverse {
					at = strings.LastIndex(in[0], target)
				}
				if at > 0 {
					at = utf8.RuneCountInString(in[0][:at])
				}
				out.Int32s = append(out.Int32s, int32(at))
			}, err
		}),
		"strcmp": textScalar(column.Int32, 2, func(*Call) (func([]string, *Col), error) {
			return func(in []string, out *Col) {
				out.Int32s = append(out.Int32s, int32(strings.Compare(in[0], in[1])))
			}, nil
		}),
		"replace": sinkScalar(column.Text, 3, func(*Call) (func([]string, *Col, *textSink), error) {
			return func(in []string, out *Col, sink *textSink) { sink.replace(out, in[0], in[1], in[2]) }, nil
		}),
		"substring": {check: checkSubstring, make: func(*Call) (rowFunc, error) { return substring, nil }},
		"concat":    {check: checkConcat, make: makeConcat},
	}
}

// trimBlanks cuts blanks off both ends.
func trimBlanks(s string) string {
	lo, hi := 0, len(s)
	for lo < hi && s[lo] == ' ' {
		lo++
	}
	for lo < hi && s[hi-1] == ' ' {
		hi--
	}
	return s[lo:hi]
}

func checkSubstring(c *Call) (column.Kind, error) {
	if len(c.Inputs) == 3 {
		return column.Text, inputs(c, "text", "number", "number")
	}
	return column.Text, inputs(c, "text", "number")
}

// substring takes the characters from the 1-based position from on, for of
// them if given.
func substring(times []int64, in []*Col, out *Col) error {
	for i := range times {
		if isNullAt(in[0], i) || isNullAt(in[1], i) || len(in) == 3 && isNullAt(in[2], i) {
			out.appendNull()
			continue
		}
		text := in[0].Texts[i]
		n, ascii := characters(text)
		from := in[1].Float64At(i) - 1
		to := float64(n)
		if len(in) == 3 {
			if in[2].Float64At(i) < 0 {
				return fmt.Errorf("substring: the length %v is negative: %w", in[2].Float64At(i), errs.BadInput)
			}
			to = min(to, from+in[2].Float64At(i))
		}
		from = min(max(from, 0), float64(n))
		to = max(to, from)
		if from != from || to != to {
			return fmt.Errorf("substring: a bound is no number: %w", errs.BadInput)
		}
		out.Texts = append(out.Texts, cut(text, int(from), int(to), n, ascii))
	}
	return nil
}

func checkConcat(c *Call) (column.Kind, error) {
	if len(c.Inputs) == 0 {
		return 0, badQuery("function %s takes at least one input", c.Name)
	}
	for i, in := range c.Inputs {
		if in.Kind != column.Text && in.Kind != column.Null {
			return 0, fmt.Errorf("function %s: the data type of the input series (index: %d) is not valid. expected: [TEXT]. actual: %s: %w",
				c.Name, i, DocumentKind(in.Kind), errs.KindMismatch)
		}
	}
	return column.Text, nil
}

// makeConcat joins the inputs and the attributes whose names begin with
// target, in the order given; nulls are left out.
func makeConcat(c *Call) (rowFunc, error) {
	var targets strings.Builder
	for _, a := range c.Attrs {
		if strings.HasPrefix(a.Key, "target") {
			targets.WriteString(a.Value)
		}
	}
	behind := c.flag("series_behind", false)
	var sink textSink
	return func(times []int64, in []*Col, out *Col) error {
		for i := range times {
			sink.begin()
			if behind {
				sink.buf = append(sink.buf, targets.String()...)
			}
			some := false
			for _, c := range in {
				if !isNullAt(c, i) {
					some = true
					sink.buf = append(sink.buf, c.Texts[i]...)
				}
			}
			if !some {
				out.appendNull()
				continue
			}
			if !behind {
				sink.buf = append(sink.buf, targets.String()...)
			}
			sink.end(out)
		}
		sink.flush(out)
		return nil
	}, nil
}
