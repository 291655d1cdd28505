package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/zstd"
)

// openForReading opens the store in dir as it is now and writes nothing.
func openForReading(ctx context.Context, dir string) (*tickwell.DB, error) {
	if err := checkStore(dir); err != nil {
		return nil, err
	}
	db, err := tickwell.Open(ctx, dir, &tickwell.Options{ReadOnly: true, Compress: zstd.Reader, Logger: slog.New(slog.DiscardHandler)})
	if errors.Is(err, tickwell.ErrCorrupt) {
		err = damagedError{fmt.Errorf("the store cannot be opened: %w", bare(err))}
	}
	return db, err
}

// bare returns the cause of an error of package tickwell, without what was done to what.
func bare(err error) error {
	var e *tickwell.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// damagedError says that a store is damaged.
type damagedError struct{ error }

func (e damagedError) Unwrap() error { return e.error }

// closing closes a store at the end of a command, which fails if that does.
func closing(db *tickwell.DB, err *error) {
	if failed := db.Close(); !errors.Is(*err, failed) {
		*err = errors.Join(*err, failed)
	}
}

// checkStore tells early, and plainly, that a folder holds no store.
func checkStore(dir string) error {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %s: %w", dir, tickwell.ErrNotFound)
	case err != nil:
		return err
	case !st.IsDir():
		return fmt.Errorf("%s is a file, and a store is a folder: %w", dir, tickwell.ErrBadInput)
	}
	for _, sign := range []string{"CURRENT", "MANIFEST-*", "wal"} {
		if found, _ := filepath.Glob(filepath.Join(dir, sign)); len(found) > 0 {
			return nil
		}
	}
	return fmt.Errorf("%s holds no store: %w", dir, tickwell.ErrNotFound)
}

// Times in flags.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
	"2006-01-02 15:04:05Z07:00", "2006/01/02 15:04:05", "2006/01/02",
}

const timeHelp = `Times are written 2006-01-02, 2006-01-02T15:04:05 or with a zone (…Z, …+01:00),
as Unix milliseconds, as "now", or as a duration before now, such as -24h.
`

// parseTime reads the time of a flag; an empty text is the zero time.
func parseTime(s string, zone *time.Location, now func() time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if s == "now" {
		return now(), nil
	}
	if strings.HasPrefix(s, "-") {
		if d, err := time.ParseDuration(s); err == nil {
			return now().Add(d), nil
		}
	}
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			return t, nil
		}
	}
	var ms int64
	if n, err := fmt.Sscanf(s+"\n", "%d\n", &ms); n == 1 && err == nil {
		return time.UnixMilli(ms), nil
	}
	return time.Time{}, wrongf("%q is no time", s)
}

// span is a pair of flags, -start and -end.
type span struct{ start, end, zone string }

func (s *span) times() (start, end time.Time, err error) {
	zone, err := time.LoadLocation(s.zone)
	if err != nil {
		return start, end, wrongf("there is no time zone %q here", s.zone)
	}
	if start, err = parseTime(s.start, zone, time.Now); err != nil {
		return start, end, err
	}
	if end, err = parseTime(s.end, zone, time.Now); err != nil {
		return start, end, err
	}
	if !start.IsZero() && !end.IsZero() && !start.Before(end) {
		return start, end, wrongf("-start is not before -end")
	}
	return start, end, nil
}

// listSeries returns the series that match a pattern, sorted by path.
func listSeries(ctx context.Context, db *tickwell.DB, pattern string) ([]tickwell.SeriesInfo, error) {
	seq, err := db.ListSeries(ctx, pattern)
	if err != nil {
		return nil, err
	}
	var all []tickwell.SeriesInfo
	for s := range seq {
		all = append(all, s)
	}
	return all, nil
}

// everything is the pattern of all series.
const everything = "**"

// kindNames are the names of the documents.
var kindNames = map[tickwell.Kind]string{
	tickwell.KindBool: "BOOLEAN", tickwell.KindInt32: "INT32", tickwell.KindInt64: "INT64",
	tickwell.KindFloat32: "FLOAT", tickwell.KindFloat64: "DOUBLE", tickwell.KindText: "TEXT",
}

func kindNamed(name string) (tickwell.Kind, bool) {
	for k, n := range kindNames {
		if strings.EqualFold(n, name) {
			return k, true
		}
	}
	return tickwell.KindNull, false
}
