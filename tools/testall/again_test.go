package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAgain runs a package whose test fails the first time only, one that always
// fails, and one that does not build.
func TestAgain(t *testing.T) {
	const head = "package p\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\n"
	for _, c := range []struct {
		name, test string
		want       status
		note       string
	}{
		{"at first", "func TestOnce(t *testing.T) {\n\tif _, err := os.Stat(\"mark\"); err != nil {\n\t\tos.WriteFile(\"mark\", nil, 0o600)\n\t\tt.Fatal(\"not yet\")\n\t}\n}\n",
			pass, "1 tests in 1 packages; FAILED AT FIRST: example.org/m TestOnce"},
		{"panic at first", "func TestA(t *testing.T) {\n\tif _, err := os.Stat(\"mark\"); err != nil {\n\t\tos.WriteFile(\"mark\", nil, 0o600)\n\t\tpanic(\"not yet\")\n\t}\n}\n\nfunc TestB(t *testing.T) {}\n",
			pass, "2 tests in 1 packages; FAILED AT FIRST: example.org/m TestA"},
		{"one of two", "func TestA(t *testing.T) {\n\tif _, err := os.Stat(\"mark\"); err != nil {\n\t\tos.WriteFile(\"mark\", nil, 0o600)\n\t\tt.Fatal(\"not yet\")\n\t}\n}\n\nfunc TestB(t *testing.T) {}\n",
			pass, "1 tests in 1 packages; FAILED AT FIRST: example.org/m TestA"},
		{"always", "func TestNever(t *testing.T) { t.Fatal(os.Args[0]) }\n", fail, "1 tests in 1 packages, 1 failed"},
		{"no build", "func TestNo(t *testing.T) { nothing() }\n", fail, "0 tests in 1 packages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, map[string]string{"go.mod": "module example.org/m\n\ngo 1.25\n", "p_test.go": head + c.test})
			var out bytes.Buffer
			r := &repo{root: dir, temp: t.TempDir(), out: &out, again: true}
			r.events = filepath.Join(r.temp, "events.json")
			got := r.goTests(t.Context(), goTest{module: module{dir: dir, rel: "."}, args: []string{"-count=1", "-vet=off"}, packages: []string{"."}, record: true})
			if got.status != c.want || got.note != c.note {
				t.Errorf("got %s %q, want %s %q\n%s%s", got.status, got.note, c.want, c.note, got.output, out.String())
			}
			if c.want == pass && !strings.Contains(out.String(), "not yet") {
				t.Errorf("what failed at first was not printed:\n%s", out.String())
			}
			r.again = false
			os.Remove(filepath.Join(dir, "mark"))
			if got := r.goTests(t.Context(), goTest{module: module{dir: dir, rel: "."}, args: []string{"-count=1", "-vet=off"}, packages: []string{"."}}); got.status != fail {
				t.Errorf("without a second run: got %s %q, want %s", got.status, got.note, fail)
			}
		})
	}
}
