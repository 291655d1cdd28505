package window

import (
	"math"
	"strings"
	"testing"
	"time"
)

var specTexts = map[string]Spec{
	`size(10)`:         Count(10),
	`size(10, step 5)`: Count(10).Every(5),
	`time(1m0s)`:       Tumbling(time.Minute),
	`time(1m0s, step 10s, anchor 2026-01-01T00:00:00Z)`:                                                 Sliding(time.Minute, 10*time.Second).From(1767225600 * sec),
	`time(3ns, anchor first, begin 1970-01-01T00:00:00.000000005Z, end 1970-01-01T00:00:00.000000009Z)`: Tumbling(3).FromFirst().Since(5).Until(9),
	`calendar(1 month, zone "Europe/Berlin")`:                                                           Months(1, "Europe/Berlin"),
	`calendar(2 week, step 1)`:                                                                          Weeks(2, "").EveryUnits(1),
	`calendar(1 year, anchor first)`:                                                                    Years(1, "").FromFirst(),
	`session(30s, max 5m0s)`:                                                                            Gap(30 * time.Second).AtMost(5 * time.Minute),
	`session(0s)`:                                                                                       Gap(0),
	`state("temp, inside")`:                                                                             Same("temp, inside"),
	`state("a\"b", delta 0.5)`:                                                                          Within(`a"b`, 0.5),
	`condition("running", keep 3, most 7, end 1677-09-21T00:12:43.145224192Z)`:                          While("running").Keep(3, 7).Until(math.MinInt64),
}

func TestSpecText(t *testing.T) {
	for text, s := range specTexts {
		if got := s.String(); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
		if got, err := ParseSpec(text); err != nil || got != s {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]Spec{
		` time( 90s ,anchor epoch)`: Tumbling(90 * time.Second),
		`time(5ns, anchor 17)`:      Tumbling(5).From(17),
		`calendar(3 days)`:          Days(3, ""),
		`state(temp, delta 1)`:      Within("temp", 1),
		`condition(on, begin -5)`:   While("on").Since(-5),
	} {
		if got, err := ParseSpec(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		``: "want kind", `size`: "want kind", `size(`: "want kind", `size()`: "invalid syntax", `cube(3)`: "unknown kind",
		`size(0)`: "windowSize(0)", `size(3, gap 4)`: "no argument", `size(3, step 1, step 2)`: "twice",
		`time(5)`: "missing unit", `time(5s, zone "UTC")`: "no argument", `size(3, anchor first)`: "another kind",
		`calendar(1 fortnight)`: "unit", `state("a)`: "invalid syntax", `state("a", delta NaN)`: "delta",
		`time(1s, begin 2500-01-01T00:00:00Z)`: "years", `session(-1s)`: "sessionTimeGap",
	} {
		if got, err := ParseSpec(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v, want an error with %q", text, got, err, want)
		}
	}
}

func FuzzSpec(f *testing.F) {
	for text := range specTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpec(text)
		if err != nil {
			return
		}
		if again, err := ParseSpec(s.String()); err != nil || again != s {
			t.Errorf("%q is %#v, but %q is %#v, %v", text, s, s, again, err)
		}
	})
}

// Options that do not fit are refused when the handler is made.
func TestOptionsRefused(t *testing.T) {
	tumble := Tumbling(time.Second)
	for _, c := range []struct {
		s     Spec
		o     Options[float64]
		param string
	}{
		{tumble, Options[float64]{Lateness: -1}, "lateness"},
		{tumble, Options[float64]{Strict: true, Lateness: 1}, "lateness"},
		{tumble, Options[float64]{Emit: Early}, "emitDelay"},
		{tumble, Options[float64]{EmitDelay: 1}, "emitDelay"},
		{tumble, Options[float64]{Emit: 9}, "emission"},
		{Count(3), Options[float64]{Empty: true}, "empty"},
		{tumble, Options[float64]{EmptyCap: -1}, "emptyCap"},
		{tumble, Options[float64]{DropTail: true}, "dropTail"},
		{Count(3), Options[float64]{IdleAfter: 1}, "idleAfter"},
		{tumble, Options[float64]{IdleAfter: -1}, "idleAfter"},
		{tumble, Options[float64]{MaxFuture: -1}, "maxFuture"},
		{tumble, Options[float64]{MaxRows: -1}, "maxRows"},
		{tumble, Options[float64]{Rejection: DropNewest}, "rejection"},
		{tumble, Options[float64]{Rejection: 9}, "rejection"},
		{Sliding(time.Hour, 1), Options[float64]{}, "slidingStep"},
		{While("x"), Options[float64]{}, "value type"},
	} {
		for face, make := range map[string]func() error{
			"rows": func() error { _, err := New(c.s, func(Window[float64]) error { return nil }, &c.o); return err },
			"fold": func() error {
				_, err := Reduce(c.s, Sum[float64]{}, func(Result[float64]) error { return nil }, &c.o)
				return err
			},
		} {
			pe, ok := make().(*ParamError)
			if !ok || pe.Param != c.param {
				t.Errorf("%s %s %+v: got %v, want parameter %s", face, c.s, c.o, pe, c.param)
			}
		}
	}
	type opaque struct{ _ int }
	if _, err := New(Same("x"), func(Window[opaque]) error { return nil }, nil); err == nil {
		t.Error("state windows of a struct without Same: no error")
	}
	for _, err := range Over(func(func(int64, float64) bool) {}, tumble, &Options[float64]{IdleAfter: 1}) {
		if err == nil {
			t.Error("pulling with a clock: no error")
		}
	}
}

// Values of all kinds know how to be the same.
func TestSame(t *testing.T) {
	nan := math.NaN()
	check := func(name string, got, want bool) {
		if got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	check("NaN and NaN", sameFunc[float64](0)(nan, nan), true)
	check("NaN and 1", sameFunc[float64](5)(nan, 1), false)
	check("1 and NaN", sameFunc[float64](5)(1, nan), false)
	check("infinities", sameFunc[float64](5)(math.Inf(1), math.Inf(1)), true)
	check("delta reached", sameFunc[float64](5)(1, 6), true)
	check("delta passed", sameFunc[float64](5)(1, 6.001), false)
	check("zeros", sameFunc[float64](0)(0, math.Copysign(0, -1)), true)
	check("wide int64", sameFunc[int64](1e18)(math.MinInt64, math.MaxInt64), false)
	check("widest int64", sameFunc[int64](1<<64)(math.MinInt64, math.MaxInt64), true)
	check("int64 down", sameFunc[int64](3)(5, 2), true)
	check("int64 fraction", sameFunc[int64](2.9)(5, 2), false)
	check("int8", sameFunc[int8](200)(-100, 100), true)
	check("uint64", sameFunc[uint64](1)(math.MaxUint64, 0), false)
	check("string", sameFunc[string](0)("a", "b"), false)
	check("bool", sameFunc[bool](0)(true, true), true)
}
