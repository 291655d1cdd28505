package pattern

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/internal/errs"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		in, want string
		nodes    []string
	}{
		{"root.ln.wf01.wt01.temperature", "root.ln.wf01.wt01.temperature", []string{"root", "ln", "wf01", "wt01", "temperature"}},
		{"s1", "s1", []string{"s1"}},
		{"a_1.b:c.@x.#y.$z", "a_1.b:c.@x.#y.$z", []string{"a_1", "b:c", "@x", "#y", "$z"}},
		{"厂房.温度", "厂房.温度", []string{"厂房", "温度"}},
		{"Größe.été", "Größe.été", []string{"Größe", "été"}},
		{"a.123", "a.`123`", []string{"a", "123"}},
		{"a.`123`", "a.`123`", []string{"a", "123"}},
		{"a.1a", "a.1a", []string{"a", "1a"}},
		{"plant-1.x/y", "`plant-1`.`x/y`", []string{"plant-1", "x/y"}},
		{"`plant-1`.t", "`plant-1`.t", []string{"plant-1", "t"}},
		{"`plain`.t", "plain.t", []string{"plain", "t"}},
		{"a.`b.c`", "a.`b.c`", []string{"a", "b.c"}},
		{"`a.b`.`c.d`.e", "`a.b`.`c.d`.e", []string{"a.b", "c.d", "e"}},
		{"a.` b `", "a.` b `", []string{"a", " b "}},
		{"a.`x``y`", "a.`x``y`", []string{"a", "x`y"}},
		{"````.b", "````.b", []string{"`", "b"}},
		{"a.`*`", "a.`*`", []string{"a", "*"}},
		{"a.`**`.`d*`", "a.`**`.`d*`", []string{"a", "**", "d*"}},
		{"a.`new\nline`", "a.`new\nline`", []string{"a", "new\nline"}},
		{"a.`x\u2003y`", "a.`x\u2003y`", []string{"a", "x\u2003y"}},
	} {
		got, err := Canonical(c.in)
		if err != nil || got != c.want {
			t.Errorf("Canonical(%q) = %q, %v; want %q", c.in, got, err, c.want)
			continue
		}
		if again, err := Canonical(got); err != nil || again != got {
			t.Errorf("Canonical(%q) = %q, %v; want it unchanged", got, again, err)
		}
		if err := CheckPath(c.in); err != nil {
			t.Errorf("CheckPath(%q) = %v", c.in, err)
		}
		for _, path := range []string{c.in, c.want} {
			if got := Nodes(path); !reflect.DeepEqual(got, c.nodes) {
				t.Errorf("Nodes(%q) = %q, want %q", path, got, c.nodes)
			}
		}
		if got := join(c.nodes); got != c.want {
			t.Errorf("nodes %q quoted and joined are %q, want %q", c.nodes, got, c.want)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, c := range []struct{ in, names string }{
		{"", "node 1 is empty"},
		{".", "node 1 is empty"},
		{"a.", "node 2 is empty"},
		{".a", "node 1 is empty"},
		{"a..b", "node 2 is empty"},
		{"a.``", "node 2 is empty"},
		{"a.*", "node 2 is a wildcard"},
		{"a.**.b", "node 2 is a wildcard"},
		{"a.d*", "node 2 is a wildcard"},
		{"a.`b", "node 2 has a backquote"},
		{"a.`b``", "node 2 has a backquote"},
		{"a.`", "node 2 has a backquote"},
		{"a.```", "node 2 has a backquote"},
		{"a.`b`c.d", "node 2 has a backquote"},
		{"a.b`c`", "node 2 has a backquote"},
		{"a.b c", "U+0020"},
		{" a.b", "U+0020"},
		{"a.b\t", "U+0009"},
		{"a\u00a0b.c", "U+00A0"},
		{"a.\u200b", "U+200B"},
		{"a.\xff", "not valid UTF-8"},
		{"a.`\xff`", "not valid UTF-8"},
		{"a." + strings.Repeat("x", 256), "node 2 is longer than 255 bytes"},
		{"a.`" + strings.Repeat("x", 256) + "`", "node 2 is longer than 255 bytes"},
		{strings.Repeat("a.", 64) + "a", "more than 64 nodes"},
		{strings.Repeat("x", 4097), "longer than 4096 bytes"},
		{strings.Repeat(strings.Repeat("-", 254)+".", 16) + "-----", "longer than 4096 bytes with its quotes"},
	} {
		got, err := Canonical(c.in)
		if err == nil || !errors.Is(err, errs.BadInput) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("Canonical(%q) = %q, %v; want a BadInput error that says %q", c.in, got, err, c.names)
			continue
		}
		if len(err.Error()) > 400 {
			t.Errorf("Canonical of %d bytes: the error has %d bytes", len(c.in), len(err.Error()))
		}
		if err := CheckPath(c.in); err == nil {
			t.Errorf("CheckPath(%q) accepts what Canonical refuses", c.in)
		}
	}
}

func TestLimitsAreInclusive(t *testing.T) {
	for name, path := range map[string]string{
		"64 nodes":            strings.Repeat("a.", 63) + "a",
		"255 bytes in a node": "a." + strings.Repeat("x", 255),
		"255 quoted bytes":    "a.`" + strings.Repeat("``", 255) + "`",
		"4096 bytes":          strings.Repeat(strings.Repeat("y", 255)+".", 15) + strings.Repeat("z", 127) + "." + strings.Repeat("z", 128),
	} {
		if err := CheckPath(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p, err := Parse(path); err != nil || !p.Match(path) {
			t.Errorf("%s: Parse: %v", name, err)
		}
	}
}

func TestCanonicalNode(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "a-b": "`a-b`", "`a.b`": "`a.b`", "7": "`7`"} {
		if got, err := CanonicalNode(in); err != nil || got != want {
			t.Errorf("CanonicalNode(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "a.b", "*", "a b", "`a`.b"} {
		if got, err := CanonicalNode(in); !errors.Is(err, errs.BadInput) {
			t.Errorf("CanonicalNode(%q) = %q, %v; want BadInput", in, got, err)
		}
	}
}

func TestSplitAndJoin(t *testing.T) {
	for _, c := range []struct{ path, device, measurement string }{
		{"root.sg.d1.s1", "root.sg.d1", "s1"},
		{"d.s", "d", "s"},
		{"s", "", "s"},
		{"root.`a.b`.s", "root.`a.b`", "s"},
		{"root.d.`a.b`", "root.d", "`a.b`"},
		{"root.`x``.``y`.`z.``.w`", "root.`x``.``y`", "`z.``.w`"},
		{"`a.b`", "", "`a.b`"},
		{"", "", ""},
	} {
		d, m := Split(c.path)
		if d != c.device || m != c.measurement {
			t.Errorf("Split(%q) = %q, %q; want %q, %q", c.path, d, m, c.device, c.measurement)
		}
		if got := Join(d, m); got != c.path {
			t.Errorf("Join(%q, %q) = %q, want %q", d, m, got, c.path)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"": "``", "a": "a", "a b": "`a b`", "a`b": "`a``b`", "`": "````", "0": "`0`", "0x": "0x",
		"a.b": "`a.b`", "*": "`*`", "_": "_", "é": "é", "7é": "7é", "é-": "`é-`", "\xff": "`\xff`", "a\u3000": "`a\u3000`",
	} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %q, want %q", in, got, want)
		}
	}
}

// The rule for quotes is on disk. This table is what it was at first release.
func TestQuotingRuleIsFrozen(t *testing.T) {
	plain := 0
	for r := rune(1); r <= 0x10FFFF; r++ {
		if 0xD800 <= r && r <= 0xDFFF {
			continue
		}
		if !needsQuotes("a" + string(r)) {
			plain++
		}
	}
	if want := 908813; plain != want {
		t.Errorf("%d characters need no quotes, want %d", plain, want)
	}
}

func TestPathFunctionsDoNotAllocate(t *testing.T) {
	path := "root.ln.`wf 01`.wt01.temperature"
	for name, f := range map[string]func(){
		"Canonical": func() { Canonical(path) },
		"CheckPath": func() { CheckPath(path) },
		"Split":     func() { Split(path) },
		"Quote":     func() { Quote("temperature") },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times, want 0", name, n)
		}
	}
}
