package iotsql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

// TestLevelsOfSeveralKinds holds that GROUP BY LEVEL puts values of several kinds
// together only where it counts them: a least value of 2 and 1.5 was 0, because the
// first series was INT64, and a mode panicked.
func TestLevelsOfSeveralKinds(t *testing.T) {
	kinds := []string{"BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE", "TEXT"}
	values := []string{"true", "7", "8", "1.5", "2.5", "'x'"}
	counts := map[string]string{"count(v)": "2", "time_duration(v)": "1", "min_time(v)": "1", "max_time(v)": "2", "approx_count_distinct(v)": "2"}
	functions := []string{
		"mode(v)", "first_value(v)", "last_value(v)", "max_value(v)", "min_value(v)", "extreme(v)", "sum(v)", "avg(v)", "stddev(v)",
		"max_by(v, w)", "min_by(v, w)", "max_by(w, v)", "min_by(w, v)", "max_by(v, v)", "approx_quantile(v, 'q'='0.5')", "linear_slope(v)", "rate(v)", "increase(v)",
	}
	for f := range counts {
		functions = append(functions, f)
	}
	slices.Sort(functions)
	for i := range kinds {
		for j := range kinds {
			c := memory(t, nil)
			for at, k := range []int{i, j} {
				answer(t, c, fmt.Sprintf("CREATE TIMESERIES root.l.d%d.v WITH DATATYPE=%s", at, kinds[k]))
				answer(t, c, fmt.Sprintf("INSERT INTO root.l.d%d(time, v, w) VALUES (%d, %s, 1.0)", at, at+1, values[k]))
			}
			for _, f := range functions {
				for _, grouped := range []string{"LEVEL = 1", "([0, 10), 10ms), LEVEL = 1"} {
					text := "SELECT " + f + " FROM root.l.* GROUP BY " + grouped
					got, err := tried(c, text)
					what := fmt.Sprintf("%s and %s: %s: %q, %v", kinds[i], kinds[j], text, got, err)
					want, mayMix := counts[f]
					if i == j && f == "approx_count_distinct(v)" {
						want = "1" // the same value twice
					}
					switch {
					case mayMix && (err != nil || !strings.HasSuffix(strings.TrimSpace(got), want)):
						t.Error(what)
					case !mayMix && i != j && err == nil:
						t.Error(what)
					case err != nil && !errors.Is(err, tickwell.ErrKindMismatch) && !errors.Is(err, tickwell.ErrBadInput):
						t.Error(what)
					}
				}
			}
		}
	}
}

// tried answers a query, or says how it panicked.
func tried(c *Conn, text string) (got string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	res, err := c.Exec(context.Background(), text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = res.WriteCSV(&b)
	return b.String(), err
}

// TestKeepOfNoNumber holds that what is no number is not called too great for one.
func TestKeepOfNoNumber(t *testing.T) {
	c := memory(t, nil)
	for _, n := range []string{"x", "'1'", "1.5", "KEEP >= y"} {
		_, err := tried(c, "SELECT count_if(v > 1, "+n+") FROM root.l.d")
		if err == nil || !strings.Contains(err.Error(), "expected an integer") {
			t.Errorf("%s: got error %v", n, err)
		}
	}
}
