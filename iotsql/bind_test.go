package iotsql

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

type (
	celsius float32
	meters  float64
	count   int64
	small   uint8
	label   string
	flagged bool
)

// A parameter may be of any Go type of numbers, texts and booleans wherever a literal
// may stand.
func TestParametersOfEveryKind(t *testing.T) {
	c := memory(t, nil)
	answer(t, c, "CREATE TIMESERIES root.b.d.f DOUBLE")
	answer(t, c, "INSERT INTO root.b.d(time, f, g) VALUES (1, 1, 5), (2, 1.5, null), (3, 4, 7), (4, 4, 7)")
	for _, q := range []struct {
		text string
		args []any
		want string
	}{
		{"SELECT g FROM root.b.d WHERE f > 0 AND time = 2 OR g > 6 FILL(?)", []any{float32(2.5)}, "Time,root.b.d.g|2,2.5|3,7.0|4,7.0"},
		{"SELECT f, g FROM root.b.d WHERE time < 3 FILL(?)", []any{float32(2.5)}, "Time,root.b.d.f,root.b.d.g|1,1.0,5.0|2,1.5,2.5"},
		{"SELECT f, g FROM root.b.d WHERE time < 3 FILL(-?)", []any{float32(2.5)}, "Time,root.b.d.f,root.b.d.g|1,1.0,5.0|2,1.5,-2.5"},
		{"SELECT f, g FROM root.b.d WHERE time < 3 FILL(?)", []any{celsius(2.5)}, "Time,root.b.d.f,root.b.d.g|1,1.0,5.0|2,1.5,2.5"},
		{"SELECT f, g FROM root.b.d WHERE time < 3 FILL(?)", []any{small(3)}, "Time,root.b.d.f,root.b.d.g|1,1.0,5.0|2,1.5,3.0"},
		{"SELECT count(f) AS n FROM root.b.d GROUP BY VARIATION(f, ?)", []any{float32(0.75)}, "Time,n|1,2|3,2"},
		{"SELECT count(f) AS n FROM root.b.d GROUP BY VARIATION(f, ?)", []any{meters(0.75)}, "Time,n|1,2|3,2"},
		{"SELECT count(f) AS n FROM root.b.d GROUP BY VARIATION(f, ?)", []any{uint16(3)}, "Time,n|1,4"},
		{"SELECT count(f) AS n FROM root.b.d GROUP BY CONDITION(f < ?, KEEP >= ?)", []any{int8(2), small(2)}, "Time,n|1,2"},
		{"SELECT count(f) AS n FROM root.b.d GROUP BY CONDITION(f > ?, ?)", []any{celsius(1.25), uint32(3)}, "Time,n|2,3"},
		{"SELECT count(f) AS n FROM root.b.d GROUP BY COUNT(f, ?)", []any{count(2)}, "Time,n|1,2|3,2"},
		{"SELECT count_if(f > ?, KEEP >= ?) AS n FROM root.b.d", []any{float32(3), small(2)}, "n|1"},
		{"SELECT count(f) AS n FROM root.b.d WHERE f IN (?, ?)", []any{celsius(1), count(4)}, "n|3"},
		{"SELECT count(f) AS n FROM root.b.d GROUP BY ([?, ?), ?)", []any{small(1), count(5), 2 * time.Millisecond}, "Time,n|1,2|3,2"},
		{"SELECT count(f) AS n FROM root.b.* GROUP BY LEVEL = ?, ?", []any{small(0), 1}, "n|4"},
		{"SELECT f FROM root.b.d LIMIT ? OFFSET ?", []any{small(1), count(2)}, "Time,root.b.d.f|3,4.0"},
		{"SELECT CAST(f AS TEXT) LIKE ? AS y FROM root.b.d LIMIT 1", []any{label("1%")}, "Time,y|1,true"},
		{"SELECT CAST(f AS TEXT) LIKE ? AS y FROM root.b.d LIMIT 1", []any{[]byte("2%")}, "Time,y|1,false"},
		{"SELECT (f > 3) = ? AS y FROM root.b.d LIMIT 1", []any{flagged(false)}, "Time,y|1,true"},
	} {
		if got := answer(t, c, q.text, q.args...); got != q.want {
			t.Errorf("%s %v\ngot  %s\nwant %s", q.text, q.args, got, q.want)
		}
	}
	answer(t, c, "SET TTL TO root.other ?", time.Hour)
	if got, want := answer(t, c, "SHOW TTL ON root.other"), "3600000"; !strings.Contains(got, want) {
		t.Errorf("the time to live is %s, want %s", got, want)
	}
	answer(t, c, "INSERT INTO root.k.d(time, a, b, c, d) VALUES (1, ?, ?, ?, ?)", celsius(1.5), count(3), small(4), label("x"))
	for name, want := range map[string]tickwell.Kind{"a": tickwell.KindFloat32, "b": tickwell.KindInt64, "c": tickwell.KindInt32, "d": tickwell.KindText} {
		if k := c.db.SeriesKind("root.k.d", name); k != want {
			t.Errorf("series %s is %s, want %s", name, k, want)
		}
	}
	// What does not fit is refused where the parameter stands.
	for _, q := range []struct {
		text string
		arg  any
		col  int
		want string
	}{
		{"SELECT count(f) FROM root.b.d GROUP BY COUNT(f, ?)", 2.5, 49, "no integer"},
		{"SELECT f FROM root.b.d WHERE t LIKE ?", 5, 37, "is a text"},
		{"SELECT f FROM root.b.d WHERE f > ?", time.Second, 34, "time.Duration cannot be bound"},
		{"SELECT f FROM root.b.d WHERE f > ?", struct{}{}, 34, "cannot be bound"},
		{"SELECT f FROM root.b.d WHERE f > ?", count(0), 0, ""},
		{"SELECT f FROM root.b.d LIMIT ?", uint64(1 << 63), 30, "greater than the greatest INT64"},
		{"SELECT count(f) FROM root.b.d GROUP BY CONDITION(f > 1, KEEP > ?)", 1.5, 64, "not an integer"},
		{"SET TTL TO root.b ?", -time.Second, 19, "greater than 0"},
		{"SET TTL TO root.b ?", "x", 19, "greater than 0"},
	} {
		_, err := c.Exec(t.Context(), q.text, q.arg)
		var e *Error
		if q.want == "" {
			if err != nil {
				t.Errorf("%s %v: %v", q.text, q.arg, err)
			}
		} else if !errors.As(err, &e) || e.Column != q.col || !strings.Contains(e.Cause, q.want) {
			t.Errorf("%s %v: error %v, want %q at column %d", q.text, q.arg, err, q.want, q.col)
		}
		if _, err := c.Prepare(q.text); err != nil {
			t.Errorf("%s: %v", q.text, err)
		}
	}
}
