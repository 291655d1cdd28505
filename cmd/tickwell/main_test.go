package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// outcome is what a run of the program left.
type outcome struct {
	code     int
	out, err string
}

func runWith(ctx context.Context, stdin string, args ...string) outcome {
	var out, err bytes.Buffer
	code := run(ctx, args, strings.NewReader(stdin), &out, &err)
	return outcome{code, out.String(), err.String()}
}

// do runs the program, which must succeed, and returns its output.
func do(t *testing.T, args ...string) string {
	t.Helper()
	o := runWith(context.Background(), "", args...)
	require.Equal(t, exitOK, o.code, "%q: %s", args, o.err)
	return o.out
}

// fails runs the program, which must end with a code, and returns what it says.
func fails(t *testing.T, code int, args ...string) string {
	t.Helper()
	o := runWith(context.Background(), "", args...)
	require.Equal(t, code, o.code, "%q: %s%s", args, o.out, o.err)
	return o.out + o.err
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestUsage(t *testing.T) {
	require.Contains(t, fails(t, exitUsage), "usage: tickwell COMMAND")
	require.Contains(t, do(t, "help"), "130  interrupted")
	require.Equal(t, do(t, "help"), do(t, "-h"))
	require.Contains(t, fails(t, exitUsage, "inpect"), `did you mean "inspect"?`)
	require.Contains(t, fails(t, exitUsage, "inspect"), "an argument is missing")
	require.Contains(t, fails(t, exitUsage, "inspect", "a", "b"), "too many")
	require.Contains(t, fails(t, exitUsage, "inspect", "-nonsense", "a"), "not defined: -nonsense")
	require.Contains(t, fails(t, exitUsage, "help", "nothing"), "no command")
	for _, c := range commands() {
		t.Run(c.name, func(t *testing.T) {
			require.NotEmpty(t, c.short)
			text := do(t, c.name, "-h")
			require.Contains(t, text, "usage: "+c.usage())
			require.Equal(t, text, do(t, "help", c.name))
			for _, name := range c.flagNames()[:len(c.flagNames())-1] {
				require.Contains(t, text, "\n  "+name+" ")
			}
		})
	}
}

func TestNoStore(t *testing.T) {
	dir := t.TempDir()
	for _, cmd := range []string{"inspect", "verify", "export", "outbox"} {
		require.Contains(t, fails(t, exitFailed, cmd, filepath.Join(dir, "none")), "there is no folder")
		require.Contains(t, fails(t, exitFailed, cmd, dir), "holds no store")
		require.Contains(t, fails(t, exitFailed, cmd, writeFile(t, filepath.Join(dir, cmd, "f"), "")), "is a file")
	}
	left, err := os.ReadDir(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist, "%v", left)
}

// allKinds has every kind, nulls, and texts that are hard to write.
const allKinds = `Time,root.a.b(BOOLEAN),root.a.f(FLOAT),root.a.i(INT32),root.a.l(INT64),root.a.s(TEXT),root.c.d(DOUBLE)
1969-12-31T23:59:59.999999999Z,true,1.5,-2147483648,,,0.1
1970-01-01T00:00:01Z,,NaN,,9223372036854775807,"a,""b""
c",
1970-01-01T00:00:02Z,false,,7,,"""""",-Inf
1970-01-01T00:00:03Z,,,,,""""""""" """,1e+300
1970-01-01T00:00:04Z,,,,,"""""""""""""",
`

func TestRoundTrips(t *testing.T) {
	dir := t.TempDir()
	in := writeFile(t, filepath.Join(dir, "in.csv"), allKinds)
	one := filepath.Join(dir, "one")
	do(t, "import", one, in)
	csv := do(t, "export", one)
	require.Equal(t, allKinds, csv)

	lines := do(t, "export", "-format", "jsonl", one)
	two := filepath.Join(dir, "two")
	o := runWith(context.Background(), lines, "import", "-format", "jsonl", two, "-")
	require.Equal(t, exitOK, o.code, o.err)
	require.Equal(t, csv, do(t, "export", two))

	three, files := filepath.Join(dir, "three"), filepath.Join(dir, "files")+"/"
	do(t, "export", "-o", files, one)
	do(t, "import", three, "-device", "root.a", files+"root.a.csv")
	do(t, "import", three, "-device", "root.c", files+"root.c.csv")
	require.Equal(t, csv, do(t, "export", three))

	// Line protocol keeps what it can say, in series that are there already.
	four := filepath.Join(dir, "four")
	do(t, "import", four, writeFile(t, filepath.Join(dir, "head.csv"), strings.SplitAfter(allKinds, "\n")[0]+"0,true,1,1,1,x,1\n"))
	lp := writeFile(t, filepath.Join(dir, "x.lp"), do(t, "export", "-format", "line", one))
	do(t, "import", four, lp)
	want := strings.NewReplacer("NaN", "", "-Inf", "").Replace(csv)
	require.Equal(t, want, strings.Replace(do(t, "export", four), "1970-01-01T00:00:00Z,true,1,1,1,x,1\n", "", 1))
}
