package exec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// The functions that make texts are those of package strings over characters,
// for texts of one and of several bytes a character, row by row and with nulls
// between.
func TestTextSink(t *testing.T) {
	texts := []string{"", "a", "AbC", "already", "LOUD", "straße", "Ünïcode", "日本語", "a日b", "   ", " x", "x  ", "  a b ", "aaa", "x\xffy", "Ab Ab"}
	f := newFakeStore()
	var times []int64
	for i := range texts {
		times = append(times, int64(i)*1e9)
	}
	f.add("root.d", "s", times, column.Vector{Kind: column.Text, Texts: texts})
	f.add("root.d", "u", times[:5], column.Vector{Kind: column.Text, Texts: texts[5:10]})
	s, u := expr.Col("s"), expr.Col("u")
	runes := func(text string, from, n int) string {
		var all []string
		all = append(all, strings.SplitAfter(text, "")...)
		lo := min(max(from-1, 0), len(all))
		hi := min(max(from-1+n, lo), len(all))
		return strings.Join(all[lo:hi], "")
	}
	other := func(i int) string {
		if i < 5 {
			return texts[i+5]
		}
		return ""
	}
	for name, c := range map[string]struct {
		e    expr.Expr
		want func(i int, text string) string
	}{
		"upper":              {expr.Call("upper", s), func(_ int, x string) string { return strings.ToUpper(x) }},
		"lower":              {expr.Call("lower", s), func(_ int, x string) string { return strings.ToLower(x) }},
		"trim":               {expr.Call("trim", s), func(_ int, x string) string { return strings.Trim(x, " ") }},
		"replace":            {expr.Call("replace", s, "a", "<>"), func(_ int, x string) string { return strings.ReplaceAll(x, "a", "<>") }},
		"replace two":        {expr.Call("replace", s, "aa", ""), func(_ int, x string) string { return strings.ReplaceAll(x, "aa", "") }},
		"replace by nothing": {expr.Call("replace", s, "", "-"), func(_ int, x string) string { return strings.ReplaceAll(x, "", "-") }},
		"substring 2":        {expr.Call("substring", s, 2), func(_ int, x string) string { return runes(x, 2, 1000) }},
		"substring 1 2":      {expr.Call("substring", s, 1, 2), func(_ int, x string) string { return runes(x, 1, 2) }},
		"substring 2 1":      {expr.Call("substring", s, 2, 1), func(_ int, x string) string { return runes(x, 2, 1) }},
		"substring -1 3":     {expr.Call("substring", s, -1, 3), func(_ int, x string) string { return runes(x, -1, 3) }},
		"substring 9 1":      {expr.Call("substring", s, 9, 1), func(int, string) string { return "" }},
		"concat":             {expr.Call("concat", s, u).With("target1", "·"), func(i int, x string) string { return x + other(i) + "·" }},
	} {
		b := f.run(t, Query{Select: []expr.Expr{c.e}, From: []string{"root.d"}})
		var got, want []string
		for i, x := range texts {
			got = append(got, fmt.Sprintf("%q", b.Cols[0].Texts[i]))
			want = append(want, fmt.Sprintf("%q", c.want(i, x)))
		}
		if g, w := strings.Join(got, " "), strings.Join(want, " "); g != w {
			t.Errorf("%s:\n got %s\nwant %s", name, g, w)
		}
	}
}
