package udflib

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

// edges are inputs at which functions break.
var edges = []struct{ name, text string }{
	{"none", ""},
	{"one", "3 7 7"},
	{"two", "1 2 3, 4 1 0"},
	{"nan", "1 NaN NaN, 2 NaN NaN, 3 NaN NaN"},
	{"nulls", "1 1 -, 2 - 2, 3 3 3, 4 - 1, 5 2 -"},
	{"inf", "1 1 1, 2 +Inf 2, 3 -Inf -Inf, 4 2 2, 9 3 +Inf"},
	{"const", "1 4 4, 2 4 4, 3 4 4, 4 4 4"},
	{"huge", "1 1e308 -1e308, 2 -1e308 1e308, 3 1e308 1e308, 4 -1e308 1"},
	{"uneven", "0.5 1 1, 0.50001 2 2, 7 3 1, 7.3 9 2, 1000 5 1, 86400 4 0, 86400.1 3 3, 90000 2 1"},
}

// What every function makes of them is in testdata/edges.txt, read line by line
// when it was made; those that cannot work say why.
func TestEdges(t *testing.T) {
	var b strings.Builder
	for _, f := range Functions() {
		if f.BuiltIn != "" || f.Name == "masterdetect" { // the edges have no model
			continue
		}
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(f.Name+" "+examples[f.Name].args))
		for _, e := range edges {
			db := open(t)
			if e.text == "" {
				for _, s := range []string{"s1", "s2"} {
					if err := db.CreateSeries(context.Background(), "root.d."+s, tickwell.KindFloat64); err != nil {
						t.Fatal(err)
					}
				}
			} else {
				sec(e.text).insert(t, db)
			}
			inputs := inputsOf(f)
			out, err := invoke(t, db, inputs, strings.TrimSpace(f.Name+" "+examples[f.Name].args))
			text := gives(f, out)
			if err != nil {
				if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(err.Error(), f.Name) {
					t.Errorf("%s of %s: %v: no bad input that names the function", f.Name, e.name, err)
				}
				_, text, _ = strings.Cut(err.Error(), "function "+f.Name+": ")
			}
			fmt.Fprintf(&b, "  %-6s %s\n", e.name, text)
		}
	}
	const file = "testdata/edges.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantLines, function := strings.Split(string(want), "\n"), ""
	for i, line := range strings.Split(b.String(), "\n") {
		if !strings.HasPrefix(line, " ") {
			function = line
		}
		if i >= len(wantLines) || line != wantLines[i] {
			t.Fatalf("%s, line %d: got %q, want %q", function, i+1, line, append(wantLines, "")[min(i, len(wantLines))])
		}
	}
}

// Texts and booleans are refused with the kinds that are expected, in the
// documents' words, by all functions that are not for any kind.
func TestTextRefused(t *testing.T) {
	for _, f := range Functions() {
		if f.BuiltIn != "" || f.Name == "distinct" || f.Name == "sample" || f.Group == SeriesDiscovery || f.Name == "masterdetect" {
			continue
		}
		db := open(t)
		rows{tickwell.KindText, 1, "1 a b, 2 b c"}.insert(t, db)
		inputs := inputsOf(f)
		_, err := invoke(t, db, inputs, strings.TrimSpace(f.Name+" "+examples[f.Name].args))
		if !errors.Is(err, tickwell.ErrKindMismatch) || !strings.Contains(fmt.Sprint(err), "expected: [INT32, INT64, FLOAT, DOUBLE]. actual: TEXT") {
			t.Errorf("%s of text: %v", f.Name, err)
		}
	}
}

// A wrong number of inputs is refused with both numbers.
func TestInputsRefused(t *testing.T) {
	for _, f := range Functions() {
		if f.BuiltIn != "" || f.Inputs == 0 {
			continue
		}
		db := open(t)
		sec("1 1 1 1, 2 2 2 2").insert(t, db)
		_, err := invoke(t, db, 3, strings.TrimSpace(f.Name+" "+examples[f.Name].args))
		if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(fmt.Sprint(err), fmt.Sprintf("expected: %d. actual: 3", f.Inputs)) {
			t.Errorf("%s of three series: %v", f.Name, err)
		}
	}
}
