package iotsql

import (
	"errors"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

// A query that is understood but makes no sense is refused with its place.
func TestErrorsOfQueriesHavePlaces(t *testing.T) {
	c := memory(t, nil)
	answer(t, c, "INSERT INTO root.e.d(time, a, t, b) VALUES (1, 1, 'x', true)")
	answer(t, c, "INSERT INTO root.e.c(time, a, t, b) VALUES (1, 1, 'x', true)")
	for _, q := range []struct {
		text  string // the place is behind the first ^
		is    error
		cause string
		meant string
	}{
		{"SELECT ^percentile(a) FROM root.e.d", tickwell.ErrNotFound, `function "percentile" is neither built in nor registered`, "approx_quantile"},
		{"SELECT a,\n  1 + ^Moving_Average(a) FROM root.e.d", tickwell.ErrNotFound, "neither built in nor registered", "moving_avg"},
		{"SELECT ^mean(a) FROM root.e.d", tickwell.ErrNotFound, "neither", "avg"},
		{"SELECT ^median(a) FROM root.e.d", tickwell.ErrNotFound, "neither", "approx_quantile"},
		{"SELECT ^stdev(a) FROM root.e.d", tickwell.ErrNotFound, "neither", "stddev"},
		{"SELECT ^stdddev(a) FROM root.e.d", tickwell.ErrNotFound, "neither", "stddev"},
		{"SELECT ^COUN(a) FROM root.e.d", tickwell.ErrNotFound, "neither", "count"},
		{"SELECT ^frobnicate(a) FROM root.e.d", tickwell.ErrNotFound, "neither", ""},
		{"SELECT a FROM root.e.d WHERE ^nothing(a) > 1", tickwell.ErrNotFound, "neither", ""},
		{"SELECT 温 + ^t FROM root.e.d", nil, "", ""}, // 温 does not exist, so there is no column
		{"SELECT a + ^t FROM root.e.d", tickwell.ErrKindMismatch, "actual data type: TEXT", ""},
		{"SELECT a FROM root.e.* WHERE a > 0 AND\n\t(^t + 1 > 2)", tickwell.ErrKindMismatch, "root.e.d.t", ""},
		{"SELECT a FROM root.e.d WHERE a > ^'x'", tickwell.ErrKindMismatch, "actual data type: TEXT", ""},
		{"SELECT a FROM root.e.d WHERE ^a", tickwell.ErrKindMismatch, "WHERE clause should be BOOLEAN", ""},
		{"SELECT a FROM root.e.d WHERE b AND ^avg(a) > 1", tickwell.ErrBadInput, "not supported in WHERE", ""},
		{"SELECT ^a, count(b) FROM root.e.d", tickwell.ErrBadInput, "hybrid", ""},
		{"SELECT count(b), ^a FROM root.e.d", tickwell.ErrBadInput, "hybrid", ""},
		{"SELECT count(b) + ^a FROM root.e.d", tickwell.ErrBadInput, "hybrid", ""},
		{"SELECT ^a FROM root.e.d GROUP BY ([0, 10), 5ms)", tickwell.ErrBadInput, "not allowed to appear", ""},
		{"SELECT count(a) FROM root.e.d GROUP BY COUNT(^missing, 2)", tickwell.ErrBadInput, "doesn't exist", ""},
		{"SELECT a FROM root.e.d ORDER BY Time, ^missing", tickwell.ErrBadInput, "doesn't exist", ""},
		{"SELECT count(a) FROM root.e.d HAVING ^count(a)", tickwell.ErrKindMismatch, "HAVING clause should be BOOLEAN", ""},
		{"SELECT count(a) FROM root.e.d HAVING ^a > 1", tickwell.ErrBadInput, "HAVING", ""},
		{"SELECT ^sum(t) FROM root.e.d", tickwell.ErrKindMismatch, "only support numeric", ""},
		{"SELECT sum(^max_value(a)) FROM root.e.d", tickwell.ErrBadInput, "cannot be as input", ""},
		{"SELECT ^count(a) FROM root.e.d DISABLE ALIGN", tickwell.ErrBadInput, "disable align", ""},
		{"SELECT ^a AS x FROM root.e.*", tickwell.ErrBadInput, "alias", ""},
		{"SELECT a, ^1 + 2 FROM root.e.d", tickwell.ErrBadInput, "constant column", ""},
		{"SELECT ^top_k(a) FROM root.e.d", tickwell.ErrBadInput, `attribute "k"`, ""},
		{"SELECT ^a AS x, -(^t) INTO root.o.d(x, y) FROM root.e.d", tickwell.ErrKindMismatch, "TEXT", ""},
		{"EXPLAIN SELECT ^mean(a) FROM root.e.d", tickwell.ErrNotFound, "neither", "avg"},
		{"SELECT a FROM root.e.d WHERE b = true AND CASE WHEN ^a THEN b END", tickwell.ErrKindMismatch, "WHEN clause", ""},
		{"CREATE CQ q RESAMPLE EVERY 1h BEGIN SELECT ^mean(a) INTO root.o.d(x) FROM root.e.d GROUP BY (1h) END", tickwell.ErrNotFound, "neither", "avg"},
	} {
		at := strings.LastIndexByte(q.text, '^')
		text := strings.ReplaceAll(q.text, "^", "")
		at -= strings.Count(q.text, "^") - 1
		_, err := c.Exec(t.Context(), text)
		if q.is == nil {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		line, col := position(text, at)
		var e *Error
		var of *tickwell.Error
		if !errors.As(err, &e) || e.Line != line || e.Column != col || !strings.Contains(e.Cause, q.cause) || e.Suggestion != q.meant {
			t.Errorf("%s\nerror %v\nwant %q at line %d, column %d, suggestion %q", text, err, q.cause, line, col, q.meant)
		}
		if !errors.Is(err, q.is) || !errors.As(err, &of) {
			t.Errorf("%s: error %v is none of the store, or not %v", text, err, q.is)
		}
	}
	_, err := c.Exec(t.Context(), "SELECT percentile(a) FROM root.e.d")
	if want := `iotsql: line 1, column 8: function "percentile" is neither built in nor registered; did you mean approx_quantile?`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
