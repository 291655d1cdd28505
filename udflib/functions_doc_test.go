package udflib

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

var update = flag.Bool("update", false, "rewrite the library's part of docs/functions.md")

// five is what the examples read unless they bring their own: s1, and s2 the
// same.
const five = "1 1 1, 2 5 5, 3 2 2, 4 0 0, 5 3 3"

// examples are calls for docs/functions.md, with points of their own where those
// of all examples show nothing. Texts print as they are stored.
var examples = map[string]struct{ args, points string }{
	"completeness":         {"", "1 1, 2 2, 3 3, 4 4, 5 5, 6 6, 8 8, 9 9, 10 10, 11 11, 12 12"},
	"consistency":          {"", "1 1, 2 2, 3 3, 4 4, 4.2 4, 5 5, 6 6, 7 7, 8 8, 9 9, 10 10"},
	"timeliness":           {"", "1 1, 2 2, 3 3, 4 4, 6 6, 6.3 6, 7 7, 8 8, 9 9, 10 10, 11 11"},
	"validity":             {"", "1 1, 2 2, 3 3, 4 4, 5 5, 6 66, 7 7, 8 8, 9 9, 10 10, 11 11"},
	"iqr":                  {"method=stream q1=1 q3=2", ""},
	"histogram":            {"min=0 max=6 count=3", ""},
	"integral":             {"unit=1s", ""},
	"minmax":               {"compute=batch", ""},
	"mvavg":                {"window=2", ""},
	"pacf":                 {"lag=2", ""},
	"percentile":           {"rank=0.2", ""},
	"period":               {"", "1 1, 2 5, 3 1, 4 5, 5 1, 6 5"},
	"qlb":                  {"lag=2", ""},
	"quantile":             {"rank=0.4 K=100", ""},
	"resample":             {"every=2s aggr=max", ""},
	"sample":               {"method=isometric k=2", ""},
	"segment":              {"error=0.5", ""},
	"spline":               {"points=3", ""},
	"ksigma":               {"k=1", ""},
	"lof":                  {"k=1 score=breunig", "1 1, 2 2, 3 3, 4 9"},
	"masterdetect":         {"p=1 eta=1", "1 1 1 0.5, 2 2 2, 3 9 3, 4 2 2, 5 1 1"},
	"mastertrain":          {"p=1", "1 1 1, 2 2 2, 3 3 3, 4 2 2, 5 1 1"},
	"missdetect":           {"", "1 3, 2 1, 3 2, 4 2, 5 2, 6 2, 7 2, 8 2, 9 2, 10 2, 11 2, 12 2, 13 2, 14 5, 15 1, 16 4, 17 0, 18 7, 19 7, 20 3, 21 9, 22 1, 23 6, 24 2, 25 0, 26 8, 27 1, 28 5"},
	"outlier":              {"r=1 k=2", ""},
	"range":                {"lower_bound=1 upper_bound=3", ""},
	"twosidedfilter":       {"len=1 threshold=0.5", "1 4, 2 5, 3 50, 4 5, 5 4"},
	"deconv":               {"result=quotient", ""},
	"dwt":                  {"method=haar", "1 1, 2 5, 3 2, 4 0"},
	"idwt":                 {"method=haar", "1 1, 2 5, 3 2, 4 0"},
	"envelope":             {"amplification=10", ""},
	"fft":                  {"result=real", ""},
	"highpass":             {"wpass=0.5", ""},
	"lowpass":              {"wpass=0.5", ""},
	"ifft":                 {"interval=1s", "0 1 0, 0.001 0 1, 0.002 0 -1"},
	"stft":                 {"nfft=3", ""},
	"ptnsym":               {"window=3", ""},
	"masterrepair":         {"k=1 eta=9", "1 1 1, 2 5 2, 3 3 3"},
	"seasonalrepair":       {"method=improved period=2 k=3", "1 1, 2 5, 3 1, 4 5, 5 9, 6 5, 7 1, 8 5"},
	"timestamprepair":      {"interval=1s", "1 1, 2.1 5, 4 0, 5 3"},
	"valuefill":            {"method=linear", "1 1, 2 NaN, 3 2"},
	"valuerepair":          {"minSpeed=-1 maxSpeed=1", ""},
	"consecutivesequences": {"gap=1s", "1 1, 2 1, 4 1"},
	"consecutivewindows":   {"length=2s", ""},
	"ar":                   {"p=1", ""},
	"representation":       {"tb=2 vb=2", ""},
	"rm":                   {"tb=2 vb=2", ""},
}

// inputsOf is how many series an example gives a function.
func inputsOf(f Function) int {
	switch f.Name {
	case "masterdetect":
		return 3
	case "masterrepair", "mastertrain":
		return 2
	}
	return max(1, f.Inputs)
}

func (f *Function) exampleRows() rows {
	e := examples[f.Name]
	r := sec(five)
	if e.points != "" {
		r = sec(e.points)
	}
	return r
}

// queryOf runs the example of f over points of kind k.
func queryOf(t *testing.T, f Function, k tickwell.Kind) ([]result, tickwell.Kind, error) {
	t.Helper()
	r := f.exampleRows()
	if k == tickwell.KindText || k == tickwell.KindBool {
		r.text = strings.ReplaceAll(r.text, "NaN", "0")
	}
	if k == tickwell.KindInt32 || k == tickwell.KindInt64 {
		r.text = regexp.MustCompile(`NaN`).ReplaceAllString(r.text, "0")
	}
	db := open(t)
	width := r.as(k).insert(t, db)
	inputs := min(width, inputsOf(f))
	name := f.Name
	if f.BuiltIn != "" {
		name = f.BuiltIn
	}
	out, kind, err := invokeKind(t, db, inputs, strings.TrimSpace(name+" "+examples[f.Name].args))
	return out, kind, err
}

// written is the example call as a user writes it.
func (f *Function) written() string {
	inputs := []string{"s", "u"}[:min(2, inputsOf(*f))]
	if strings.HasPrefix(f.Name, "master") {
		inputs = []string{"s", "m", "model"}[:inputsOf(*f)]
	}
	name := f.Name
	if f.BuiltIn != "" {
		name = f.BuiltIn
	}
	text := name + "(" + strings.Join(inputs, ", ")
	for a := range strings.FieldsSeq(examples[f.Name].args) {
		k, v, _ := strings.Cut(a, "=")
		text += fmt.Sprintf(", %q=%q", k, v)
	}
	return text + ")"
}

var kindNames = map[tickwell.Kind]string{
	tickwell.KindBool: "BOOLEAN", tickwell.KindInt32: "INT32", tickwell.KindInt64: "INT64",
	tickwell.KindFloat32: "FLOAT", tickwell.KindFloat64: "DOUBLE", tickwell.KindText: "TEXT",
}

// kindsOf asks the function which kinds it takes and what it makes of them.
func kindsOf(t *testing.T, f Function) string {
	var outs []string
	var ins []tickwell.Kind
	same := true
	for k := tickwell.KindBool; k <= tickwell.KindText; k++ {
		_, kind, err := queryOf(t, f, k)
		if kind == 0 {
			if err == nil {
				t.Errorf("%s over %s: neither kind nor error", f.Name, kindNames[k])
			}
			continue
		}
		ins = append(ins, k)
		outs = append(outs, kindNames[kind])
		same = same && kind == k
	}
	what := ""
	switch {
	case len(ins) == 6:
		what = "any"
	case slices.Equal(ins, numbers):
		what = "number"
	default:
		t.Errorf("%s takes %v: neither all kinds nor the numbers", f.Name, ins)
	}
	if same {
		return what + " → the same"
	}
	slices.Sort(outs)
	return what + " → " + strings.Join(slices.Compact(outs), ", ")
}

func (f *Function) paramText() string {
	var parts []string
	for _, p := range f.Params {
		text := "`" + p.Name + "`"
		if p.Default != "" {
			text += " (" + p.Default + ")"
		}
		parts = append(parts, text+" "+p.Means)
	}
	return strings.Join(parts, "; ")
}

// gives prints the result of an example with times in seconds.
func gives(f Function, out []result) string {
	unit := time.Second
	if f.Aggregate() {
		unit = 0
	}
	cells := make([]string, len(out))
	for i, p := range out {
		text := list(out[i:i+1], unit)
		if v := p.value.Float64(); p.value.Kind() == tickwell.KindFloat64 {
			if math.Abs(v) < 1e-12 {
				v = 0 // rounding, which differs between processors
			}
			text = strings.TrimSuffix(text, p.value.String()) + fmt.Sprintf("%.5g", v)
		}
		if unit > 0 {
			at, v, _ := strings.Cut(text, " ")
			text = at + "s: " + v
		}
		cells[i] = text
	}
	if len(cells) > 8 {
		cells = append(cells[:8], "…")
	}
	if len(cells) == 0 {
		return "nothing"
	}
	return strings.Join(cells, ", ")
}

// marker divides docs/functions.md: above it is the part of internal/exec.
const marker = "<!-- What follows is made by a test of package udflib. -->\n"

// The library's part of docs/functions.md is what the registrations say, and
// each function has an example that was run.
func TestLibraryDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(marker + `
# Functions of the library

Package ` + "`udflib`" + ` has the eight groups of the data-quality library that the IoTDB
documents name. They are unknown until registered: ` + "`udflib.Register(ctx, db)`" + `
registers all, ` + "`udflib.Register(ctx, db, udflib.DataQuality)`" + ` a group, and
` + "`udflib.Specs()`" + ` gives them for ` + "`Options.Functions`" + `. With ` + "`udflib.Classes()`" + ` as
` + "`Options.FunctionClasses`" + `, CREATE FUNCTION takes the class names of the documents:
` + "`udflib/testdata/register.sql`" + ` registers all. SHOW FUNCTIONS lists them as
external then. Those that tickwell has built in are not registered again.

Of the kinds, *number* stands for INT32, INT64, FLOAT and DOUBLE. An aggregate
gives one value for a group of rows; all of them merge, rm in the order of time.
A UDTF gives a series;
where its times only number the points, point i is at i milliseconds. A parameter
without a default in parentheses must be given, unless the table says what comes
without it. One that a function does not know is an error. Nulls, unless the table says otherwise:
` + leftOut + `.

The examples read the points 1, 5, 2, 0, 3 at 1 s to 5 s, or those that are given
as time value pairs; a second series u is the same.
`)
	for _, g := range Groups() {
		fmt.Fprintf(&b, "\n## %s%s\n\n| function | does | parameters (default) | kinds | type | nulls | example | gives |\n|---|---|---|---|---|---|---|---|\n", strings.ToUpper(string(g[:1])), g[1:])
		for _, f := range Functions(g) {
			out, _, err := queryOf(t, f, tickwell.KindFloat64)
			if err != nil {
				t.Errorf("%s: %v", f.Name, err)
				continue
			}
			if len(out) == 0 {
				t.Errorf("the example of %s gives nothing", f.Name)
			}
			typ := "UDTF"
			if f.Aggregate() {
				typ = "aggregate"
			}
			if f.BuiltIn != "" {
				typ += ", built in as `" + f.BuiltIn + "`"
			}
			nulls, example := f.Nulls, "`"+f.written()+"`"
			if nulls == leftOut {
				nulls = ""
			}
			if p := examples[f.Name].points; p != "" {
				example += " of " + p
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", f.Name, f.Does, f.paramText(), kindsOf(t, f), typ, nulls, example, gives(f, out))
		}
	}
	const file = "../docs/functions.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	above, below, _ := strings.Cut(string(page), marker)
	if *update {
		above = strings.TrimRight(above, "\n") + "\n\n"
		if err := os.WriteFile(file, []byte(above+b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if marker+below != b.String() {
		t.Error("the library's part of docs/functions.md is not what the registrations say: run go test ./udflib -run TestLibraryDocumented -update")
	}
	names := map[string]bool{}
	for _, f := range Functions() {
		if names[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		names[f.Name] = true
	}
	for name := range examples {
		if !names[name] {
			t.Errorf("there is an example of %s, but no such function", name)
		}
	}
}

// Every parameter that is documented is known to the function, and the other
// way round: the error of an unknown one lists them.
func TestParametersDocumented(t *testing.T) {
	known := regexp.MustCompile(`those known are \[(.*)\]`)
	for _, f := range Functions() {
		if f.BuiltIn != "" {
			continue
		}
		var want []string
		for _, p := range f.Params {
			want = append(want, p.Name)
		}
		slices.Sort(want)
		db := open(t)
		width := f.exampleRows().insert(t, db)
		inputs := min(width, inputsOf(f))
		call := strings.TrimSpace(f.Name+" "+examples[f.Name].args) + " nonsense=1"
		_, err := invoke(t, db, inputs, call)
		if err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
			t.Errorf("%s: an unknown attribute is not refused: %v", f.Name, err)
			continue
		}
		m := known.FindStringSubmatch(err.Error())
		if m == nil || m[1] != strings.Join(want, ", ") {
			t.Errorf("%s: knows [%v], documented are %v", f.Name, m, want)
		}
	}
}

// Register makes all functions of the page known with one call, as external
// ones; before, they are unknown. A group can be registered alone, and a name
// that is taken leaves nothing behind.
func TestRegister(t *testing.T) {
	ctx := context.Background()
	openPlain := func() *tickwell.DB {
		db, err := tickwell.Open(ctx, "", &tickwell.Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	external := func(db *tickwell.DB) (names []string) {
		for f := range db.Functions() {
			if strings.HasPrefix(f.Type, "external") {
				names = append(names, strings.ToLower(f.Name))
			}
		}
		return names
	}
	want := func(groups ...Group) (names []string) {
		for _, f := range Functions(groups...) {
			if f.BuiltIn == "" {
				names = append(names, f.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	db := openPlain()
	n := sec(five).insert(t, db)
	if _, err := invoke(t, db, n-1, "zscore"); err == nil {
		t.Error("zscore is known before it is registered")
	}
	if err := Register(ctx, db, MachineLearning); err != nil {
		t.Fatal(err)
	}
	if got := external(db); !slices.Equal(got, want(MachineLearning)) {
		t.Errorf("one group registered: %v, want %v", got, want(MachineLearning))
	}
	if err := Register(ctx, db); err == nil {
		t.Error("registering all over one group: no error")
	}
	if got := external(db); !slices.Equal(got, want(MachineLearning)) {
		t.Errorf("a failed registration left %v, want %v", got, want(MachineLearning))
	}
	db = openPlain()
	sec(five).insert(t, db)
	if err := Register(ctx, db); err != nil {
		t.Fatal(err)
	}
	if got := external(db); !slices.Equal(got, want()) {
		t.Errorf("all registered: %v, want %v", got, want())
	}
	if _, err := invoke(t, db, 1, "ZScore"); err != nil {
		t.Errorf("registered, in another letter case: %v", err)
	}
	// What the page lists of each group.
	page := map[Group]string{
		DataQuality:      "completeness consistency timeliness validity",
		DataProfiling:    "acf distinct histogram integral integralavg mad median minmax mode mvavg pacf percentile period qlb quantile resample sample segment skew spline spread stddev zscore",
		AnomalyDetection: "iqr ksigma lof masterdetect mastertrain missdetect outlier range twosidedfilter",
		FrequencyDomain:  "conv deconv dwt envelope fft highpass idwt ifft lowpass stft",
		DataMatching:     "cov dtw pearson ptnsym xcorr",
		DataRepairing:    "masterrepair seasonalrepair timestamprepair valuefill valuerepair",
		SeriesDiscovery:  "consecutivesequences consecutivewindows",
		MachineLearning:  "ar representation rm",
	}
	for g, names := range page {
		var got []string
		for _, f := range Functions(g) {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != names {
			t.Errorf("%s has %v, want %s", g, got, names)
		}
	}
}
