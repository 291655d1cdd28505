package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
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

// TestExportedNamesAreDocumented holds the packages that users read.
func TestExportedNamesAreDocumented(t *testing.T) {
	tr := loadModule(t)
	promised := map[string]map[string]bool{} // methods of interfaces, by package
	for _, s := range tr.sources {
		if !s.test {
			promised[s.pkg.name()] = promises(s, promised[s.pkg.name()])
		}
	}
	for _, s := range tr.sources {
		if s.test || s.pkg.internal() || s.pkg.main() {
			continue
		}
		for _, problem := range undocumented(s, promised[s.pkg.name()]) {
			t.Error(problem)
		}
	}
}

// promises adds the methods that exported interfaces of a file declare: their
// comment there says what they do, also for the types that have them.
func promises(s *source, all map[string]bool) map[string]bool {
	if all == nil {
		all = map[string]bool{}
	}
	for _, decl := range s.file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range d.Specs {
			sp, ok := spec.(*ast.TypeSpec)
			if !ok || !ast.IsExported(sp.Name.Name) {
				continue
			}
			if it, ok := sp.Type.(*ast.InterfaceType); ok {
				for _, m := range it.Methods.List {
					if len(m.Names) > 0 {
						all[m.Names[0].Name] = true
					}
				}
			}
		}
	}
	return all
}

// undocumented lists the exported names of a file that have no comment. Names
// of a const or var group may share the group's, and a method that an interface
// of the package promises has its comment there.
func undocumented(s *source, promised map[string]bool) (problems []string) {
	miss := func(n ast.Node, name string, comments ...*ast.CommentGroup) {
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
				} else if ast.IsExported(recv) && !promised[name] {
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
					if d.Lparen.IsValid() {
						miss(sp, sp.Name.Name, sp.Doc, sp.Comment)
					} else {
						miss(sp, sp.Name.Name, d.Doc, sp.Doc, sp.Comment)
					}
					for _, m := range methods(sp) {
						miss(m, sp.Name.Name+"."+m.Names[0].Name, m.Doc, m.Comment)
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
	return problems
}

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
		got := append(undocumented(s, nil), emptyNames(s)...)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s %q: %q, want %q", c.file, c.code, got, c.want)
		}
	}
}
