package sink

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
)

// The table of the Timeplus page.
var (
	row1 = tickwell.Event{ID: "1", Time: time.Date(2022, 1, 23, 10, 0, 0, 123_000_000, time.UTC),
		Fields: []tickwell.Field{tickwell.Int64("number", 50), tickwell.Text("note", "foo")}}
	row2 = tickwell.Event{ID: "2", Time: time.Date(2022, 1, 23, 10, 5, 0, 123_000_000, time.UTC),
		Fields: []tickwell.Field{tickwell.Int64("number", 95), tickwell.Text("note", "Bar")}}
)

// all has a value of everything.
var all = tickwell.Event{
	ID: "i|d", Source: "trig", Series: "root.d.s", Time: row1.Time, Status: tickwell.StatusFiring, Revision: 2,
	Fields: []tickwell.Field{
		tickwell.Float64("f", 50), tickwell.Float64("half", 0.5), tickwell.Float64("million", 1e6), tickwell.Float64("big", 1e30), tickwell.Float64("tiny", -1e-9),
		tickwell.Float32("f32", 0.1), tickwell.Int64("i", -7), tickwell.Bool("b", true), tickwell.Text("t", ` a"b\<&> `),
		{Name: "null"}, tickwell.Text("empty", ""), tickwell.Float64("nan", math.NaN()), tickwell.Float64("avg(root.d.s)", 3),
		tickwell.Float64("max speed", 9), tickwell.Text("传感器", "热"), tickwell.Text("label", "field"), tickwell.Int64("zero", 0),
		tickwell.Text("bad", "a\xff\x00\n"), tickwell.Text("braces", "{{.f}}"),
	},
	Labels: map[string]string{"alertname": "hot", "label": "label", "id": "label's"},
}

func TestTemplate(t *testing.T) {
	for _, c := range []struct {
		text string
		o    TemplateOptions
		e    *tickwell.Event
		want string
	}{
		// The page, with its Chinese text and in English.
		{"传感器数据为 {{.time}} {{.number}}，并备注: {{.note}}", TemplateOptions{}, &row1, "传感器数据为 2022-01-23 10:00:00.123 50，并备注: foo"},
		{"Sensor data {{.time}} {{.number}}, note: {{.note}}", TemplateOptions{}, &row1, "Sensor data 2022-01-23 10:00:00.123 50, note: foo"},
		{"Sensor data {{.time}} {{.number}}, note: {{.note}}", TemplateOptions{}, &row2, "Sensor data 2022-01-23 10:05:00.123 95, note: Bar"},

		{"", TemplateOptions{}, &all, ""},
		{"plain } }} {", TemplateOptions{}, &all, "plain } }} {"},
		{`{{"{{"}}.f}} {{"a\n"}}`, TemplateOptions{}, &all, "{{.f}} a\n"},
		{"{{ .f }}|{{\t.f\n}}|{{.f}}", TemplateOptions{}, &all, "50|50|50"},
		{"{{.f}} {{.half}} {{.million}} {{.big}} {{.tiny}} {{.f32}} {{.i}} {{.b}} {{.nan}} {{.zero}}", TemplateOptions{}, &all, "50 0.5 1000000 1e+30 -1e-09 0.1 -7 true NaN 0"},
		{"{{.null}}|{{.empty}}|{{.t}}", TemplateOptions{}, &all, `null|| a"b\<&> `},
		{"{{.avg(root.d.s)}} {{.`max speed`}} {{.传感器}}", TemplateOptions{}, &all, "3 9 热"},
		{"{{.series}} {{.source}} {{.status}} {{.revision}}", TemplateOptions{}, &all, "root.d.s trig firing 2"},
		{"{{.alertname}} {{.label}} {{.id}}", TemplateOptions{}, &all, "hot field label's"},
		{"{{.braces}}", TemplateOptions{}, &all, "{{.f}}"},

		{"{{.time}}", TemplateOptions{Zone: "Asia/Shanghai"}, &row1, "2022-01-23 18:00:00.123"},
		{"{{.time}}", TemplateOptions{TimeFormat: time.RFC3339, Zone: "America/New_York"}, &row1, "2022-01-23T05:00:00-05:00"},
		{`{{.time | date "15:04"}} {{.time|unix}} {{.time | unixms}}`, TemplateOptions{}, &row1, "10:00 1642932000 1642932000123"},

		{"{{.note | upper}} {{.note|upper|lower}}", TemplateOptions{}, &row1, "FOO foo"},
		{"[{{.t | trim}}]", TemplateOptions{}, &all, `[a"b\<&>]`},
		{"{{.f | fixed 2}} {{.half|fixed 0}} {{.i | fixed 1}} {{.million|fixed 1}} {{.nan | fixed 1}} {{.null|fixed 1}}", TemplateOptions{}, &all, "50.00 0 -7.0 1000000.0 NaN null"},
		{`{{.null | default "-"}} {{.empty | default "\"e\""}} {{.nowhere | default "n"}} {{.zero | default "x"}} {{.nowhere | upper | default "n"}} {{.null | fixed 2 | default "-"}}`,
			TemplateOptions{}, &all, `- "e" n 0 n -`},
		{"[{{.nowhere}}{{.nowhere | upper}}]", TemplateOptions{Empty: true}, &all, "[]"},

		{"{{.t | trim | url}} {{.传感器 | url}}", TemplateOptions{}, &all, "a%22b%5C%3C%26%3E %E7%83%AD"},
		{"{{.bad}}", TemplateOptions{}, &all, "a\uFFFD\x00\n"},
		{"{{.bad}}", TemplateOptions{Escape: func(dst []byte, s string) []byte { return append(dst, s...) }}, &all, "a\uFFFD\x00\n"},
		{"<b>{{.t}}</b>", TemplateOptions{Escape: func(dst []byte, s string) []byte { return append(dst, strings.ToUpper(s)...) }}, &all, `<b> A"B\<&> </b>`},

		{`{"t":{{.t}},"q":"<{{.t}}>","f":{{.f}},"x":{{.f | fixed 2}},"n":{{.null}},"time":{{.time}},"u":{{.time|unix}},"nan":{{.nan}}}`, TemplateOptions{JSON: true}, &all,
			`{"t":" a\"b\\<&> ","q":"< a\"b\\<&> >","f":50,"x":50.00,"n":null,"time":"2022-01-23 10:00:00.123","u":1642932000,"nan":"NaN"}`},
		{`["a \" {{.t}} \\", {{.b}}, "{{.f}}", "{{.null}}"]`, TemplateOptions{JSON: true}, &all, `["a \"  a\"b\\<&>  \\", true, "50", "null"]`},
		{`{"{{.t|trim}}": {{.bad}}}`, TemplateOptions{JSON: true}, &all, "{\"a\\\"b\\\\<&>\": \"a\uFFFD\\u0000\\n\"}"},
		{`[{{.nowhere}},"{{.nowhere}}"]`, TemplateOptions{JSON: true, Empty: true}, &all, `[null,""]`},
		{`{{.t}}`, TemplateOptions{JSON: true}, &all, `" a\"b\\<&> "`},

		{"{{.number}}", TemplateOptions{Columns: []string{"number"}}, &row1, "50"},
		{"{{.time}}{{.id}}", TemplateOptions{Columns: []string{}}, &row1, "2022-01-23 10:00:00.1231"},
		{"1234", TemplateOptions{Max: 4}, &row1, "1234"},
	} {
		tpl, err := NewTemplate(c.text, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := tpl.Render(c.e)
		if err != nil || got != c.want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.text, got, err, c.want)
		}
		if c.o.JSON && !json.Valid([]byte(got)) {
			t.Errorf("%s gives no JSON: %s", c.text, got)
		}
	}
}

// TestTemplateRefused holds what is found when the template is made.
func TestTemplateRefused(t *testing.T) {
	for _, c := range []struct {
		text string
		o    TemplateOptions
		want string
	}{
		{"{{.a", TemplateOptions{}, "}} is missing"},
		{"{{.a}", TemplateOptions{}, "}} is missing"},
		{"{{.a b}}", TemplateOptions{}, "}} is missing"},
		{"{{a}}", TemplateOptions{}, "begins with a point"},
		{"{{}}", TemplateOptions{}, "begins with a point"},
		{"{{.}}", TemplateOptions{}, "no name"},
		{"{{. a}}", TemplateOptions{}, "no name"},
		{"{{.``}}", TemplateOptions{}, "backquotes"},
		{"{{.`a}}", TemplateOptions{}, "backquotes"},
		{`{{"a}}`, TemplateOptions{}, "does not end"},
		{"{{.a | nofilter}}", TemplateOptions{}, `no filter "nofilter"`},
		{"{{.a | printf}}", TemplateOptions{}, "no filter"},
		{"{{.a |}}", TemplateOptions{}, "no filter"},
		{"{{.a | upper lower}}", TemplateOptions{}, "}} is missing"},
		{"{{.a | fixed}}", TemplateOptions{}, "from 0 to 20"},
		{"{{.a | fixed 21}}", TemplateOptions{}, "from 0 to 20"},
		{"{{.a | fixed 99999999999999999999}}", TemplateOptions{}, "from 0 to 20"},
		{"{{.a | default x}}", TemplateOptions{}, "in quotes"},
		{"{{range .a}}{{end}}", TemplateOptions{}, "begins with a point"},
		{"{{if .a}}", TemplateOptions{}, "begins with a point"},
		{"\xff", TemplateOptions{}, "not UTF-8"},
		{"{{.b}}", TemplateOptions{Columns: []string{"a"}}, `no column "b"`},
		{"{{.a}}", TemplateOptions{Columns: []string{}}, `no column "a"`},
		{"{{.time}}", TemplateOptions{Zone: "Atlantis/Centre"}, "Atlantis"},
		{"{{.a}} text", TemplateOptions{JSON: true}, "does not make JSON"},
		{`{{{.a}}: 1}`, TemplateOptions{JSON: true}, ""},
		{`{ {{.a}}: 1}`, TemplateOptions{JSON: true}, "does not make JSON"},
		{`{"a": "{{.a}}}`, TemplateOptions{JSON: true}, "does not make JSON"},
		{`["\{{.a}}"]`, TemplateOptions{JSON: true}, "does not make JSON"},
		{`[1{{.a}}]`, TemplateOptions{JSON: true}, "does not make JSON"},
	} {
		_, err := NewTemplate(c.text, c.o)
		if err == nil || !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want ErrBadInput with %q", c.text, err, c.want)
		}
	}
}

// A field of Unix nanoseconds, such as last of an alert for silence, is a time to the
// filters of time; null is left to default.
func TestTemplateTimesOfFields(t *testing.T) {
	e := tickwell.Event{ID: "1", Fields: []tickwell.Field{tickwell.Int64("last", 1_700_000_000_123_456_789), {Name: "none"}}}
	for text, want := range map[string]string{
		`{{.last | date "2006-01-02 15:04:05"}}`:   "2023-11-15 06:13:20",
		`{{.last | unix}} {{.last | unixms}}`:      "1700000000 1700000000123",
		`{{.last}}`:                                "1700000000123456789",
		`{{.none | date "15:04" | default "-"}}`:   "-",
		`{{.absent | date "15:04" | default "-"}}`: "-",
		`{{.absent | unix | default "-"}}`:         "-",
		`{{.none | unix}}`:                         "null",
	} {
		tpl, err := NewTemplate(text, TemplateOptions{Zone: "Asia/Shanghai"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tpl.Append(nil, &e)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	tpl, err := NewTemplate(`{{.absent | date "15:04"}}`, TemplateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Append(nil, &e); err == nil || !strings.Contains(err.Error(), "no such field or label") {
		t.Error(err)
	}
}

// TestTemplateFailsForAnEvent holds what can only be found then: the event is
// given up, and nothing is appended.
func TestTemplateFailsForAnEvent(t *testing.T) {
	for _, c := range []struct {
		text string
		o    TemplateOptions
		want string
	}{
		{"a{{.nowhere}}", TemplateOptions{}, "{{.nowhere}}: event 1 has no such field or label"},
		{"a{{.note | fixed 2}}", TemplateOptions{}, "a text is not a number"},
		{"a{{.time | fixed 2}}", TemplateOptions{}, "a time is not a number"},
		{`a{{.note | date "15"}}`, TemplateOptions{}, "not a time"},
		{"a{{.note | unix}}", TemplateOptions{}, "not a time"},
		{"12345", TemplateOptions{Max: 4}, "more than 4 bytes"},
		{"{{.note}}{{.note}}", TemplateOptions{Max: 5}, "more than 5 bytes"},
	} {
		tpl, err := NewTemplate(c.text, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := tpl.Append([]byte("before "), &row1)
		if class, _ := deliver.Classify(err); class != deliver.ClassPermanent || !strings.Contains(err.Error(), c.want) || string(got) != "before " {
			t.Errorf("%s: %q, %v, want permanent %q", c.text, got, err, c.want)
		}
	}
	tpl, err := NewTemplate(strings.Repeat("x", 64<<10), TemplateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Render(&row1); err != nil {
		t.Errorf("64 KiB: %v", err)
	}
}

// FuzzTemplate holds that no template and no text make it panic, and that what
// was accepted as JSON gives JSON.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{{.note}}", `{"a":{{.note}},"b":"{{.note | upper}}"}`, `["{{"\""}}{{.note}}"]`, "{{.`a b` | default \"x\"}}", "{{{.note}}", `"\\{{.note}}"`} {
		f.Add(s, "x\"\\\x00")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		e := tickwell.Event{Time: row1.Time, Fields: []tickwell.Field{tickwell.Text("note", value), tickwell.Float64("f", math.Inf(1))}}
		if tpl, err := NewTemplate(text, TemplateOptions{Empty: true}); err == nil {
			_, _ = tpl.Render(&e)
		}
		tpl, err := NewTemplate(text, TemplateOptions{Empty: true, JSON: true})
		if err != nil {
			return
		}
		if got, err := tpl.Render(&e); err == nil && !json.Valid([]byte(got)) {
			t.Fatalf("%q with %q gives %q", text, value, got)
		}
	})
}
