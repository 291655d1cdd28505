package exec

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

var update = flag.Bool("update", false, "rewrite docs/functions.md")

// documented describes a built-in function for docs/functions.md: the number of
// its series inputs, constants after them, attributes as in an example call,
// and what it does. All else comes from the registration, from parameters and
// from running it.
type documented struct {
	name      string
	inputs    int
	constants []any
	attrs     string // key=value, separated by blanks
	does      string
}

// parameters are the named arguments of the functions that have some, with the
// default in parentheses behind the name.
var parameters = func() map[string]string {
	const (
		runs       = "`min` (%s) and `max` (no bound): %s of the runs that are given"
		proportion = "`proportion` (0.1) share of the points to keep, in (0, 1]: a bucket has %s/proportion points"
		k          = "`k` number of points, 1 to 1000"
	)
	all := map[string]string{
		"approx_quantile": "`q` share, in [0, 1]",
		"count_if":        "`keep` (1) least number of rows of a run, or a comparison with it such as <=3; `ignoreNull` (true) nulls are left out, false: they end a run",
		"integral":        "`unit` (1s) duration that counts as 1, such as 1m30s; 1S, 1H and 1d of the documents are a millisecond, an hour and a day",
		"rate":            "`unit` (1s) duration, as of integral",

		"concat":          "`target1`, `target2` … (none) texts that follow; `series_behind` (false) true: they come first",
		"const":           "`value` the constant as text; `type` its kind, such as INT32",
		"diff":            "`ignoreNull` (true) nulls are passed over, false: the row after one has no difference",
		"endswith":        "`target` the end",
		"in_range":        "`lower` and `upper` bounds, upper not below lower",
		"locate":          "`target` text to find; `reverse` (false) true: its last occurrence",
		"on_off":          "`threshold` a number",
		"round":           "`places` (0) places after the point, less than 0: before it; or as a second argument",
		"startswith":      "`target` the begin",
		"string_contains": "`s` text to find",
		"string_matches":  "`regex` regular expression, as of package regexp",

		"bottom_k":                         k,
		"top_k":                            k,
		"equal_size_bucket_agg_sample":     fmt.Sprintf(proportion, "1") + "; `type` (avg) avg, max, min, sum, extreme or variance (of a population)",
		"equal_size_bucket_m4_sample":      fmt.Sprintf(proportion, "4"),
		"equal_size_bucket_outlier_sample": fmt.Sprintf(proportion, "1") + "; `type` (avg) distance from the mean; stendis: from the line through first and last point; cos: sharpness of the angle; prenextdis: distance from both neighbours; `number` (3) most points of a bucket",
		"equal_size_bucket_random_sample":  fmt.Sprintf(proportion, "1") + "; `seed` (1) of the chance: the same gives the same points",
		"ewma":                             "`alpha` weight of the newest value, in (0, 1]",
		"m4":                               "`windowSize` in rows or `timeInterval` in time units, one of the two; `slidingStep` (a window) from begin to begin, in the same; with timeInterval also `displayWindowBegin` and `displayWindowEnd` (no bounds): only times in [begin, end)",
		"non_zero_count":                   fmt.Sprintf(runs, "1", "numbers of rows"),
		"zero_count":                       fmt.Sprintf(runs, "1", "numbers of rows"),
		"non_zero_duration":                fmt.Sprintf(runs, "0", "durations"),
		"zero_duration":                    fmt.Sprintf(runs, "0", "durations"),
	}
	for name := range movingKinds {
		all[name] = "`window` number of rows, 1 to 65536"
	}
	return all
}()

var documentation = []documented{
	{"avg", 1, nil, "", "mean"},
	{"count", 1, nil, "", "number of values; 0 for none"},
	{"count_if", 1, nil, "keep=1", "number of runs of true"},
	{"count_time", 0, nil, "", "number of rows; takes *"},
	{"extreme", 1, nil, "", "value of the greatest magnitude, the positive one of two"},
	{"first_value", 1, nil, "", "oldest value"},
	{"last_value", 1, nil, "", "newest value"},
	{"max_by", 2, nil, "", "first input where the second is greatest"},
	{"max_time", 1, nil, "", "time of the newest value, since the Unix epoch"},
	{"max_value", 1, nil, "", "greatest value; NaN only if there is nothing else"},
	{"min_by", 2, nil, "", "first input where the second is least"},
	{"min_time", 1, nil, "", "time of the oldest value, since the Unix epoch"},
	{"min_value", 1, nil, "", "least value; NaN only if there is nothing else"},
	{"mode", 1, nil, "", "most frequent value, of several the one seen first"},
	{"stddev", 1, nil, "", "standard deviation of a sample; null for one value"},
	{"stddev_pop", 1, nil, "", "standard deviation of a population"},
	{"stddev_samp", 1, nil, "", "standard deviation of a sample; null for one value"},
	{"sum", 1, nil, "", "sum; integers are added exactly and rounded once"},
	{"time_duration", 1, nil, "", "time from the oldest to the newest value"},
	{"var_pop", 1, nil, "", "variance of a population"},
	{"var_samp", 1, nil, "", "variance of a sample; null for one value"},
	{"variance", 1, nil, "", "variance of a sample; null for one value"},
	{"approx_count_distinct", 1, nil, "", "number of different values, standard error 1.6 %"},
	{"approx_quantile", 1, nil, "q=0.5", "the value of which a share q is not greater, within 1 %; NaN is left out"},
	{"increase", 1, nil, "", "increase of a counter; a lower value means that it began again at 0; 0 for one point; NaN is left out"},
	{"integral", 1, nil, "unit=1s", "area below the line through the points, in value times unit; 0 for one point; NaN is left out"},
	{"linear_r2", 1, nil, "", "share of the variance that a line explains, 0 to 1; null for one point"},
	{"linear_slope", 1, nil, "", "slope of the line of least squares, per second; null for one point"},
	{"rate", 1, nil, "unit=1s", "increase of a counter per unit of the time from its oldest to its newest value; null for one point"},
	{"time_in_state", 1, nil, "", "time for which the value was true, each until the next one"},
	{"time_weighted_avg", 1, nil, "", "area below the line through the points by its duration; of one point its value"},

	{"abs", 1, nil, "", "magnitude"},
	{"acos", 1, nil, "", "arc cosine"},
	{"asin", 1, nil, "", "arc sine"},
	{"atan", 1, nil, "", "arc tangent"},
	{"ceil", 1, nil, "", "least integer not below"},
	{"concat", 2, nil, "target1=x", "the inputs one after the other, then the targets; inputs that are null are left out"},
	{"const", 1, nil, "value=7 type=INT32", "a constant at each row"},
	{"cos", 1, nil, "", "cosine"},
	{"cosh", 1, nil, "", "hyperbolic cosine"},
	{"degrees", 1, nil, "", "radians as degrees"},
	{"diff", 1, nil, "", "difference to the value before; null at the first"},
	{"e", 1, nil, "", "Euler's number at each row"},
	{"endswith", 1, nil, "target=b", "whether the text ends with target"},
	{"exp", 1, nil, "", "e to the power of"},
	{"floor", 1, nil, "", "greatest integer not above"},
	{"in_range", 1, nil, "lower=1 upper=3", "whether the value lies in [lower, upper]"},
	{"length", 1, nil, "", "length of the text in characters"},
	{"ln", 1, nil, "", "natural logarithm"},
	{"locate", 1, nil, "target=b", "position of target in characters, from 0; -1 if absent"},
	{"log10", 1, nil, "", "decimal logarithm"},
	{"lower", 1, nil, "", "in lower case"},
	{"on_off", 1, nil, "threshold=2", "whether the value is at least threshold"},
	{"pi", 1, nil, "", "pi at each row"},
	{"radians", 1, nil, "", "degrees as radians"},
	{"replace", 1, []any{"b", "x"}, "", "each occurrence of the second text replaced by the third"},
	{"round", 1, nil, "", "nearest integer, halves to even"},
	{"sign", 1, nil, "", "-1, 0 or 1"},
	{"sin", 1, nil, "", "sine"},
	{"sinh", 1, nil, "", "hyperbolic sine"},
	{"sqrt", 1, nil, "", "square root"},
	{"startswith", 1, nil, "target=a", "whether the text begins with target"},
	{"strcmp", 2, nil, "", "-1, 0 or 1 as the first text is before, equal to or after the second"},
	{"string_contains", 1, nil, "s=b", "whether s is part of the text"},
	{"string_matches", 1, nil, "regex=.*b", "whether the whole text matches regex"},
	{"substring", 1, []any{1, 1}, "", "part of the text: from a position, counted from 1, so many characters, or all that follow; a negative number is an error"},
	{"tan", 1, nil, "", "tangent"},
	{"tanh", 1, nil, "", "hyperbolic tangent"},
	{"trim", 1, nil, "", "without blanks at both ends"},
	{"upper", 1, nil, "", "in upper case"},

	{"bottom_k", 1, nil, "k=2", "the k least points"},
	{"change_points", 1, nil, "", "the first point and each that differs from the last one kept"},
	{"derivative", 1, nil, "", "difference to the point before, per time unit"},
	{"difference", 1, nil, "", "difference to the point before"},
	{"equal_size_bucket_agg_sample", 1, nil, "proportion=0.5 type=max", "a value of each bucket, at its first time"},
	{"equal_size_bucket_m4_sample", 1, nil, "proportion=0.8", "first and last point of each bucket and the least and the greatest between"},
	{"equal_size_bucket_outlier_sample", 1, nil, "proportion=0.2 type=avg number=2", "the points of each bucket that stand out most"},
	{"equal_size_bucket_random_sample", 1, nil, "proportion=0.5 seed=1", "a random point of each bucket; the same for the same seed"},
	{"ewma", 1, nil, "alpha=0.5", "exponentially weighted moving average, which begins with the first value"},
	{"m4", 1, nil, "windowSize=5", "first, least, greatest and last point of each window"},
	{"moving_avg", 1, nil, "window=2", "mean of the last window rows, of fewer at the begin"},
	{"moving_max", 1, nil, "window=2", "greatest value of the last window rows; NaN only if there is nothing else"},
	{"moving_min", 1, nil, "window=2", "least value of the last window rows; NaN only if there is nothing else"},
	{"moving_stddev", 1, nil, "window=3", "standard deviation of a sample, the last window rows, from the second on"},
	{"moving_sum", 1, nil, "window=2", "sum of the last window rows, of fewer at the begin"},
	{"non_negative_derivative", 1, nil, "", "magnitude of derivative"},
	{"non_negative_difference", 1, nil, "", "magnitude of difference"},
	{"non_zero_count", 1, nil, "min=1", "rows of each run of values that are not zero, at its first time"},
	{"non_zero_duration", 1, nil, "", "time from the first to the last of each run of values that are not zero, at its first time"},
	{"time_difference", 1, nil, "", "time since the point before"},
	{"top_k", 1, nil, "k=2", "the k greatest points"},
	{"zero_count", 1, nil, "", "rows of each run of zeros, at its first time"},
	{"zero_duration", 1, nil, "", "time from the first to the last of each run of zeros, at its first time"},
}

// docStore has a device for each kind with series s and u of five points.
func docStore() *fakeStore {
	f := newFakeStore()
	times := []int64{1e9, 2e9, 3e9, 4e9, 5e9}
	numbers := []float64{1, 5, 2, 0, 3}
	for k := column.Bool; k <= column.Text; k++ {
		v := column.Vector{Kind: k}
		for i, x := range numbers {
			switch k {
			case column.Bool:
				v.Bools = append(v.Bools, x >= 2)
			case column.Int32:
				v.Int32s = append(v.Int32s, int32(x))
			case column.Int64:
				v.Int64s = append(v.Int64s, int64(x))
			case column.Float32:
				v.Float32s = append(v.Float32s, float32(x))
			case column.Float64:
				v.Float64s = append(v.Float64s, x)
			default:
				v.Texts = append(v.Texts, []string{"ab", "b", "ab", "Cab", "b"}[i])
			}
		}
		f.add("root."+k.String(), "s", times, v)
		f.add("root."+k.String(), "u", times, v)
	}
	return f
}

func (d *documented) call() expr.Expr {
	args := []any{}
	for i := range d.inputs {
		args = append(args, expr.Col([]string{"s", "u"}[i]))
	}
	if d.inputs == 0 {
		args = append(args, expr.Col("*"))
	}
	e := expr.Call(d.name, append(args, d.constants...)...)
	for a := range strings.FieldsSeq(d.attrs) {
		k, v, _ := strings.Cut(a, "=")
		e = e.With(k, v)
	}
	return e
}

// kinds asks the registration which kinds it takes and what it makes of them.
func (d *documented) kinds(f *fakeStore) (text string, first column.Kind) {
	var all []string
	for k := column.Bool; k <= column.Text; k++ {
		q := Query{Select: []expr.Expr{d.call()}, From: []string{"root." + k.String()}, Start: math.MinInt64, End: math.MaxInt64}
		plan, err := Prepare(&q, f, nil)
		if err != nil {
			continue
		}
		all = append(all, DocumentKind(k)+" → "+DocumentKind(plan.Columns()[0].Kind))
		if first == 0 || k == column.Float64 {
			first = k
		}
	}
	return strings.Join(all, ", "), first
}

// example runs the call over the points of docStore.
func (d *documented) example(t *testing.T, f *fakeStore, k column.Kind) string {
	q := Query{Select: []expr.Expr{d.call()}, From: []string{"root." + k.String()}, Start: math.MinInt64, End: math.MaxInt64}
	plan, err := Prepare(&q, f, nil)
	if err != nil {
		t.Fatalf("%s: %v", d.name, err)
	}
	r := plan.Start(context.Background(), f, nil)
	defer r.Close()
	var cells []string
	for {
		tab, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if tab == nil {
			return strings.Join(cells, ", ")
		}
		for i, at := range tab.Times {
			cell := "null"
			if !tab.Cols[0].Nulls.Get(i) {
				cell = cellText(&tab.Cols[0], i)
				if k := tab.Cols[0].Kind; k == column.Float64 {
					cell = fmt.Sprintf("%.5g", tab.Cols[0].Float64s[i])
				}
			}
			if _, isAgg := builtinAggs[d.name]; !isAgg {
				cell = fmt.Sprintf("%ds: %s", at/1e9, cell)
			}
			cells = append(cells, cell)
		}
	}
}

// merges says whether groups of rows of an aggregate can be put together.
func (d *documented) merges(t *testing.T, k column.Kind) string {
	t.Helper()
	part := func(first int64) Aggregator {
		c := &Call{Name: d.name, Attrs: d.call().Attrs()}
		b := Batch{Times: []int64{first, first + 1e9, first + 2e9}}
		for range max(1, d.inputs) {
			col := costColumn(k)
			b.Cols = append(b.Cols, col)
			c.Inputs = append(c.Inputs, Column{Name: "s", Kind: k})
		}
		a := builtinAggs[d.name].make()
		if _, err := a.Start(c); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if err := a.Add(&b, 0, 3); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		return a
	}
	switch {
	case part(0).Merge(part(9e9)) != nil:
		return "no"
	case part(9e9).Merge(part(0)) != nil:
		return "in order of time"
	}
	return "yes"
}

// docs/functions.md is what the registrations say; every built-in function is
// in it and has an example that was run.
func TestFunctionsDocumented(t *testing.T) {
	if small {
		t.Skip("string_matches has regular expressions")
	}
	f := docStore()
	byName := map[string]*documented{}
	for i := range documentation {
		d := &documentation[i]
		if byName[d.name] != nil {
			t.Errorf("%s is documented twice", d.name)
		}
		byName[d.name] = d
	}
	var b strings.Builder
	b.WriteString(`# Built-in functions

This page is made by a test from the registrations; do not edit it. Functions
are called by name, in any letter case: ` + "`expr.Call(\"top_k\", expr.Col(\"s\")).With(\"k\", \"2\")`" + `.

Nulls: aggregates leave them out and give null for a group without values,
counts give 0. Whether groups of an aggregate merge matters where several series
share a group and where windows overlap. Functions of type *scalar* give one value
per row, null where an input is null (concat, const, e and pi: where all inputs
are). Those of type *UDTF* see the rows in which at least one input is not null and
make points of their own.

Times and durations are counted in nanoseconds, or in ` + "`Query.TimeUnit`" + ` where that
is set; this is the *time unit* below. A parameter without a default in parentheses
must be given. One that is missing, or that cannot be used, is an error that
satisfies ` + "`errors.Is(err, tickwell.ErrBadInput)`" + `, an input of a kind that is not
in the table one of ` + "`ErrKindMismatch`" + ` or ` + "`ErrBadInput`" + `. Parameters that a
function does not know are passed over.

The examples read the points 1, 5, 2, 0, 3 at 1 s to 5 s; as booleans false,
true, true, false, true; as texts ab, b, ab, Cab, b. A second series u is the
same.
`)
	for _, typ := range []string{"native", "built-in scalar", "built-in UDTF"} {
		merges, line := "", ""
		if typ == "native" {
			merges, line = " merges |", "---|"
		}
		fmt.Fprintf(&b, "\n## %s\n\n| function | does | parameters (default) | kinds |%s example | gives |\n|---|---|---|---|%s---|---|\n",
			map[string]string{"native": "Aggregates", "built-in scalar": "Functions of a row (scalar)", "built-in UDTF": "Functions of a series (UDTF)"}[typ], merges, line)
		for name, listed := range Builtins() {
			if listed != typ {
				continue
			}
			d := byName[name]
			if d == nil {
				t.Errorf("%s has no documentation", name)
				continue
			}
			delete(byName, name)
			kinds, k := d.kinds(f)
			if k == 0 {
				t.Errorf("%s takes no kind as documented: %s", name, d.call())
				continue
			}
			if typ == "native" {
				kinds += " | " + d.merges(t, k)
			}
			for a := range strings.FieldsSeq(d.attrs) {
				if key, _, _ := strings.Cut(a, "="); !strings.Contains(parameters[name], "`"+key+"`") {
					t.Errorf("%s has a parameter %s in its example and none in the table", name, key)
				}
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | `%s` | %s |\n", name, d.does, parameters[name], kinds, d.call(), d.example(t, f, k))
		}
	}
	for name := range byName {
		t.Errorf("%s is documented but not registered", name)
	}
	for name := range parameters {
		if _, ok := Builtin(name); !ok {
			t.Errorf("%s has parameters but is not registered", name)
		}
	}
	const file = "../../docs/functions.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// What follows the marker is made by package udflib.
	const marker = "\n<!-- What follows is made by a test of package udflib. -->\n"
	own, rest, _ := strings.Cut(string(page), marker)
	if *update {
		if err := os.WriteFile(file, []byte(b.String()+marker+rest), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if own != b.String() {
		t.Errorf("docs/functions.md is not what the registrations say: run go test ./internal/exec -run TestFunctionsDocumented -update")
	}
}
