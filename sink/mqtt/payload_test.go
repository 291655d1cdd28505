package mqtt

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// payload is what a sink publishes for an event.
func payload(t *testing.T, s *Sink, e tickwell.Event) (string, error) {
	t.Helper()
	s.Broker, s.Topic = "localhost", "t"
	f, err := newForms(s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.message(&e)
	return string(m.payload), err
}

func TestPayload(t *testing.T) {
	at := time.UnixMilli(5)
	one := []tickwell.Field{tickwell.Int32("s1", 1), tickwell.Text("s2", "a")}
	for _, c := range []struct {
		name string
		s    Sink
		e    tickwell.Event
		want string
	}{
		{
			"the page's", Sink{}, tickwell.Event{Series: "root.sg1.d1", Time: at, Fields: one},
			`{"device":"root.sg1.d1","measurements":["s1","s2"],"timestamp":5,"values":[1,"a"]}`,
		},
		{
			"settings name device and measurements", Sink{Device: "root.alerting", Measurements: []string{"remote"}},
			NewEvent("test", ExactlyOnce, false, at, tickwell.Float64Value(14)),
			`{"device":"root.alerting","measurements":["remote"],"timestamp":5,"values":[14.0]}`,
		},
		{
			"kinds", Sink{}, tickwell.Event{Source: "root.d", Time: at, Fields: []tickwell.Field{
				tickwell.Bool("b", true), tickwell.Int64("i", math.MinInt64), tickwell.Float32("f", 0.1), tickwell.Float64("g", -2),
				tickwell.Float64("h", 1e300), tickwell.Float64("n", math.NaN()), tickwell.Float32("m", float32(math.Inf(-1))),
			}},
			`{"device":"root.d","measurements":["b","i","f","g","h","n","m"],"timestamp":5,"values":[true,-9223372036854775808,0.1,-2.0,1e+300,"NaN","-Inf"]}`,
		},
		{
			"escaped, % included", Sink{}, tickwell.Event{Series: `root."%s"`, Time: at, Fields: []tickwell.Field{tickwell.Text("100%d", "a\"\\\n\x00%")}},
			`{"device":"root.\"%s\"","measurements":["100%d"],"timestamp":5,"values":["a\"\\\n\u0000%"]}`,
		},
		{
			"nulls left out", Sink{}, tickwell.Event{Series: "d", Time: at, Fields: []tickwell.Field{{Name: "n"}, tickwell.Int64("i", 2), {Name: "o"}}},
			`{"device":"d","measurements":["i"],"timestamp":5,"values":[2]}`,
		},
		{
			"before 1970, nanoseconds", Sink{Precision: time.Nanosecond}, tickwell.Event{Series: "d", Time: time.Unix(0, -1500001), Fields: one[:1]},
			`{"device":"d","measurements":["s1"],"timestamp":-1500001,"values":[1]}`,
		},
		{
			"before 1970, rounded down", Sink{}, tickwell.Event{Series: "d", Time: time.Unix(0, -1500001), Fields: one[:1]},
			`{"device":"d","measurements":["s1"],"timestamp":-2,"values":[1]}`,
		},
		{"row", Sink{Payload: FormatRow}, tickwell.Event{Time: at, Fields: one}, `{"time":"1970-01-01T00:00:00.005Z","s1":1,"s2":"a"}`},
		{
			"event", Sink{Payload: FormatEvent}, tickwell.Event{ID: "7", Source: "t", Series: "d", Time: at, Fields: one[:1]},
			`{"id":"7","source":"t","series":"d","time":"1970-01-01T00:00:00.005Z","fields":{"s1":1}}`,
		},
		{"body", Sink{Body: "{{.s2 | upper}}={{.s1}}"}, tickwell.Event{Time: at, Fields: one}, "A=1"},
	} {
		got, err := payload(t, &c.s, c.e)
		if err != nil || got != c.want {
			t.Errorf("%s: %s %v\nwant %s", c.name, got, err, c.want)
		}
		if strings.HasPrefix(got, "{") && !json.Valid([]byte(got)) {
			t.Errorf("%s: no JSON: %s", c.name, got)
		}
	}
}

func TestPayloadRefused(t *testing.T) {
	one := []tickwell.Field{tickwell.Int32("s1", 1)}
	for _, c := range []struct {
		name string
		s    Sink
		e    tickwell.Event
		want string
	}{
		{"no values", Sink{}, tickwell.Event{Series: "d"}, "without values"},
		{"only nulls", Sink{}, tickwell.Event{Series: "d", Fields: []tickwell.Field{{Name: "n"}}}, "without values"},
		{"more values than measurements", Sink{Measurements: []string{}}, tickwell.Event{Series: "d", Fields: one}, "1 values for 0 measurements"},
		{"fewer values", Sink{Measurements: []string{"a", "b"}}, tickwell.Event{Series: "d", Fields: one}, "1 values for 2 measurements"},
		{"too large", Sink{MaxPayload: 40}, tickwell.Event{Series: "d", Fields: one}, "at most 40 are allowed"},
		{"body too large", Sink{MaxPayload: 4, Body: "12345"}, tickwell.Event{Series: "d", Fields: one}, "more than 4 bytes"},
		{"no such column", Sink{Body: "{{.nothing}}"}, tickwell.Event{Series: "d", Fields: one}, "nothing"},
	} {
		got, err := payload(t, &c.s, c.e)
		if err == nil || !strings.Contains(err.Error(), "permanent") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s %v, want a permanent error with %q", c.name, got, err, c.want)
		}
	}
}

func column(name string, v tickwell.Vector, nulls ...int) tickwell.Column {
	c := tickwell.Column{Name: name, Data: v}
	for _, i := range nulls {
		c.Nulls.Set(i)
	}
	return c
}

func TestDecodeTablet(t *testing.T) {
	ms := int64(time.Millisecond)
	kinds := map[string]tickwell.Kind{"i": tickwell.KindInt32, "f": tickwell.KindFloat32, "g": tickwell.KindFloat64, "s": tickwell.KindText, "b": tickwell.KindBool}
	for _, c := range []struct {
		name, in string
		o        DecodeOptions
		want     []tickwell.Tablet
	}{
		{
			"one row", `{"device":"root.sg1.d1","measurements":["s1","s2"],"timestamp":5,"values":[1,"a"]}`, DecodeOptions{},
			[]tickwell.Tablet{{Device: "root.sg1.d1", Times: []int64{5 * ms}, Columns: []tickwell.Column{column("s1", tickwell.Int64s{1}), column("s2", tickwell.Texts{"a"})}}},
		},
		{
			"rows", ` {"device":"d","measurements":["a","b","c"],"timestamps":[2,1],"values":[[1,null,null],[2.5,true,null]],"extra":{}}`, DecodeOptions{Precision: time.Second},
			[]tickwell.Tablet{{Device: "d", Times: []int64{2e9, 1e9}, Columns: []tickwell.Column{column("a", tickwell.Float64s{1, 2.5}), column("b", tickwell.Bools{false, true}, 0)}}},
		},
		{
			"array", `[{"device":"d","measurements":["a"],"timestamp":-1,"values":[-0.0]},{"device":"e","measurements":["a"],"timestamps":[3],"values":[["x"]]}]`, DecodeOptions{},
			[]tickwell.Tablet{
				{Device: "d", Times: []int64{-ms}, Columns: []tickwell.Column{column("a", tickwell.Float64s{math.Copysign(0, -1)})}},
				{Device: "e", Times: []int64{3 * ms}, Columns: []tickwell.Column{column("a", tickwell.Texts{"x"})}},
			},
		},
		{
			"kinds asked for", `{"device":"d","measurements":["i","f","g","s","b","x"],"timestamp":0,"values":["7",1,"-Inf",2,"true",3]}`,
			DecodeOptions{Kind: func(_, m string) tickwell.Kind { return kinds[m] }},
			[]tickwell.Tablet{{Device: "d", Times: []int64{0}, Columns: []tickwell.Column{
				column("i", tickwell.Int32s{7}), column("f", tickwell.Float32s{1}), column("g", tickwell.Float64s{math.Inf(-1)}),
				column("s", tickwell.Texts{"2"}), column("b", tickwell.Bools{true}), column("x", tickwell.Int64s{3}),
			}}},
		},
	} {
		got, err := DecodeTablet([]byte(c.in), c.o)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v %v\nwant %+v", c.name, got, err, c.want)
		}
	}
}

func TestDecodeTabletRefused(t *testing.T) {
	asInt := DecodeOptions{Kind: func(string, string) tickwell.Kind { return tickwell.KindInt32 }}
	for _, c := range []struct {
		in   string
		o    DecodeOptions
		want string
	}{
		{``, DecodeOptions{}, "unexpected end"},
		{`[]`, DecodeOptions{}, "empty array"},
		{`{}`, DecodeOptions{}, "no timestamp"},
		{`{"timestamp":1}`, DecodeOptions{}, "no device"},
		{`{"device":"d","timestamp":1}`, DecodeOptions{}, "no measurements"},
		{`{"device":"d","measurements":["a"],"timestamp":1.5,"values":[1]}`, DecodeOptions{}, "no integer in range"},
		{`{"device":"d","measurements":["a"],"timestamp":9223372036854775807,"values":[1]}`, DecodeOptions{}, "no integer in range"},
		{`{"device":"d","measurements":["a"],"timestamp":1,"timestamps":[1],"values":[1]}`, DecodeOptions{}, "both"},
		{`{"device":"d","measurements":["a","b"],"timestamp":1,"values":[1]}`, DecodeOptions{}, "1 values for 2 measurements"},
		{`{"device":"d","measurements":["a"],"timestamps":[1,2],"values":[[1]]}`, DecodeOptions{}, "1 rows of values for 2 timestamps"},
		{`{"device":"d","measurements":["a"],"timestamps":[1],"values":[1]}`, DecodeOptions{}, "row 0"},
		{`{"device":"d","measurements":["a"],"timestamp":1,"values":[null]}`, DecodeOptions{}, "no values"},
		{`{"device":"d","measurements":["a"],"timestamp":1,"values":[{"x":1}]}`, DecodeOptions{}, "no single value"},
		{`{"device":"d","measurements":["a"],"timestamp":1,"values":[1e999]}`, DecodeOptions{}, "no value of kind"},
		{`{"device":"d","measurements":["a"],"timestamps":[1,2],"values":[[1],["x"]]}`, DecodeOptions{}, "values of kinds"},
		{`{"device":"d","measurements":["a"],"timestamp":1,"values":[1.5]}`, asInt, "no value of kind"},
		{`{"device":"d","measurements":["a"],"timestamp":1,"values":[true]}`, asInt, "no value of kind"},
		{`{"device":"d","measurements":["a"],"timestamps":[1,2],"values":[[1],[2]]}`, DecodeOptions{Rows: 1}, "more than 1 rows"},
		{`[{"device":"d","measurements":["a"],"timestamp":1,"values":[1]},{"device":"","measurements":["a"],"timestamp":1,"values":[1]}]`, DecodeOptions{}, "object 1: no device"},
	} {
		got, err := DecodeTablet([]byte(c.in), c.o)
		if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%s: %v %v, want nothing and %q", c.in, got, err, c.want)
		}
	}
}

// FuzzDecodeTablet holds that nothing makes it panic, and that what it has read
// a store takes or refuses with a word.
func FuzzDecodeTablet(f *testing.F) {
	f.Add([]byte(`{"device":"root.sg1.d1","measurements":["s1","s2"],"timestamp":5,"values":[1,"a"]}`))
	f.Add([]byte(`[{"device":"d","measurements":["a"],"timestamps":[3,4],"values":[["x"],[null]]}]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		tablets, err := DecodeTablet(in, DecodeOptions{})
		if err != nil {
			return
		}
		for _, tab := range tablets {
			for _, c := range tab.Columns {
				if c.Data.Len() != len(tab.Times) {
					t.Fatalf("%d times, %d values", len(tab.Times), c.Data.Len())
				}
			}
		}
	})
}

// FuzzRoundTrip holds that what a sink writes DecodeTablet reads.
func FuzzRoundTrip(f *testing.F) {
	f.Add("root.d", "s", int64(5), int64(1), 1.5, "a\x00\"", true)
	f.Fuzz(func(t *testing.T, device, name string, at, i int64, g float64, text string, b bool) {
		fields := []tickwell.Field{
			tickwell.Int64(name, i), tickwell.Float64(name+"1", g), tickwell.Text(name+"2", text), tickwell.Bool(name+"3", b),
			tickwell.Float32(name+"4", float32(g)),
		}
		row := tabletRow{device: device, at: time.Unix(0, at), fields: fields}
		text1, err := row.append(nil, time.Nanosecond)
		if err != nil || !json.Valid(text1) {
			t.Fatalf("%s %v", text1, err)
		}
		if device == "" {
			return
		}
		kind := func(_, m string) tickwell.Kind {
			switch {
			case strings.HasSuffix(m, "1"):
				return tickwell.KindFloat64
			case strings.HasSuffix(m, "4"):
				return tickwell.KindFloat32
			}
			return tickwell.KindNull
		}
		tablets, err := DecodeTablet(text1, DecodeOptions{Precision: time.Nanosecond, Kind: kind})
		if strings.HasSuffix(name, "1") || strings.HasSuffix(name, "4") {
			return // the hint above would be wrong for the integer
		}
		if err != nil {
			t.Fatalf("%s: %v", text1, err)
		}
		if len(tablets) != 1 || tablets[0].Times[0] != at || tablets[0].Device != strings.ToValidUTF8(device, "\uFFFD") && strings.ToValidUTF8(device, "") == device {
			t.Fatalf("%s: %+v", text1, tablets)
		}
		for n, c := range tablets[0].Columns {
			want := fields[n].Value
			if want.Kind() == tickwell.KindText {
				continue // bad UTF-8 is replaced
			}
			if got := c.Data.Value(0); !got.Equal(want) && got.String() != want.String() {
				t.Fatalf("%s: %s is %v, want %v", text1, c.Name, got, want)
			}
		}
	})
}
