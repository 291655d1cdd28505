package exec

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// textScalar is a function of text inputs; prepare reads the attributes and
// returns what adds one cell.
func textScalar(kind column.Kind, n int, prepare func(c *Call) (func(in []string, out *Col), error)) *scalar {
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
			return func(times []int64, in []*Col, out *Col) error {
			rows:
				for i := range times {
					for k, c := range in {
						if isNullAt(c, i) {
							out.appendNull()
							continue rows
						}
						row[k] = c.Texts[i]
					}
					f(row, out)
				}
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
	test := func(key string, f func(s, arg string) bool) *scalar {
		return textScalar(column.Bool, 1, func(c *Call) (func([]string, *Col), error) {
			arg, err := c.need(key)
			return func(in []string, out *Col) { out.Bools = append(out.Bools, f(in[0], arg)) }, err
		})
	}
	return map[string]*scalar{
		"upper":           plain(strings.ToUpper),
		"lower":           plain(strings.ToLower),
		"trim":            plain(func(s string) string { return strings.Trim(s, " ") }),
		"string_contains": test("s", strings.Contains),
		"startswith":      test("target", strings.HasPrefix),
		"endswith":        test("target", strings.HasSuffix),
		"string_matches": textScalar(column.Bool, 1, func(c *Call) (func([]string, *Col), error) {
			pattern, err := c.need("regex")
			if err != nil {
				return nil, err
			}
			re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
			if err != nil {
				return nil, fmt.Errorf("function %s: %w: %w", c.Name, err, errs.BadInput)
			}
			return func(in []string, out *Col) { out.Bools = append(out.Bools, re.MatchString(in[0])) }, nil
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
		"replace": textScalar(column.Text, 3, func(*Call) (func([]string, *Col), error) {
			return func(in []string, out *Col) {
				out.Texts = append(out.Texts, strings.ReplaceAll(in[0], in[1], in[2]))
			}, nil
		}),
		"substring": {check: checkSubstring, make: func(*Call) (rowFunc, error) { return substring, nil }},
		"concat":    {check: checkConcat, make: makeConcat},
	}
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
		r := []rune(in[0].Texts[i])
		from := in[1].Float64At(i) - 1
		to := float64(len(r))
		if len(in) == 3 {
			if in[2].Float64At(i) < 0 {
				return fmt.Errorf("substring: the length %v is negative: %w", in[2].Float64At(i), errs.BadInput)
			}
			to = min(to, from+in[2].Float64At(i))
		}
		from = min(max(from, 0), float64(len(r)))
		to = max(to, from)
		if from != from || to != to {
			return fmt.Errorf("substring: a bound is no number: %w", errs.BadInput)
		}
		out.Texts = append(out.Texts, string(r[int(from):int(to)]))
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
	return func(times []int64, in []*Col, out *Col) error {
		for i := range times {
			var series strings.Builder
			some := false
			for _, c := range in {
				if !isNullAt(c, i) {
					some = true
					series.WriteString(c.Texts[i])
				}
			}
			switch {
			case !some:
				out.appendNull()
			case behind:
				out.Texts = append(out.Texts, targets.String()+series.String())
			default:
				out.Texts = append(out.Texts, series.String()+targets.String())
			}
		}
		return nil
	}, nil
}
