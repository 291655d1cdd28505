package lint

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestPackageComments(t *testing.T) {
	tr := loadModule(t)
	has := map[string]bool{}
	for _, s := range tr.sources {
		if !s.test && s.file.Doc != nil && strings.TrimSpace(s.file.Doc.Text()) != "" {
			has[s.pkg.name()] = true
		}
	}
	for _, p := range tr.pkgs {
		if !has[p.name()] && len(p.GoFiles) > 0 {
			t.Errorf("package %s has no package comment", p.name())
		}
	}
}

// TestExportedNamesAreDocumented holds the packages that users read, those of
// nested modules included.
func TestExportedNamesAreDocumented(t *testing.T) {
	n := 0
	check := func(s *source) {
		names, problems := undocumented(s)
		n += names
		for _, problem := range problems {
			t.Error(problem)
		}
	}
	for _, s := range loadModule(t).sources {
		if !s.test && !s.pkg.internal() && !s.pkg.main() {
			check(s)
		}
	}
	for _, s := range nestedSources(t) {
		if !s.test && s.file.Name.Name != "main" {
			check(s)
		}
	}
	if n < 1000 {
		t.Errorf("only %d exported names were looked at", n)
	}
	t.Logf("note: %d exported names, methods and fields, all with a comment", n)
}

// nestedSources parses the packages of nested modules that users import.
func nestedSources(t *testing.T) (found []*source) {
	t.Helper()
	for _, pattern := range []string{"sink/*/*.go", "metrics/*/*.go"} {
		files, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), "go.mod")); err != nil {
				continue
			}
			f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(filepath.ToSlash(file), "../../")
			found = append(found, &source{&pkg{ImportPath: module + "/" + path.Dir(name)}, name, strings.HasSuffix(name, "_test.go"), f})
		}
	}
	if len(found) < 10 {
		t.Fatalf("%d files in nested modules", len(found))
	}
	return found
}

// TestExamplesHaveOutput counts the examples whose output go test compares.
func TestExamplesHaveOutput(t *testing.T) {
	const least = 40
	sources := append(slices.Clone(loadModule(t).sources), nestedSources(t)...)
	n := 0
	byPackage := map[string]int{}
	for _, s := range sources {
		if !s.test {
			continue
		}
		for _, e := range doc.Examples(s.file) {
			if e.Output != "" || e.EmptyOutput {
				n++
				byPackage[s.pkg.name()]++
			}
		}
	}
	t.Logf("note: %d examples with output in %d packages", n, len(byPackage))
	if n < least {
		t.Errorf("%d examples with output, want %d: %v", n, least, byPackage)
	}
}

// undocumented lists the exported names of a file that have no comment, and
// counts all. Names of a const or var group may share the group's.
func undocumented(s *source) (names int, problems []string) {
	miss := func(n ast.Node, name string, comments ...*ast.CommentGroup) {
		names++
		for _, c := range comments {
			if c != nil && strings.TrimSpace(c.Text()) != "" {
				return
			}
		}
		problems = append(problems, s.at(n.Pos())+": "+name+" has no comment")
	}
	for _, decl := range s.file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if name := d.Name.Name; ast.IsExported(name) {
				if recv := receiver(d); recv == "" {
					miss(d, name, d.Doc)
				} else if ast.IsExported(recv) {
					miss(d, recv+"."+name, d.Doc)
				}
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch sp := spec.(type) {
				case *ast.TypeSpec:
					if !ast.IsExported(sp.Name.Name) {
						continue
					}
					about := sp.Doc
					if !d.Lparen.IsValid() && about == nil {
						about = d.Doc
					}
					miss(sp, sp.Name.Name, about, sp.Comment)
					for _, m := range methods(sp) {
						miss(m, sp.Name.Name+"."+m.Names[0].Name, m.Doc, m.Comment)
					}
					if st, ok := sp.Type.(*ast.StructType); ok {
						fields(st, about, func(f *ast.Ident, comments ...*ast.CommentGroup) {
							miss(f, sp.Name.Name+"."+f.Name, comments...)
						})
					}
				case *ast.ValueSpec:
					for _, name := range sp.Names {
						if ast.IsExported(name.Name) {
							miss(name, name.Name, d.Doc, sp.Doc, sp.Comment)
						}
					}
				}
			}
		}
	}
	return names, problems
}

// fields calls yield for each exported field with the comments that may speak of
// it: its own, that of the block of lines it stands in, or that of the type
// when it names the field.
func fields(st *ast.StructType, about *ast.CommentGroup, yield func(*ast.Ident, ...*ast.CommentGroup)) {
	var block *ast.CommentGroup
	last := 0
	for _, f := range st.Fields.List {
		start := f.Pos()
		if f.Doc != nil {
			start = f.Doc.Pos()
		}
		if last == 0 || fset.Position(start).Line > last+1 {
			block = nil
		}
		if f.Doc != nil {
			block = f.Doc
		}
		last = fset.Position(f.End()).Line
		for _, name := range f.Names {
			if !ast.IsExported(name.Name) {
				continue
			}
			var named *ast.CommentGroup
			if about != nil && slices.Contains(strings.FieldsFunc(about.Text(), notWord), name.Name) {
				named = about
			}
			yield(name, block, f.Comment, named)
		}
	}
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// methods returns the exported methods an interface type declares. The comment
// of an interface of one method is that method's.
func methods(sp *ast.TypeSpec) (list []*ast.Field) {
	it, ok := sp.Type.(*ast.InterfaceType)
	if !ok || len(it.Methods.List) == 1 {
		return nil
	}
	for _, m := range it.Methods.List {
		if len(m.Names) > 0 && ast.IsExported(m.Names[0].Name) {
			list = append(list, m)
		}
	}
	return list
}

// receiver returns the name of a method's type, "" for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// TestNamesSaySomething refuses file and type names that could hold anything.
func TestNamesSaySomething(t *testing.T) {
	for _, s := range loadModule(t).sources {
		for _, problem := range emptyNames(s) {
			t.Error(problem)
		}
	}
}

func emptyNames(s *source) (problems []string) {
	base := strings.TrimSuffix(path.Base(s.name), ".go")
	for _, word := range strings.FieldsFunc(strings.ToLower(base), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if slices.Contains(emptyWords, word) {
			problems = append(problems, s.name+`: name the file after its idea, not "`+word+`"`)
		}
	}
	for _, decl := range s.file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			continue
		}
		for _, spec := range d.Specs {
			name := spec.(*ast.TypeSpec).Name
			for _, word := range camelWords(name.Name) {
				if slices.Contains(emptyWords, strings.ToLower(word)) {
					problems = append(problems, s.at(name.Pos())+": type "+name.Name+" says "+word)
				}
			}
		}
	}
	return problems
}

// camelWords cuts HTTPLogWriter into HTTP, Log and Writer.
func camelWords(name string) (words []string) {
	runes := []rune(name)
	start := 0
	for i := 1; i < len(runes); i++ {
		afterSmall := !unicode.IsUpper(runes[i-1])
		beforeSmall := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(runes[i]) && (afterSmall || beforeSmall) {
			words = append(words, string(runes[start:i]))
			start = i
		}
	}
	return append(words, string(runes[start:]))
}

// TestDocChecksBite feeds the checkers what they must find, and must not.
func TestDocChecksBite(t *testing.T) {
	for _, c := range []struct{ file, code, want string }{
		{"a.go", "// F does.\nfunc F() {}", ""},
		{"a.go", "func F() {}", "F has no comment"},
		{"a.go", "func f() {}", ""},
		{"a.go", "//\nfunc F() {}", "F has no comment"},
		{"a.go", "//go:noinline\nfunc F() {}", "F has no comment"},
		{"a.go", "// T is.\ntype T int\nfunc (t *T) M() {}", "T.M has no comment"},
		{"a.go", "// T is.\ntype T[X any] struct{}\nfunc (t T[X]) M() {}", "T.M has no comment"},
		{"a.go", "type t int\nfunc (t t) M() {}", ""},
		{"a.go", "type T int", "T has no comment"},
		{"a.go", "// I is.\ntype I interface{ M() }", ""},
		{"a.go", "// I is.\ntype I interface {\n\tM()\n\tN() // does\n}", "I.M has no comment"},
		{"a.go", "// I is.\ntype I interface{\n\t// M does.\n\tM()\n\tfmt.Stringer\n}", ""},
		{"a.go", "// All.\nconst (\n\tA = 1\n\tB = 2\n)", ""},
		{"a.go", "const (\n\tA = 1 // one\n\tB = 2\n)", "B has no comment"},
		{"a.go", "var X int", "X has no comment"},
		{"a.go", "// T is.\ntype T struct {\n\tA int // one\n\tb int\n}", ""},
		{"a.go", "// T is.\ntype T struct {\n\tA int // one\n\tB int\n}", "T.B has no comment"},
		{"a.go", "// T is.\ntype T struct {\n\t// A and the next are.\n\tA int\n\tB int\n}", ""},
		{"a.go", "// T is.\ntype T struct {\n\t// A is.\n\tA int\n\n\tB int\n}", "T.B has no comment"},
		{"a.go", "// T is B.\ntype T struct{ B int }", ""},
		{"util.go", "", "util"},
		{"wal_helpers_test.go", "", "helpers"},
		{"utility.go", "", "utility"},
		{"utilisation.go", "", ""},
		{"a.go", "type logManager int", "says Manager"},
		{"a.go", "type HTTPHelper int // x", "says Helper"},
		{"a.go", "type implement int", ""},
	} {
		f, err := parser.ParseFile(fset, c.file, "package p\n\n"+c.code, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s := &source{&pkg{ImportPath: module}, c.file, false, f}
		_, got := undocumented(s)
		got = append(got, emptyNames(s)...)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s %q: %q, want %q", c.file, c.code, got, c.want)
		}
	}
}
