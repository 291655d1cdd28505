package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	goName   = regexp.MustCompile("`(tickwell|window|alert)\\.([A-Z]\\w*)(?:\\.([A-Z]\\w*))?(?:\\.([A-Z]\\w*))?`")
	sinkName = regexp.MustCompile("`((?:sink/)\\w+|udflib|iotsql|alert)`")
	named    = regexp.MustCompile(`^(?:config|hook|method|clause|configurations\.\w+|keyword) ?([A-Za-z_]+)`)
)

// TestMigrating holds docs/migrating.md to the code and to the documents: each
// Go name exists, each package is a folder, and no configuration key, hook,
// method or clause of the seed items is missing.
func TestMigrating(t *testing.T) {
	text := read(t, "docs/migrating.md").text
	api, err := os.ReadFile(filepath.Join(root, "testdata", "api.txt"))
	require.NoError(t, err)
	packages := map[string]string{}
	for part := range strings.SplitSeq("\n"+string(api), "\npackage ") {
		name, _, _ := strings.Cut(part, " ")
		packages[name] = part
	}
	for _, m := range goName.FindAllStringSubmatch(text, -1) {
		pkg, ok := packages[m[1]]
		require.True(t, ok, "package %s", m[1])
		switch {
		case m[3] == "": // a type, a function, or a constant of a block
			require.True(t, regexp.MustCompile(`(?m)^(?:type|func) `+m[2]+`\b|^    `+m[2]+`(?: |$)`).MatchString(pkg), "%s is not in testdata/api.txt", m[0])
		default: // a method or a field
			decl := regexp.MustCompile(`(?ms)^type ` + m[2] + `(?:\[[^\]]*\])? (?:struct|interface) \{\n(.*?)^\}`).FindStringSubmatch(pkg)
			require.NotNil(t, decl, "%s: no type %s", m[0], m[2])
			method := regexp.MustCompile(`(?m)^func \(\w* ?\*?` + m[2] + `(?:\[[^\]]*\])?\) ` + m[3] + `\(`)
			field := regexp.MustCompile(`(?m)^    (?:\*|\w+, )*` + m[3] + `\b`)
			require.True(t, method.MatchString(pkg) || field.MatchString(decl[1]), "%s: %s has no field or method %s", m[0], m[2], m[3])
		}
	}
	for _, m := range sinkName.FindAllStringSubmatch(text, -1) {
		_, err := os.Stat(filepath.Join(root, m[1]))
		require.NoError(t, err, "docs/migrating.md names %s", m[1])
	}
	items, err := os.ReadFile(filepath.Join(root, "testdata", "seed-items.tsv"))
	require.NoError(t, err)
	var missing []string
	for line := range strings.Lines(string(items)) {
		f := strings.Split(line, "\t")
		if len(f) < 3 {
			continue
		}
		if m := named.FindStringSubmatch(f[2]); m != nil && !strings.Contains(text, m[1]) {
			missing = append(missing, f[0]+" "+f[2])
		}
	}
	require.Empty(t, missing, "not in docs/migrating.md")
}
