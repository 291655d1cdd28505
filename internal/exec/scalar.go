package exec

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// rowFunc computes a cell of out for each row of its inputs, which may be
// longer than the number of rows.
type rowFunc func(times []int64, in []*Col, out *Col) error

// scalar is a built-in function that gives one value per row.
type scalar struct {
	check func(c *Call) (column.Kind, error)
	make  func(c *Call) (rowFunc, error)
}

// scalars is the built-in functions of one value per row, by lower-case name.
var scalars = allScalars()

func allScalars() map[string]*scalar {
	all := otherScalars()
	maps.Copy(all, mathScalars())
	if !small {
		maps.Copy(all, rareScalars())
		maps.Copy(all, textScalars())
	}
	return all
}

// inputs checks the number and kinds of the inputs of a call.
func inputs(c *Call, want ...string) error {
	if len(c.Inputs) != len(want) {
		return badQuery("function %s takes %d input(s), got %d", c.Name, len(want), len(c.Inputs))
	}
	for i, w := range want {
		k := c.Inputs[i].Kind
		ok := k == column.Null
		switch w {
		case "number":
			ok = ok || k.Numeric()
		case "text":
			ok = ok || k == column.Text
		default:
			ok = true
		}
		if !ok {
			expected := "TEXT"
			if w == "number" {
				expected = numericKinds
			}
			return fmt.Errorf("function %s: the data type of the input series (index: %d) is not valid. expected: [%s]. actual: %s: %w",
				c.Name, i, expected, DocumentKind(k), errs.KindMismatch)
		}
	}
	return nil
}

func (c *Call) need(key string) (string, error) {
	v, ok := c.Attr(key)
	if !ok {
		return "", badQuery("function %s: attribute %q is required but was not provided", c.Name, key)
	}
	return v, nil
}

func (c *Call) number(key string) (float64, error) {
	v, err := c.need(key)
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil {
		return 0, badQuery("function %s: attribute %q: %q is no number", c.Name, key, v)
	}
	return f, nil
}

func (c *Call) numberOr(key string, def float64) (float64, error) {
	if _, ok := c.Attr(key); !ok {
		return def, nil
	}
	return c.number(key)
}

func (c *Call) integerOr(key string, def int64) (int64, error) {
	v, ok := c.Attr(key)
	if !ok {
		return def, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil {
		return 0, badQuery("function %s: attribute %q: %q is no integer", c.Name, key, v)
	}
	return n, nil
}

func (c *Call) flag(key string, def bool) bool {
	if v, ok := c.Attr(key); ok {
		return strings.EqualFold(v, "true")
	}
	return def
}

// mapNumber is a function of one number that gives a float64.
func mapNumber(f func(float64) float64) *scalar {
	return &scalar{
		check: func(c *Call) (column.Kind, error) { return column.Float64, inputs(c, "number") },
		make: func(*Call) (rowFunc, error) {
			var scratch []float64
			return func(times []int64, in []*Col, out *Col) error {
				for i, v := range numbers(in[0], len(times), &scratch) {
					if isNullAt(in[0], i) {
						out.appendNull()
					} else {
						out.Float64s = append(out.Float64s, f(v))
					}
				}
				return nil
			}, nil
		},
	}
}

//go:noinline
func isNullAt(c *Col, i int) bool { return c.Kind == column.Null || c.Nulls.Get(i) }

// rareScalars is in [rare], as textScalars is.
func rareScalars() map[string]*scalar {
	all := map[string]*scalar{}
	for name, f := range map[string]func(float64) float64{
		"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos, "atan": math.Atan,
		"sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh, "exp": math.Exp, "ln": math.Log, "log10": math.Log10,
		"degrees": func(v float64) float64 { return v / math.Pi * 180 },
		"radians": func(v float64) float64 { return v / 180 * math.Pi },
		"sign": func(v float64) float64 {
			switch {
			case v > 0:
				return 1
			case v < 0:
				return -1
			}
			return v // 0, -0 and NaN
		},
	} {
		all[name] = mapNumber(f)
	}
	return all
}

func mathScalars() map[string]*scalar {
	all := map[string]*scalar{"ceil": mapNumber(math.Ceil), "floor": mapNumber(math.Floor), "sqrt": mapNumber(math.Sqrt)}
	all["abs"] = &scalar{
		check: func(c *Call) (column.Kind, error) {
			if err := inputs(c, "number"); err != nil {
				return 0, err
			}
			return c.Inputs[0].Kind, nil
		},
		make: func(*Call) (rowFunc, error) { return absolute, nil },
	}
	all["round"] = &scalar{
		check: func(c *Call) (column.Kind, error) {
			if len(c.Inputs) == 2 {
				return column.Float64, inputs(c, "number", "number")
			}
			return column.Float64, inputs(c, "number")
		},
		make: func(c *Call) (rowFunc, error) {
			places, err := c.integerOr("places", 0)
			if err != nil {
				return nil, err
			}
			return func(times []int64, in []*Col, out *Col) error {
				for i := range times {
					if isNullAt(in[0], i) || len(in) == 2 && isNullAt(in[1], i) {
						out.appendNull()
						continue
					}
					p := float64(places)
					if len(in) == 2 {
						p = in[1].Float64At(i)
					}
					out.Float64s = append(out.Float64s, roundPlaces(in[0].Float64At(i), p))
				}
				return nil
			}, nil
		},
	}
	return all
}

// roundPlaces rounds half to even after some decimal places.
func roundPlaces(v, places float64) float64 {
	if places == 0 {
		return math.RoundToEven(v)
	}
	scale := math.Pow(10, places)
	if r := math.RoundToEven(v*scale) / scale; !math.IsNaN(r) && !math.IsInf(r, 0) {
		return r
	}
	return v
}

// absolute keeps the kind; the least integer stays as it is.
func absolute(times []int64, in []*Col, out *Col) error {
	for i := range times {
		if isNullAt(in[0], i) {
			out.appendNull()
			continue
		}
		switch in[0].Kind {
		case column.Int32:
			out.Int32s = append(out.Int32s, max(in[0].Int32s[i], -in[0].Int32s[i]))
		case column.Int64:
			out.Int64s = append(out.Int64s, max(in[0].Int64s[i], -in[0].Int64s[i]))
		case column.Float32:
			out.Float32s = append(out.Float32s, float32(math.Abs(float64(in[0].Float32s[i]))))
		case column.Float64:
			out.Float64s = append(out.Float64s, math.Abs(in[0].Float64s[i]))
		}
	}
	return nil
}

// otherScalars is comparisons, constants and differences.
func otherScalars() map[string]*scalar {
	bools := func(keys []string, test func(v float64, args []float64) bool) *scalar {
		parse := func(c *Call) ([]float64, error) {
			var args []float64
			for _, k := range keys {
				v, err := c.number(k)
				if err != nil {
					return nil, err
				}
				args = append(args, v)
			}
			if len(args) == 2 && args[1] < args[0] {
				return nil, badQuery("function %s: upper can not be smaller than lower", c.Name)
			}
			return args, nil
		}
		return &scalar{
			check: func(c *Call) (column.Kind, error) {
				if err := inputs(c, "number"); err != nil {
					return 0, err
				}
				_, err := parse(c)
				return column.Bool, err
			},
			make: func(c *Call) (rowFunc, error) {
				args, err := parse(c)
				return func(times []int64, in []*Col, out *Col) error {
					for i := range times {
						if isNullAt(in[0], i) {
							out.appendNull()
						} else {
							out.Bools = append(out.Bools, test(in[0].Float64At(i), args))
						}
					}
					return nil
				}, err
			},
		}
	}
	return map[string]*scalar{
		"on_off":   bools([]string{"threshold"}, func(v float64, a []float64) bool { return v >= a[0] }),
		"in_range": bools([]string{"lower", "upper"}, func(v float64, a []float64) bool { return v >= a[0] && v <= a[1] }),
		"pi":       constantScalar(func(*Call) (Col, error) { return floatCell(math.Pi), nil }),
		"e":        constantScalar(func(*Call) (Col, error) { return floatCell(math.E), nil }),
		"const":    constantScalar(constArgument),
		"diff":     {check: func(c *Call) (column.Kind, error) { return column.Float64, inputs(c, "number") }, make: makeDiff},
	}
}

func floatCell(v float64) Col {
	return Col{Vector: column.Vector{Kind: column.Float64, Float64s: []float64{v}}}
}

// constArgument reads the attributes of CONST.
func constArgument(c *Call) (Col, error) {
	v, err := c.need("value")
	if err != nil {
		return Col{}, err
	}
	name, err := c.need("type")
	if err != nil {
		return Col{}, err
	}
	kind, ok := ParseKind(name)
	if !ok {
		return Col{}, badQuery("function %s: the type %q is not supported", c.Name, name)
	}
	var cell Col
	cell.reset(kind)
	text := Col{Vector: column.Vector{Kind: column.Text, Texts: []string{v}}}
	if err := castCell(&cell, &text, 0); err != nil {
		return Col{}, fmt.Errorf("function %s: %w", c.Name, err)
	}
	return cell, nil
}

// constantScalar gives a constant at each row at which some input has a value.
func constantScalar(value func(*Call) (Col, error)) *scalar {
	return &scalar{
		check: func(c *Call) (column.Kind, error) {
			cell, err := value(c)
			if err == nil && len(c.Inputs) == 0 {
				err = badQuery("function %s takes at least one input", c.Name)
			}
			return cell.Kind, err
		},
		make: func(c *Call) (rowFunc, error) {
			cell, err := value(c)
			return func(times []int64, in []*Col, out *Col) error {
				for _, c := range in {
					if c.Kind != column.Null && len(c.Nulls) == 0 {
						out.appendRepeated(&cell, len(times)) // it has a value in each row
						return nil
					}
				}
				for i := range times {
					some := false
					for _, c := range in {
						some = some || !isNullAt(c, i)
					}
					if some {
						out.appendCell(&cell, 0)
					} else {
						out.appendNull()
					}
				}
				return nil
			}, err
		},
	}
}

// makeDiff is the difference to the row before: null at the first; with
// ignoreNull (default) to the last value, else null after a null.
func makeDiff(c *Call) (rowFunc, error) {
	ignoreNull := c.flag("ignoreNull", true)
	prev, any := 0.0, false
	return func(times []int64, in []*Col, out *Col) error {
		for i := range times {
			if isNullAt(in[0], i) {
				out.appendNull()
				any = any && ignoreNull
				continue
			}
			v := in[0].Float64At(i)
			if any {
				out.Float64s = append(out.Float64s, v-prev)
			} else {
				out.appendNull()
			}
			prev, any = v, true
		}
		return nil
	}, nil
}
