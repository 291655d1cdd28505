package iotsql

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// What is large or extreme is answered or refused in words, soon and in bounded
// memory.
func TestLimitsOfStatements(t *testing.T) {
	c := memory(t, &tickwell.Options{QueryMemory: 1 << 20})
	answer(t, c, "INSERT INTO root.l.d(time, a, t) VALUES (1, 1, 'x'), (2, 2, '"+strings.Repeat("a", 5000)+"b')")
	const short, long = time.Second, 2 * time.Minute // of those that go on until they are told to end, and of the others
	many := func(n int, s, sep string) string { return strings.TrimSuffix(strings.Repeat(s+sep, n), sep) }
	for _, q := range []struct {
		what, text string
		rows       int    // -1: not counted
		err        string // "" : none
	}{
		{"10^6 groups", "SELECT count(a) FROM root.l.d GROUP BY ([0, 1000000), 1ms)", 1000000, ""},
		{"10^12 windows, the first", "SELECT count(a) FROM root.l.d GROUP BY ([0, 1000000000000), 1ms) LIMIT 5", 5, ""},
		{"10^12 windows, none kept", "SELECT count(a) FROM root.l.d GROUP BY ([0, 1000000000000), 1ms) HAVING count(a) > 5", -1, "deadline"},
		{"10^12 windows, sorted", "SELECT count(a) FROM root.l.d GROUP BY ([0, 1000000000000), 1ms) ORDER BY count(a)", -1, "hold more than"},
		{"10^12 windows, filled", "SELECT avg(a) FROM root.l.d GROUP BY ([0, 1000000000000), 1ms) FILL(LINEAR)", -1, "hold more than"},
		{"steps of a millionth", "SELECT count(a) FROM root.l.d GROUP BY ([0, 1000), 1000s, 1ms)", 1000, ""},
		{"steps of a millionth before rows", "SELECT count(a) FROM root.l.d GROUP BY ([-1000000, 1000), 1000s, 1ms)", 1001000, ""},
		{"steps of a hundred thousandth, of no merge", "SELECT mode(a) FROM root.l.d GROUP BY ([-100000, 1000), 100s, 1ms) LIMIT 3", -1, "*"},
		{"64 KiB", "SELECT a FROM root.l.d WHERE t != '" + strings.Repeat("x", 64<<10) + "'", 2, ""},
		{"10 MiB", "SELECT a FROM root.l.d WHERE t != '" + strings.Repeat("x", 10<<20) + "'", 0, "more than 4194304"},
		{"10 MiB of blanks", "SELECT a FROM root.l.d" + strings.Repeat(" ", 10<<20), 0, "more than 4194304"},
		{"10000 columns", "SELECT " + many(10000, "a", ",") + " FROM root.l.d", 2, ""},
		{"10000 sums", "SELECT " + many(10000, "sum(a + 1)", ",") + " FROM root.l.d", 1, ""},
		{"200000 columns", "SELECT " + many(200000, "a", ",") + " FROM root.l.d", -1, "*"},
		{"1000 brackets", "SELECT " + strings.Repeat("(", 1000) + "a" + strings.Repeat(")", 1000) + " FROM root.l.d", 0, "more than 200"},
		{"1000 minus", "SELECT " + strings.Repeat("- ", 1000) + "a FROM root.l.d", 0, "more than 200"},
		{"1000 NOT", "SELECT a FROM root.l.d WHERE " + strings.Repeat("NOT ", 1000) + "a > 1", 0, "more than 200"},
		{"1000 CASE", "SELECT " + strings.Repeat("CASE WHEN a > 1 THEN ", 1000) + "a" + strings.Repeat(" END", 1000) + " FROM root.l.d", 0, "more than 200"},
		{"1000 functions", "SELECT " + strings.Repeat("abs(", 1000) + "a" + strings.Repeat(")", 1000) + " FROM root.l.d", 0, "more than 200"},
		{"100000 AND", "SELECT a FROM root.l.d WHERE " + many(100000, "a > 0", " AND "), 0, "more than 200"},
		{"190 AND", "SELECT a FROM root.l.d WHERE " + many(190, "a > 0", " AND "), 2, ""},
		{"50000 in a list", "SELECT a FROM root.l.d WHERE a IN (" + many(50000, "7", ",") + ",2)", 1, ""},
		{"LIKE", "SELECT a FROM root.l.d WHERE t LIKE '" + strings.Repeat("%a", 500) + "%c'", 0, ""},
		{"REGEXP", "SELECT a FROM root.l.d WHERE t REGEXP '^(a+)+$'", 0, ""},
		{"REGEXP that repeats", "SELECT a FROM root.l.d WHERE t REGEXP '((a{1,1000}){1,1000}){1,1000}'", 0, "*"},
		{"offset", "SELECT a FROM root.l.d LIMIT 2147483647 OFFSET 2147483647", 0, ""},
		{"offset beyond", "SELECT a FROM root.l.d LIMIT 9223372036854775807", 0, "greater than"},
		{"limit beyond", "SELECT a FROM root.l.d LIMIT 9223372036854775808", 0, "outside the range"},
		{"year 9999", "SELECT a FROM root.l.d WHERE time < 9999-12-31", 0, "outside the years"},
		{"year 1", "SELECT a FROM root.l.d WHERE time > 0001-01-01", 0, "outside the years"},
		{"the least time", "SELECT a FROM root.l.d WHERE time > -9223372036854775808", 2, ""},
		{"the greatest time", "SELECT a FROM root.l.d WHERE time < 9223372036854775807", 2, ""},
		{"the greatest time in a window", "SELECT count(a) FROM root.l.d GROUP BY ([0, 9223372036854775807), 1d)", 0, "outside the years"},
		{"the least time with a duration", "SELECT a FROM root.l.d WHERE time > 1700-01-01 - 30y", 0, "outside the years"},
		{"a duration too long", "SELECT a FROM root.l.d WHERE time > now() - 99999999999999999y", 0, "too long"},
		{"a duration of 2^31 months", "SELECT a FROM root.l.d WHERE time > now() - 2147483647mo", 0, "outside the years"},
		{"a duration of 290 years", "SELECT a FROM root.l.d WHERE time > now() - 106000d", 2, ""},
		{"no interval", "SELECT count(a) FROM root.l.d GROUP BY ([0, 10), 0s)", 0, "greater than 0"},
		{"a negative interval", "SELECT count(a) FROM root.l.d GROUP BY ([0, 10), -1s)", 0, "interval"},
		{"a negative step", "SELECT count(a) FROM root.l.d GROUP BY ([0, 10), 1s, -1s)", 0, "step"},
		{"a step beyond time", "SELECT count(a) FROM root.l.d GROUP BY ([0, 10), 1ms, 106000d)", 1, ""},
		{"months beyond time", "SELECT count(a) FROM root.l.d GROUP BY ([0, 10), 2147483647mo)", 1, ""},
		{"a range before 1970", "SELECT count(a) FROM root.l.d GROUP BY ([-9000000000000, 9000000000000), 100000d)", 3, ""},
	} {
		t.Run(q.what, func(t *testing.T) {
			limit := long
			if q.err == "deadline" || q.err == "*" {
				limit = short
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			r, err := c.Exec(ctx, q.text)
			n := 0
			if err == nil {
				for _, rowErr := range r.Rows() {
					if err = rowErr; err == nil {
						n++
					}
				}
			}
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			msg := fmt.Sprint(err)
			t.Logf("%s: %d rows in %s, %d MB allocated, %d MB from the system, error %.150s", q.what, n, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, after.Sys>>20, msg)
			switch {
			case q.err == "*":
			case (err == nil) != (q.err == "") || !strings.Contains(msg, q.err):
				t.Errorf("error %.300s, want %q", msg, q.err)
			case err == nil && n != q.rows:
				t.Errorf("%d rows, want %d", n, q.rows)
			}
			if took > limit+10*time.Second || len(msg) > 4000 || errors.Is(err, context.DeadlineExceeded) && q.err != "deadline" && q.err != "*" {
				t.Errorf("it took %s; the error has %d bytes", took, len(msg))
			}
		})
	}
}
