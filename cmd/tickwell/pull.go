package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tickwell/tickwell"
)

// pull writes what was stored after a cursor, as JSON lines.
func (o *exportOptions) pull(c *call, dir string) error {
	if o.start != "" || o.end != "" {
		return wrongf("-since cannot be combined with -start and -end")
	}
	if o.poll <= 0 {
		return wrongf("-poll must be positive")
	}
	cursor := o.since
	if cursor == "0" {
		cursor = ""
	}
	out := bufio.NewWriterSize(c.out, 1<<16)
	seen := ""
	for {
		start := time.Now()
		now := fingerprint(dir)
		if now != seen {
			next, err := o.group(c, dir, cursor, out)
			if err == nil {
				err = out.Flush()
			}
			if err != nil {
				return err
			}
			cursor, seen = next, now
		}
		if !o.follow {
			return nil
		}
		// Opening a large log takes time: at most a tenth of it is spent so.
		pause := max(o.poll, 10*time.Since(start))
		select {
		case <-time.After(pause):
		case <-c.Done():
			return c.Err()
		}
	}
}

// group writes one group of rows and the cursor behind it.
func (o *exportOptions) group(c *call, dir, cursor string, out *bufio.Writer) (next string, err error) {
	db, err := openForReading(c, dir)
	if err != nil {
		return cursor, err
	}
	defer closing(db, &err)
	rows, next, err := db.Changes(c, o.pattern, cursor)
	if err != nil {
		return cursor, err
	}
	if next == cursor {
		return cursor, nil
	}
	var b []byte
	for t, err := range rows {
		if err != nil {
			return cursor, err
		}
		column := func(i int) (string, tickwell.Kind) { return t.Columns[i].Name, t.Columns[i].Data.Kind() }
		for i := range t.Times {
			b = appendRowJSON(b[:0], t.Device, t, i, column)
			if _, err := out.Write(b); err != nil {
				return cursor, err
			}
		}
	}
	_, err = fmt.Fprintf(out, "{\"cursor\":%q}\n", next)
	return next, err
}

// fingerprint changes when something is written to the store.
func fingerprint(dir string) string {
	var b []byte
	for _, sub := range []string{"", "wal", "data"} {
		list, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			continue
		}
		for _, f := range list {
			if st, err := f.Info(); err == nil && !st.IsDir() {
				b = fmt.Appendf(b, "%s %d %d\n", f.Name(), st.Size(), st.ModTime().UnixNano())
			}
		}
	}
	return string(b)
}
