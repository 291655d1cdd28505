package readme

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the fragments print into their pages")

// A fragment is a Go block of a page that is not a whole program: statements, or
// one expression. It may use
//
//	ctx  a context
//	db   a store in memory with the four rows of the README's first program
//	dir  an empty folder
//	t    the *testing.T of a test
//	must stops at an error
//	show prints the rows of a result, one a line
//
// and the packages that packageOf knows, without importing them. It must
// compile. If a text block follows, it is run and must print that; if it uses t it
// is run and must pass.
type fragment struct {
	page, where string
	line        int // of its first line
	code        string
	output      string
	run         bool
	imports     []string
	set         []string // variables that it declares and a reader may go on with
	expr        bool
}

// packageOf finds the import of a package by the name that fragments use.
var packageOf = func() map[string]string {
	known := map[string]string{}
	for p := range strings.FieldsSeq(`bytes cmp context crypto/tls encoding/csv encoding/json errors fmt io log log/slog math
		net/http net/http/httptest os path/filepath slices strconv strings sync testing time`) {
		known[path.Base(p)] = p
	}
	const module = "github.com/tickwell/tickwell"
	known["tickwell"] = module
	for p := range strings.FieldsSeq(`alert expr window vfs udflib iotsql iotsql/driver tickwelltest metrics/prometheus metrics/otel
		sink sink/webhook sink/slack sink/alertmanager sink/local sink/jsonl sink/snowflake sink/mqtt sink/kafka sink/smtp`) {
		known[path.Base(p)] = module + "/" + p
	}
	return known
}()

// moduleOf returns the folder of the module in which a fragment compiles.
func (f fragment) moduleOf() string {
	for _, p := range f.imports {
		rel := strings.TrimPrefix(p, "github.com/tickwell/tickwell/")
		if _, err := os.Stat(filepath.Join(root, rel, "go.mod")); err == nil {
			return rel
		}
	}
	return "."
}

// unreachable is what the go command says when it cannot load a module.
var unreachable = regexp.MustCompile(`dial tcp|GOPROXY|no such host|i/o timeout|connection refused`)

func fragments(p page) (found []fragment, err error) {
	all := blocks(p.text)
	for i, b := range all {
		if b.lang != "go" || strings.HasPrefix(b.text, "package ") {
			continue
		}
		f := fragment{page: p.name, where: fmt.Sprintf("%s:%d", p.name, b.line), line: b.line + 1, code: b.text}
		if err := f.parse(); err != nil {
			return nil, fmt.Errorf("%s: %w", f.where, err)
		}
		if i+1 < len(all) && all[i+1].lang == "text" {
			f.output, f.run = all[i+1].text, true
		}
		found = append(found, f)
	}
	return found, nil
}

// parse finds out what a fragment is and which packages it needs.
func (f *fragment) parse() error {
	const head = "package p\nfunc _() {\n"
	parsed, err := parser.ParseFile(token.NewFileSet(), f.where, head+f.code+"\n}", 0)
	if err != nil {
		return err
	}
	body := parsed.Decls[0].(*ast.FuncDecl).Body.List
	if len(body) == 1 {
		if x, ok := body[0].(*ast.ExprStmt); ok {
			_, call := x.X.(*ast.CallExpr)
			f.expr = !call
		}
	}
	for _, s := range body {
		if a, ok := s.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
			for _, left := range a.Lhs {
				if name := left.(*ast.Ident).Name; name != "_" && !slices.Contains(f.set, name) {
					f.set = append(f.set, name)
				}
			}
		}
	}
	for _, id := range parsed.Unresolved {
		f.run = f.run || id.Name == "t"
		if p := packageOf[id.Name]; p != "" && !slices.Contains(f.imports, p) {
			f.imports = append(f.imports, p)
		}
	}
	return nil
}

// testFile makes a test of each fragment.
func testFile(all []fragment) string {
	imports := []string{"context", "fmt", "testing", "time", "github.com/tickwell/tickwell"}
	for _, f := range all {
		for _, p := range f.imports {
			if !slices.Contains(imports, p) {
				imports = append(imports, p)
			}
		}
	}
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n")
	for _, p := range imports {
		fmt.Fprintf(&b, "\t%q\n", p)
	}
	b.WriteString(`)

func store(t *testing.T) *tickwell.DB {
	db, err := tickwell.Open(context.Background(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	must = func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	for i, temp := range []float64{71, 84, 93, 78} {
		if err := db.Insert(context.Background(), "root.plant.press1", time.Unix(int64(i), 0), tickwell.Float64("temp", temp)); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

var must func(error)

func show(res *tickwell.Result, err error) {
	must(err)
	for row, err := range res.Rows() {
		must(err)
		var cells []any
		if !res.Timeless() {
			cells = append(cells, row.Time().UTC().Format(time.DateTime))
		}
		if row.Device() != "" {
			cells = append(cells, row.Device())
		}
		for c := range row.Len() {
			cells = append(cells, row.Value(c))
		}
		fmt.Println(cells...)
	}
}
`)
	for i, f := range all {
		fmt.Fprintf(&b, "\nfunc Test%d(t *testing.T) {\n\tctx, db, dir := context.Background(), store(t), t.TempDir()\n\t_, _, _ = ctx, db, dir\n\t{\n", i)
		if f.expr {
			b.WriteString("\t\t_ =\n")
		}
		fmt.Fprintf(&b, "//line %s:%d\n%s", f.page, f.line, f.code)
		for _, name := range f.set {
			b.WriteString("\t\t_ = " + name + "\n")
		}
		b.WriteString("\t}\n}\n")
	}
	return b.String()
}

// TestFragments compiles every Go block of the pages that is not a program, and
// runs those whose output is shown.
func TestFragments(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	modules := map[string][]fragment{}
	for _, p := range pages(t) {
		list, err := fragments(p)
		require.NoError(t, err)
		for _, f := range list {
			modules[f.moduleOf()] = append(modules[f.moduleOf()], f)
		}
	}
	require.NotEmpty(t, modules["."])
	compiled, run := 0, 0
	for module, all := range modules {
		dir := t.TempDir()
		file, binary := filepath.Join(dir, "fragments_test.go"), filepath.Join(dir, "fragments.exe")
		require.NoError(t, os.WriteFile(file, []byte(testFile(all)), 0o644))
		build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-o", binary, file)
		build.Dir = filepath.Join(root, module)
		out, err := build.CombinedOutput()
		if err != nil && module != "." && unreachable.Match(out) {
			t.Logf("note: the fragments of %s need the module proxy", module)
			continue
		}
		require.NoError(t, err, "the fragments of module %s do not compile:\n%s", module, out)
		compiled += len(all)
		for i, f := range all {
			if f.run {
				run++
				var stdout, stderr bytes.Buffer
				cmd := exec.CommandContext(t.Context(), binary, "-test.run", fmt.Sprintf("^Test%d$", i))
				cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
				err := cmd.Run()
				require.NoError(t, err, "%s: %s%s", f.where, stdout.String(), stderr.String())
				got := strings.TrimSuffix(stdout.String(), "PASS\n")
				if *update && got != f.output {
					rewrite(t, f, got)
					continue
				}
				require.Equal(t, f.output, got, "what %s prints (-update writes it into the page)", f.where)
			}
		}
	}
	t.Logf("note: %d fragments of the pages compiled, %d run", compiled, run)
}

// rewrite puts what a fragment prints into its page.
func rewrite(t *testing.T, f fragment, got string) {
	t.Helper()
	p := read(t, f.page)
	before, after, found := strings.Cut(p.text, f.code)
	require.True(t, found)
	const open = "```text\n"
	after = strings.Replace(after, open+f.output+"```", open+got+"```", 1)
	require.NoError(t, os.WriteFile(filepath.Join(root, f.page), []byte(before+f.code+after), 0o644))
}

// TestRecipes holds the form of docs/recipes.md: each recipe is short and shows
// what it prints.
func TestRecipes(t *testing.T) {
	p := read(t, "docs/recipes.md")
	all, err := fragments(p)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 12)
	for _, f := range all {
		require.LessOrEqual(t, strings.Count(f.code, "\n"), 30, "lines of %s", f.where)
		if f.moduleOf() == "." {
			require.True(t, f.run, "%s shows no output", f.where)
		}
	}
	require.Len(t, all, strings.Count(p.text, "\n## "), "one block of code for each heading")
}

// TestLadder holds the form of the README's steps: at most ten lines each.
func TestLadder(t *testing.T) {
	all, err := fragments(read(t, "README.md"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 8)
	for _, f := range all {
		require.LessOrEqual(t, strings.Count(f.code, "\n"), 10, "lines of %s", f.where)
	}
}

func TestFragmentsOfAPage(t *testing.T) {
	p := page{"p.md", "```go\nx, err := strings.Cut(\"a\", db.Name)\n```\n```text\nq\n```\n```go\nmqtt.Sink{Topic: \"a\"}\n```\n```go\nf(ctx)\n```\n"}
	got, err := fragments(p)
	require.NoError(t, err)
	require.Equal(t, []fragment{
		{page: "p.md", where: "p.md:1", line: 2, code: "x, err := strings.Cut(\"a\", db.Name)\n", output: "q\n", run: true, imports: []string{"strings"}, set: []string{"x", "err"}},
		{page: "p.md", where: "p.md:7", line: 8, code: "mqtt.Sink{Topic: \"a\"}\n", imports: []string{"github.com/tickwell/tickwell/sink/mqtt"}, expr: true},
		{page: "p.md", where: "p.md:10", line: 11, code: "f(ctx)\n"},
	}, got)
	require.Equal(t, "sink/mqtt", got[1].moduleOf())
	_, err = fragments(page{"q.md", "```go\nif {\n```\n"})
	require.ErrorContains(t, err, "q.md:1")
}
