package pattern

import (
	"errors"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/internal/errs"
)

func parse(t testing.TB, s string) *Pattern {
	t.Helper()
	p, err := Parse(s)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return p
}

// treePatterns and treeCases are the facts that IoTDB's PatternTreeMapTest
// holds of its trigger patterns.
var treePatterns = map[string]string{
	"A": "root.sg1.d1.s1", "B": "root.**.s1", "C": "root.sg1.*.s1", "D": "root.sg1.d1.s1",
	"E": "root.sg1.**", "F": "root.sg1.**.s2", "G": "root.**.d1.*", "H": "root.**.d1.**",
	"I": "root.*.d1.**", "J": "root.**", "K": "root.**.**",
}

var treeCases = []struct{ path, matches, without string }{
	{"root.sg1.d1.s1", "ABCDEGHIJK", ""},
	{"root.sg2.s1", "BJK", ""},
	{"root.sg1.d1.s2", "EFGHIJK", ""},
	{"root.sg1.d1.v1.s1", "BEHIJK", ""},
	{"root.sg1.d2.s1", "BCEJK", ""},
	{"root.sg1.d2.s2", "EFJK", ""},
	{"root.sg1.v1.d1.s1", "BEHK", "GDJ"},
	{"root.sg1.v1.d1.s2", "EFHK", "GDJ"},
}

func TestPatternTree(t *testing.T) {
	for _, c := range treeCases {
		var entries []Entry[string]
		got := ""
		for id := 'A'; id <= 'K'; id++ {
			if strings.ContainsRune(c.without, id) {
				continue
			}
			p := parse(t, treePatterns[string(id)])
			entries = append(entries, Entry[string]{p, string(id)})
			if p.Match(c.path) {
				got += string(id)
			}
		}
		if got != c.matches {
			t.Errorf("%s matches %s, want %s", c.path, got, c.matches)
		}
		device, measurement := Split(c.path)
		got = ""
		for _, h := range NewSet(entries).Match(device, []string{measurement}) {
			got += h.Value
		}
		if got != c.matches {
			t.Errorf("%s matches %s of the set, want %s", c.path, got, c.matches)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"root.sg.d.s", []string{"root.sg.d.s"}, []string{"root.sg.d", "root.sg.d.s.x", "root.sg.d.S", "root.sg.d.ss", "sg.d.s"}},
		{"s", []string{"s", "`s`"}, []string{"a.s", "s.a"}},
		{"*", []string{"s", "`a.b`"}, []string{"a.s"}},
		{"**", []string{"s", "a.s", "a.b.c.d"}, nil},
		{"**.**", []string{"a.s", "a.b.c.d"}, []string{"s"}},
		{"root.**.a", []string{"root.b.a", "root.a.a", "root.b.c.a"}, []string{"root.a", "root.b.a.c"}},
		{"root.sg.**", []string{"root.sg.a", "root.sg.d.a"}, []string{"root.sg", "root.sg1.a"}},
		{"root.*.d.**.s", []string{"root.x.d.y.s", "root.x.d.y.z.s", "root.x.d.s.s"}, []string{"root.x.d.s", "root.x.y.d.z.s"}},
		{"**.a.b", []string{"x.a.y.a.b", "x.a.b.a.b", "a.a.b"}, []string{"a.b", "x.a.b.c"}},
		{"**.a.**.b.**", []string{"x.a.x.b.x", "a.a.b.b.b.b", "x.a.a.b.a.b.c"}, []string{"a.b", "x.a.b.x", "a.x.b.x"}},
		{"**.*.b", []string{"x.y.b", "x.y.z.b"}, []string{"x.b"}},
		{"root.sg.d*", []string{"root.sg.d", "root.sg.d1", "root.sg.dd", "root.sg.`d-1`"}, []string{"root.sg.D1", "root.sg.xd", "root.sg.d.s"}},
		{"root.*x", []string{"root.x", "root.ax", "root.xx"}, []string{"root.xa"}},
		{"root.a*b", []string{"root.ab", "root.axb", "root.abb", "root.`a.b`", "root.`a``b`"}, []string{"root.a", "root.aba", "root.b"}},
		{"root.*a*.s", []string{"root.a.s", "root.bab.s"}, []string{"root.b.s"}},
		{"root.a*a", []string{"root.aa", "root.aba"}, []string{"root.a"}},
		{"root.a*bc*bd*e", []string{"root.abcbde", "root.a1bc2bd3e", "root.abcbcbdbde"}, []string{"root.abcde", "root.abdbce"}},
		{"root.d*.**.t*", []string{"root.d1.x.t", "root.d1.x.y.temp"}, []string{"root.d1.temp", "root.e.x.t"}},
		{"root.`*`", []string{"root.`*`"}, []string{"root.a"}},
		{"root.`d*`.s", []string{"root.`d*`.s"}, []string{"root.d1.s"}},
		{"root.`a.b`.s", []string{"root.`a.b`.s"}, []string{"root.a.b.s", "root.ab.s"}},
		{"root.`x``y`", []string{"root.`x``y`"}, []string{"root.x", "root.`x`"}},
		{"root.`plain`", []string{"root.plain"}, nil},
		{"root.a-b", []string{"root.`a-b`"}, nil},
		{"root.7", []string{"root.`7`"}, nil},
		{"root.温*", []string{"root.温度", "root.温"}, []string{"root.度温"}},
		{"*.*.*", []string{"a.b.c"}, []string{"a.b", "a.b.c.d"}},
	} {
		p := parse(t, c.pattern)
		check := func(path string, want bool) {
			if got := p.Match(path); got != want {
				t.Errorf("%q matches %q: %v, want %v", c.pattern, path, got, want)
			}
			if got := p.MatchParts(Split(path)); got != want {
				t.Errorf("%q matches the parts of %q: %v, want %v", c.pattern, path, got, want)
			}
		}
		for _, path := range c.yes {
			check(path, true)
		}
		for _, path := range c.no {
			check(path, false)
		}
		if p.Match("") {
			t.Errorf("%q matches the empty path", c.pattern)
		}
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		in, text, prefix string
		literal          bool
	}{
		{"root.sg.d.s", "root.sg.d.s", "root.sg.d.s", true},
		{"root.`sg`.a-b", "root.sg.`a-b`", "root.sg.`a-b`", true},
		{"root.`*`.s", "root.`*`.s", "root.`*`.s", true},
		{"root.sg.**", "root.sg.**", "root.sg", false},
		{"root.*.d.s", "root.*.d.s", "root", false},
		{"root.sg1.d*.s", "root.sg1.d*.s", "root.sg1", false},
		{"root.`a.b`.1.*", "root.`a.b`.`1`.*", "root.`a.b`.`1`", false},
		{"root.a-*.s", "root.a-*.s", "root", false},
		{"**", "**", "", false},
		{"*.a", "*.a", "", false},
	} {
		p := parse(t, c.in)
		if p.String() != c.text || p.Prefix() != c.prefix || p.Literal() != c.literal {
			t.Errorf("Parse(%q): text %q, prefix %q, literal %v; want %q, %q, %v",
				c.in, p.String(), p.Prefix(), p.Literal(), c.text, c.prefix, c.literal)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ in, names string }{
		{"", "node 1 is empty"},
		{"a..*", "node 2 is empty"},
		{"a.*.", "node 3 is empty"},
		{"a.***", "node 2 has **"},
		{"a.b**", "node 2 has **"},
		{"a.b**c", "node 2 has **"},
		{"a.`*", "node 2 has a backquote"},
		{"a.`b`*", "node 2 has a backquote"},
		{"a.b* ", "U+0020"},
		{"a.\xff*", "not valid UTF-8"},
		{strings.Repeat("*.", 64) + "*", "more than 64 nodes"},
		{strings.Repeat("x", 255) + "*", "longer than 255 bytes"},
		{strings.Repeat("*.", 3000), "longer than 4096 bytes"},
	} {
		p, err := Parse(c.in)
		if !errors.Is(err, errs.BadInput) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("Parse(%q) = %v, %v; want a BadInput error that says %q", c.in, p, err, c.names)
		}
	}
}

// slowMatch is the reference: what the words of DESIGN say, by recursion.
func slowMatch(pattern, path []string, quoted []bool) bool {
	if len(pattern) == 0 || len(path) == 0 {
		return len(pattern) == len(path)
	}
	if pattern[0] == "**" && !quoted[0] {
		for n := 1; n <= len(path); n++ {
			if slowMatch(pattern[1:], path[n:], quoted[1:]) {
				return true
			}
		}
		return false
	}
	if quoted[0] && pattern[0] != path[0] || !quoted[0] && !slowGlob(pattern[0], path[0]) {
		return false
	}
	return slowMatch(pattern[1:], path[1:], quoted[1:])
}

func slowGlob(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] != '*' {
		return s != "" && s[0] == pattern[0] && slowGlob(pattern[1:], s[1:])
	}
	for n := 0; n <= len(s); n++ {
		if slowGlob(pattern[1:], s[n:]) {
			return true
		}
	}
	return false
}

// slowNodes cuts a path character by character.
func slowNodes(path string) (names []string, quoted []bool) {
	name, inside, wasQuoted := "", false, false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '`' && inside && i+1 < len(path) && path[i+1] == '`':
			name += "`"
			i++
		case c == '`':
			inside = !inside
			wasQuoted = true
		case c == '.' && !inside:
			names, quoted = append(names, name), append(quoted, wasQuoted)
			name, wasQuoted = "", false
		default:
			name += string([]byte{c})
		}
	}
	return append(names, name), append(quoted, wasQuoted)
}

func checkAgainstSlow(t *testing.T, p *Pattern, pattern, path string) {
	t.Helper()
	pn, pq := slowNodes(pattern)
	nodes, _ := slowNodes(path)
	want := slowMatch(pn, nodes, pq)
	if got := p.Match(path); got != want {
		t.Fatalf("%q matches %q: %v, want %v", pattern, path, got, want)
	}
	if got := p.MatchParts(Split(path)); got != want {
		t.Fatalf("%q matches the parts of %q: %v, want %v", pattern, path, got, want)
	}
	hits := NewSet([]Entry[int]{{p, 0}}).Match(firstAndList(path))
	if got := len(hits) == 1; got != want {
		t.Fatalf("a set of %q hits %q: %v, want %v", pattern, path, got, want)
	}
	if got, ok := strings.CutPrefix(path, p.Prefix()); want && (!ok || p.Prefix() != "" && got != "" && got[0] != '.') {
		t.Fatalf("%q matches %q, which does not begin with its prefix %q", pattern, path, p.Prefix())
	}
}

func firstAndList(path string) (string, []string) {
	d, m := Split(path)
	return d, []string{m}
}

// TestMatchExhaustively tries every pattern and path of up to four small nodes.
func TestMatchExhaustively(t *testing.T) {
	words := func(nodes []string, max int) (out []string) {
		level := []string{""}
		for range max {
			var next []string
			for _, w := range level {
				for _, n := range nodes {
					next = append(next, strings.TrimPrefix(w+"."+n, "."))
				}
			}
			out = append(out, next...)
			level = next
		}
		return out
	}
	paths := words([]string{"a", "ab", "`a.b`"}, 4)
	for _, pattern := range words([]string{"a", "*", "**", "a*", "`a.b`"}, 4) {
		p := parse(t, pattern)
		pn, pq := slowNodes(pattern)
		for _, path := range paths {
			nodes, _ := slowNodes(path)
			if got, want := p.Match(path), slowMatch(pn, nodes, pq); got != want {
				t.Fatalf("%q matches %q: %v, want %v", pattern, path, got, want)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range [][2]string{
		{"root.**.d*.s1", "root.a.d1.s1"}, {"`a.b`.*", "`a.b`.c"}, {"a.`x``y`", "a.`x``y`"}, {"**.a.**.b", "a.a.b.b"},
		{"*a*b*.**", "xaxbx.y.z"}, {"a.7", "a.7"}, {"`", "``"}, {"a.-*", "a.`-1`"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		Nodes(path)
		Split(path)
		canonical, err := Canonical(path)
		p, perr := Parse(pattern)
		if perr == nil {
			p.Match(path) // whatever it is, it must not panic
			again, err := Parse(p.String())
			if err != nil || again.String() != p.String() || again.Literal() != p.Literal() || again.Prefix() != p.Prefix() {
				t.Fatalf("Parse(%q).String() = %q, which parses to %v, %v", pattern, p, again, err)
			}
			if strings.Count(p.String(), "*") > 6 {
				return // the reference would take for ever
			}
		}
		if err != nil {
			return
		}
		if again, err := Canonical(canonical); err != nil || again != canonical {
			t.Fatalf("Canonical(%q) = %q, whose canonical form is %q, %v", path, canonical, again, err)
		}
		if a, b := strings.Join(Nodes(path), "\x00"), strings.Join(Nodes(canonical), "\x00"); a != b {
			t.Fatalf("%q has nodes %q, its canonical form %q", path, a, b)
		}
		if self, err := Parse(canonical); err != nil || !self.Literal() || !self.Match(canonical) || self.String() != canonical {
			t.Fatalf("as a pattern, path %q is %v, %v", canonical, self, err)
		}
		if perr == nil {
			checkAgainstSlow(t, p, pattern, canonical)
		}
	})
}

func TestMatchPartsDoesNotAllocate(t *testing.T) {
	device, measurement := "root.ln.`wf 01`.wt01", "temperature"
	for _, s := range []string{"root.ln.`wf 01`.wt01.temperature", "root.**", "root.**.w*.t*e", "**.x.**.temperature"} {
		p := parse(t, s)
		if n := testing.AllocsPerRun(100, func() { p.MatchParts(device, measurement) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s, n)
		}
	}
}

func BenchmarkMatchParts(b *testing.B) {
	for _, s := range []string{"root.ln.wf01.wt01.temperature", "root.ln.**", "root.**.wt*.temperature", "root.**.status"} {
		p := parse(b, s)
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.MatchParts("root.ln.wf01.wt01", "temperature")
			}
		})
	}
}
