package exec

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// builtinAgg describes a built-in aggregate.
type builtinAgg struct {
	make    func() Aggregator
	inputs  int
	numeric []bool // which inputs must be numbers (or Bool, where ranged)
	ranged  bool   // Bool is allowed too
	boolean bool   // the first input must be Bool
	any     bool   // any number of inputs
}

var numericInput = []bool{true}

// namedAgg is a line of a table, which takes less room than code that fills a map.
type namedAgg struct {
	name string
	builtinAgg
}

var commonAggs = [...]namedAgg{
	{"count", builtinAgg{make: func() Aggregator { return &countAgg{} }, inputs: 1}},
	{"count_time", builtinAgg{make: func() Aggregator { return &countTimeAgg{} }, any: true}},
	{"count_if", builtinAgg{make: func() Aggregator { return &countIfAgg{} }, inputs: 1, boolean: true}},
	{"sum", builtinAgg{make: func() Aggregator { return &sumAgg{} }, inputs: 1, numeric: []bool{true}}},
	{"avg", builtinAgg{make: func() Aggregator { return &sumAgg{mean: true} }, inputs: 1, numeric: []bool{true}}},
	{"min_value", builtinAgg{make: func() Aggregator { return &rangeAgg{min: true} }, inputs: 1, numeric: []bool{true}, ranged: true}},
	{"max_value", builtinAgg{make: func() Aggregator { return &rangeAgg{max: true} }, inputs: 1, numeric: []bool{true}, ranged: true}},
	{"extreme", builtinAgg{make: func() Aggregator { return &rangeAgg{min: true, max: true} }, inputs: 1, numeric: []bool{true}}},
	{"first_value", builtinAgg{make: func() Aggregator { return &edgeAgg{} }, inputs: 1}},
	{"last_value", builtinAgg{make: func() Aggregator { return &edgeAgg{last: true} }, inputs: 1}},
	{"min_time", builtinAgg{make: func() Aggregator { return &timeAgg{min: true} }, inputs: 1}},
	{"max_time", builtinAgg{make: func() Aggregator { return &timeAgg{max: true} }, inputs: 1}},
	{"time_duration", builtinAgg{make: func() Aggregator { return &timeAgg{min: true, max: true} }, inputs: 1}},
	{"stddev", builtinAgg{make: func() Aggregator { return &varianceAgg{sample: true, root: true} }, inputs: 1, numeric: []bool{true}}},
	{"stddev_samp", builtinAgg{make: func() Aggregator { return &varianceAgg{sample: true, root: true} }, inputs: 1, numeric: []bool{true}}},
	{"stddev_pop", builtinAgg{make: func() Aggregator { return &varianceAgg{root: true} }, inputs: 1, numeric: []bool{true}}},
	{"variance", builtinAgg{make: func() Aggregator { return &varianceAgg{sample: true} }, inputs: 1, numeric: []bool{true}}},
	{"var_samp", builtinAgg{make: func() Aggregator { return &varianceAgg{sample: true} }, inputs: 1, numeric: []bool{true}}},
	{"var_pop", builtinAgg{make: func() Aggregator { return &varianceAgg{} }, inputs: 1, numeric: []bool{true}}},
	{"integral", builtinAgg{make: func() Aggregator { return &pathAgg{what: pathIntegral} }, inputs: 1, numeric: []bool{true}}},
	{"time_weighted_avg", builtinAgg{make: func() Aggregator { return &pathAgg{what: pathMean} }, inputs: 1, numeric: []bool{true}}},
	{"increase", builtinAgg{make: func() Aggregator { return &pathAgg{what: pathIncrease} }, inputs: 1, numeric: []bool{true}}},
	{"rate", builtinAgg{make: func() Aggregator { return &pathAgg{what: pathRate} }, inputs: 1, numeric: []bool{true}}},
	{"time_in_state", builtinAgg{make: func() Aggregator { return &pathAgg{what: pathState} }, inputs: 1, boolean: true}},
}

// builtinAggs is the built-in aggregates, by lower-case name.
var builtinAggs = allAggs()

func allAggs() map[string]*builtinAgg {
	all := make(map[string]*builtinAgg, 2*len(commonAggs))
	for i := range commonAggs {
		all[commonAggs[i].name] = &commonAggs[i].builtinAgg
	}
	if !small {
		maps.Copy(all, rareAggs())
	}
	return all
}

// rareAggs is in [rare].
func rareAggs() map[string]*builtinAgg {
	return map[string]*builtinAgg{
		"mode":                  {make: func() Aggregator { return &modeAgg{} }, inputs: 1},
		"linear_slope":          {make: func() Aggregator { return &lineAgg{} }, inputs: 1, numeric: numericInput},
		"linear_r2":             {make: func() Aggregator { return &lineAgg{r2: true} }, inputs: 1, numeric: numericInput},
		"approx_quantile":       {make: func() Aggregator { return &quantileAgg{} }, inputs: 1, numeric: numericInput},
		"approx_count_distinct": {make: func() Aggregator { return &distinctAgg{} }, inputs: 1},
		"max_by":                {make: func() Aggregator { return &byAgg{max: true} }, inputs: 2, numeric: []bool{false, true}},
		"min_by":                {make: func() Aggregator { return &byAgg{} }, inputs: 2, numeric: []bool{false, true}},
	}
}

// check refuses wrong numbers and kinds of inputs.
func (a *builtinAgg) check(c *Call) error {
	if a.any {
		return nil
	}
	if len(c.Inputs) != a.inputs {
		return fmt.Errorf("aggregate %s takes %d input(s), got %d: %w", c.Name, a.inputs, len(c.Inputs), errs.BadInput)
	}
	if k := c.Inputs[0].Kind; a.boolean && k != column.Bool && k != column.Null {
		return fmt.Errorf("aggregate %s takes a BOOLEAN, %s is %s: %w", c.Name, c.Inputs[0].Name, DocumentKind(k), errs.KindMismatch)
	}
	for i, must := range a.numeric {
		k := c.Inputs[i].Kind
		if must && !numeric(k) && !(a.ranged && k == column.Bool) {
			return fmt.Errorf("aggregate functions [AVG, SUM, EXTREME, MIN_VALUE, MAX_VALUE] only support numeric data types [%s]: %s of %s, which is %s: %w",
				numericKinds, c.Name, c.Inputs[i].Name, DocumentKind(k), errs.KindMismatch)
		}
	}
	return nil
}

func isBuiltinAgg(name string) bool {
	_, ok := builtinAggs[strings.ToLower(name)]
	return ok
}

// Builtin reports whether a function of that name, in any letter case, is
// built in, and of which type the listing calls it.
func Builtin(name string) (listed string, ok bool) {
	name = strings.ToLower(name)
	if _, ok := builtinAggs[name]; ok {
		return "native", true
	}
	if _, ok := scalars[name]; ok {
		return "built-in scalar", true
	}
	if _, ok := tables[name]; ok {
		return "built-in UDTF", true
	}
	if leftOut(name) {
		return "left out", true
	}
	return "", false
}

// Builtins yields the names of the built-in functions, in lower case, and
// their types.
func Builtins() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		names := slices.Concat(slices.Collect(maps.Keys(builtinAggs)), slices.Collect(maps.Keys(scalars)), slices.Collect(maps.Keys(tables)))
		slices.Sort(names)
		for _, name := range names {
			typ, _ := Builtin(name)
			if !yield(name, typ) {
				return
			}
		}
	}
}
