package sink

import (
	"encoding/json"
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tickwell/tickwell"
)

var noon = time.Date(2022, 1, 23, 12, 0, 0, 123_000_000, time.FixedZone("", 2*3600))

func TestAppendJSON(t *testing.T) {
	for _, c := range []struct {
		e    tickwell.Event
		want string
	}{
		{tickwell.Event{}, `{"id":"","source":"","series":"","time":"0001-01-01T00:00:00Z"}`},
		{tickwell.Event{ID: "a|b", Source: "t", Series: "root.d.s", Time: noon},
			`{"id":"a|b","source":"t","series":"root.d.s","time":"2022-01-23T10:00:00.123Z"}`},
		{tickwell.Event{Status: tickwell.StatusFiring, Revision: 2, Time: noon,
			Fields: []tickwell.Field{tickwell.Int64("z", 1), tickwell.Text("a", "x\"\\")},
			Labels: map[string]string{"b": "2", "a": "1"}, Notes: map[string]string{"n": "\n"}},
			`{"id":"","source":"","series":"","time":"2022-01-23T10:00:00.123Z","status":"firing","revision":2,` +
				`"fields":{"z":1,"a":"x\"\\"},"labels":{"a":"1","b":"2"},"notes":{"n":"\n"}}`},
	} {
		if got := string(AppendJSON(nil, &c.e)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestAppendRowJSON(t *testing.T) {
	fields := func(f ...tickwell.Field) tickwell.Event {
		return tickwell.Event{ID: "i", Series: "s", Time: noon, Fields: f}
	}
	for _, c := range []struct {
		e    tickwell.Event
		want string
	}{
		{fields(), `{"time":"2022-01-23T10:00:00.123Z"}`},
		{fields(tickwell.Int32("number", 50), tickwell.Text("note", "foo")), `{"time":"2022-01-23T10:00:00.123Z","number":50,"note":"foo"}`},
		{fields(tickwell.Int64("time", 7), tickwell.Bool("in_use", false)), `{"time":7,"in_use":false}`},
		{fields(tickwell.Field{Name: "time"}, tickwell.Field{Name: "gone"}), `{"time":"2022-01-23T10:00:00.123Z","gone":null}`},
	} {
		got := string(AppendRowJSON(nil, &c.e))
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("not JSON: %s", got)
		}
	}
}

func TestAppendValueJSON(t *testing.T) {
	for _, c := range []struct {
		v    tickwell.Value
		want string
	}{
		{tickwell.Value{}, `null`},
		{tickwell.BoolValue(true), `true`},
		{tickwell.Int32Value(math.MinInt32), `-2147483648`},
		{tickwell.Int64Value(math.MaxInt64), `9223372036854775807`},
		{tickwell.Float32Value(0.1), `0.1`},
		{tickwell.Float64Value(50), `50`},
		{tickwell.Float64Value(1e300), `1e+300`},
		{tickwell.Float64Value(math.NaN()), `"NaN"`},
		{tickwell.Float64Value(math.Inf(1)), `"+Inf"`},
		{tickwell.Float32Value(float32(math.Inf(-1))), `"-Inf"`},
		{tickwell.TextValue("传感器"), `"传感器"`},
		{tickwell.TextValue("a\x00\x1f\x7f\t\r\n\"\\/<>&"), `"a\u0000\u001f\u007f\t\r\n\"\\/<>&"`},
		{tickwell.TextValue("\xffx\u2028\u2029"), "\"\uFFFDx\\u2028\\u2029\""},
	} {
		if got := string(AppendValueJSON(nil, c.v)); got != c.want {
			t.Errorf("%v: got %s, want %s", c.v, got, c.want)
		}
	}
}

// FuzzTextJSON holds that any text comes out of a JSON reader as it went in,
// but for bytes that are no UTF-8.
func FuzzTextJSON(f *testing.F) {
	for _, s := range []string{"", "a\"\\\n", "\xff", "\u2028", "\x00\x7f", "ä传\U0001F600"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		b := appendText(nil, s)
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q as %q: %v", s, b, err)
		}
		if utf8.ValidString(s) && got != s {
			t.Fatalf("%q came back as %q", s, got)
		}
	})
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	e := tickwell.Event{ID: "i", Series: "root.d.s", Time: noon, Fields: []tickwell.Field{tickwell.Float64("a", 5e77), tickwell.Int64("i", 1<<60), tickwell.Text("b", "x")}}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = AppendRowJSON(AppendJSON(buf[:0], &e), &e) }); n > 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
