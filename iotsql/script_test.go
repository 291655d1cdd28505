package iotsql_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/iotsql/pages"
	"github.com/tickwell/tickwell/tickwelltest"
	"github.com/tickwell/tickwell/vfs"
)

var update = flag.Bool("update", false, "write what scripts answer into their files")

// step is a statement of a script, or a command, with what it is to answer.
type step struct {
	line   int
	before string // comments and empty lines above it
	text   string // as it stands in the file
	rows   []string
	errors []string
}

// script is a file of testdata/script, see the README there.
type script struct {
	options iotsql.Options
	steps   []*step
	tail    string
}

func readScript(t *testing.T, file string) *script {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{}
	var pending strings.Builder
	var open *step // a statement that goes on
	for i, line := range strings.SplitAfter(string(b), "\n") {
		text := strings.TrimRight(line, "\r\n")
		last := len(s.steps) - 1
		switch {
		case strings.HasPrefix(text, "-->") && open == nil && last >= 0:
			s.steps[last].rows = append(s.steps[last].rows, strings.TrimPrefix(strings.TrimPrefix(text, "-->"), " "))
		case strings.HasPrefix(text, "--!") && open == nil && last >= 0:
			s.steps[last].errors = append(s.steps[last].errors, strings.TrimSpace(strings.TrimPrefix(text, "--!")))
		case open == nil && (strings.TrimSpace(text) == "" || strings.HasPrefix(text, "--")):
			pending.WriteString(line)
			if key, value, ok := strings.Cut(strings.TrimPrefix(text, "--@ "), " "); ok && strings.HasPrefix(text, "--@ ") {
				s.option(t, key, value)
			}
		default:
			if open == nil {
				open = &step{line: i + 1, before: pending.String()}
				pending.Reset()
				s.steps = append(s.steps, open)
			}
			open.text += line
			if strings.HasSuffix(strings.TrimSpace(text), ";") || strings.HasPrefix(open.text, `\`) {
				open = nil
			}
		}
	}
	s.tail = pending.String()
	return s
}

func (s *script) option(t *testing.T, key, value string) {
	switch key {
	case "precision":
		d, err := time.ParseDuration("1" + value)
		if err != nil {
			t.Fatal(err)
		}
		s.options.Precision = d
	case "zone":
		s.options.Zone = value
	default:
		t.Fatalf("unknown option %q", key)
	}
}

// write puts the script back into its file.
func (s *script) write(t *testing.T, file string) {
	t.Helper()
	var b strings.Builder
	for _, st := range s.steps {
		b.WriteString(st.before + st.text)
		for _, r := range st.rows {
			b.WriteString(strings.TrimRight("--> "+r, " ") + "\n")
		}
		for _, e := range st.errors {
			b.WriteString("--! " + e + "\n")
		}
	}
	b.WriteString(s.tail)
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// stage is where a script runs.
type stage struct {
	t       *testing.T
	dir     string // "": in memory
	fs      vfs.FS
	clock   *tickwelltest.Clock
	options *iotsql.Options
	db      *tickwell.DB
	conn    *iotsql.Conn
}

func (s *stage) open() {
	s.t.Helper()
	db, err := tickwell.Open(context.Background(), s.dir, &tickwell.Options{
		FS: s.fs, Clock: s.clock, Logger: slog.New(slog.DiscardHandler), Seed: 1, Sync: tickwell.SyncNever(),
		Classes: pages.Triggers(), FunctionClasses: pages.Functions(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.db = db
	if s.conn, err = iotsql.New(db, s.options); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) reopen() {
	s.t.Helper()
	if s.dir == "" {
		return
	}
	if err := s.db.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

// command runs a line that begins with a backslash.
func (s *stage) command(st *step) {
	s.t.Helper()
	ctx := context.Background()
	name, arg, _ := strings.Cut(strings.TrimSpace(st.text), " ")
	switch name {
	case `\clock`:
		at, err := time.Parse(time.RFC3339Nano, arg)
		if err != nil {
			s.t.Fatal(err)
		}
		s.clock.Set(at)
	case `\advance`:
		d, err := time.ParseDuration(arg)
		if err != nil {
			s.t.Fatal(err)
		}
		s.clock.Advance(d)
		if err := s.db.Quiesce(ctx); err != nil {
			s.t.Fatal(err)
		}
	case `\wait`:
		if err := s.db.Quiesce(ctx); err != nil {
			s.t.Fatal(err)
		}
	case `\reopen`:
		s.reopen()
	default:
		s.t.Fatalf("line %d: unknown command %s", st.line, name)
	}
}

// answer runs a statement and returns its csv, a line each.
func (s *stage) answer(st *step) ([]string, error) {
	res, err := s.conn.Exec(context.Background(), st.text)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := res.WriteCSV(&b); err != nil {
		return nil, err
	}
	if b.Len() == 0 {
		return nil, nil
	}
	text, ok := strings.CutSuffix(b.String(), "\n\n")
	if !ok {
		return nil, fmt.Errorf("the csv does not end with an empty line: %q", b.String())
	}
	return strings.Split(text, "\n"), nil
}

func (s *stage) run(sc *script, reopen bool) {
	s.t.Helper()
	s.open()
	defer func() { s.db.Close() }()
	for _, st := range sc.steps {
		if strings.HasPrefix(st.text, `\`) {
			s.command(st)
			continue
		}
		rows, err := s.answer(st)
		if *update {
			st.rows = rows
			if err != nil && len(st.errors) == 0 {
				st.errors = []string{err.Error()}
			}
			if err == nil {
				st.errors = nil
			}
		}
		switch {
		case err != nil && len(st.errors) == 0:
			s.t.Fatalf("line %d: %s: %v", st.line, strings.TrimSpace(st.text), err)
		case err == nil && len(st.errors) > 0:
			s.t.Fatalf("line %d: %s: no error, want one with %q", st.line, strings.TrimSpace(st.text), st.errors)
		case err != nil:
			for _, want := range st.errors {
				if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) {
					s.t.Errorf("line %d: error %q, want one with %q", st.line, err, want)
				}
			}
		}
		if got, want := strings.Join(rows, "\n"), strings.Join(st.rows, "\n"); strings.TrimRight(got, " ") != strings.TrimRight(want, " ") {
			s.t.Errorf("line %d: %s\nanswers\n%s\nwant\n%s", st.line, strings.TrimSpace(st.text), got, want)
		}
		if reopen {
			s.reopen()
		}
	}
}

// TestScripts runs the scripts in memory, on disk, and on disk with a reopen
// after each statement.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../testdata/script/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		t.Run(name, func(t *testing.T) {
			sc := readScript(t, file)
			where := func(t *testing.T, dir string, fs vfs.FS) *stage {
				return &stage{t: t, dir: dir, fs: fs, clock: tickwelltest.NewClock(start), options: &sc.options}
			}
			if *update {
				where(t, "", nil).run(sc, false)
				sc.write(t, file)
				return
			}
			t.Run("memory", func(t *testing.T) { where(t, "", nil).run(sc, false) })
			t.Run("disk", func(t *testing.T) { where(t, t.TempDir(), nil).run(sc, false) })
			t.Run("reopen", func(t *testing.T) { where(t, "store", vfs.NewMem()).run(sc, true) })
		})
	}
}
