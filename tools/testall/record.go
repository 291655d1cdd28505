package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// record is a Markdown page of how each part ended when it was run last. A night
// may be too short for all parts: each row says of which commit it is, and stays
// until its part is run again.
type record struct {
	file   string
	names  []string // of all parts there are, in their order
	commit string
	rows   map[string]string // name of a part -> its line
}

const recordHead = "| part | result | seconds | commit | when | note |\n|---|---|---:|---|---|---|\n"

// openRecord reads what the page says already. Lines of parts that are no more,
// and a page of another form, are forgotten.
func openRecord(file, commit string, parts []part) (*record, error) {
	rec := &record{file: file, commit: commit, rows: map[string]string{}}
	for _, p := range parts {
		rec.names = append(rec.names, p.name)
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	_, table, _ := strings.Cut(string(text), recordHead)
	for line := range strings.Lines(table) {
		name, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if ok && slices.Contains(rec.names, name) {
			rec.rows[name] = strings.TrimRight(line, "\n")
		}
	}
	return rec, nil
}

// add puts down how a part ended, and writes the page.
func (rec *record) add(r row) error {
	rec.rows[r.name] = fmt.Sprintf("| %s | %s | %.0f | %s | %s | %s |", r.name, r.status, r.took.Seconds(), rec.commit,
		time.Now().UTC().Format("2006-01-02 15:04"), strings.ReplaceAll(r.note, "|", `\|`))
	var b strings.Builder
	b.WriteString("# Nightly runs\n\n")
	b.WriteString("Written by `make nightly`: all that `make test` runs, then the long parts. Each line is\n")
	b.WriteString("of the last time that part was run, and says of which commit; times are UTC.\n\n")
	fmt.Fprintf(&b, "%s on %s/%s, %d cores; %d of %d parts.\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), len(rec.rows), len(rec.names))
	b.WriteString(recordHead)
	for _, name := range rec.names {
		if line := rec.rows[name]; line != "" {
			b.WriteString(line + "\n")
		}
	}
	return os.WriteFile(rec.file, []byte(b.String()), 0o644)
}

// commitOf names the commit of a working tree, and says if there are changes.
func commitOf(ctx context.Context, dir string) string {
	out, err := output(ctx, dir, nil, "git", "describe", "--always", "--dirty", "--exclude=*")
	if err != nil {
		return "unknown"
	}
	return firstLine(out)
}
