package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/zstd"
)

func importCommand() *command {
	f := newFlags()
	var o importOptions
	f.StringVar(&o.format, "format", "auto", "`csv`, jsonl or line; auto: by the file's name")
	f.StringVar(&o.prefix, "prefix", "root.import", "the `PATH` below which files without paths go")
	f.StringVar(&o.device, "device", "", "the device `PATH` of rows that name none")
	f.StringVar(&o.precision, "precision", "", "what times that are integers count: ms, us, ns or s (ms, in line protocol ns)")
	f.StringVar(&o.zone, "zone", "UTC", "the time `ZONE` of times without one")
	f.StringVar(&o.bar, "progress", "auto", progressModes)
	f.BoolVar(&o.skip, "skip-bad", false, "leave out rows that make no sense, and count them")
	f.BoolVar(&o.restart, "restart", false, "begin at the beginning even if an import was interrupted")
	f.IntVar(&o.rows, "batch", 4096, "insert `N` rows at once")
	return &command{
		name: "import", args: "DIR FILE|FOLDER…", short: "Stores rows of CSV, JSON-lines or line-protocol files.", lo: 2, hi: -1, flags: f,
		long: `
Stores the rows of files, or of all .csv, .jsonl and .lp files below folders, in
the order of their names; "-" is standard input. The store is made if there is
none.

CSV files have a header. Its first column is time or timestamp. If the others are
whole paths (root.…), they say where the values go; if the second is Device, each
row says it; otherwise the device is -device, or -prefix and the file's place
below its folder. A name may carry a kind, temperature(FLOAT); without one a new
series gets DOUBLE, BOOLEAN or TEXT by its first value. Empty cells are nulls.

JSON lines are {"time":…,"device":…,"fields":{…},"kinds":{…}}, as export writes
them. In line protocol prefix, measurement and tag values make the device.

After Ctrl-C, or a crash, the same command goes on where it was: progress is kept
in the store's folder, in import.resume, until all files are done; a file that has
changed, or goes to another device, begins again. A row that is stored again
overwrites itself.

    tickwell import -prefix root.nab data NAB/data
    tickwell export data -format jsonl | tickwell import copy -format jsonl -

` + timeHelp,
		run: func(c *call, args []string) error { return o.run(c, args[0], args[1:]) },
	}
}

type importOptions struct {
	format, prefix, device, precision, zone, bar string
	skip, restart                                bool
	rows                                         int
}

// source is one file to import.
type source struct {
	path   string // "-": standard input
	device string // of rows that name none
	format string
	how    string // all that decides what becomes of its rows
	size   int64
	mod    time.Time
}

func (o *importOptions) run(c *call, dir string, args []string) (err error) {
	if o.rows < 1 || o.rows > 1<<20 {
		return wrongf("-batch must be between 1 and %d", 1<<20)
	}
	if _, err := o.clock(1); err != nil {
		return err
	}
	sources, err := o.sources(args)
	if err != nil {
		return err
	}
	var total int64
	for _, s := range sources {
		total += s.size
	}
	db, err := tickwell.Open(c, dir, &tickwell.Options{Compress: zstd.Reader, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer closing(db, &err)
	j, err := openJournal(dir, o.restart)
	if err != nil {
		return err
	}
	im := importing{importOptions: o, c: c, db: db, kinds: newKinds(c, db), journal: j}
	im.keep = context.WithoutCancel(c)
	for _, s := range sources {
		im.before += j.place(s).Offset
	}
	if im.before > 0 {
		c.note("import: going on where it was interrupted, %s of %s are done", size(im.before), size(total))
	}
	im.done = im.before
	if im.bar, err = newProgress(c, o.bar, total, im.before); err != nil {
		return err
	}
	err = im.all(sources)
	im.bar.end(im.done, im.stored)
	if kept := im.checkpoint(); err == nil {
		err = kept
	}
	if err == nil {
		err = errors.Join(db.Flush(im.keep), j.finish(sources))
	}
	if im.bad > 0 {
		c.note("import: %s left out", plural(im.bad, "row was", "rows were"))
	}
	if errors.Is(err, context.Canceled) {
		c.note("import: %s stored; the same command goes on from there", plural(im.stored, "row is", "rows are"))
		return err
	}
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	c.printf("%s of %s, %s in %s\n", plural(im.stored, "row", "rows"), plural(len(sources), "file", "files"), size(im.done-im.before), time.Since(im.bar.start).Round(time.Millisecond))
	return nil
}

func (o *importOptions) clock(def int64) (*timeReader, error) {
	zone, err := time.LoadLocation(o.zone)
	if err != nil {
		return nil, wrongf("there is no time zone %q here", o.zone)
	}
	unit := def
	if o.precision != "" {
		if unit, err = unitOf(o.precision); err != nil {
			return nil, err
		}
	}
	return &timeReader{zone: zone, unit: unit}, nil
}

var formats = map[string]string{".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".lp": "line", ".line": "line"}

// sources lists the files of the arguments.
func (o *importOptions) sources(args []string) ([]source, error) {
	prefix, err := pattern.Canonical(o.prefix)
	if err != nil {
		return nil, wrongf("-prefix: %v", err)
	}
	if o.device != "" {
		if o.device, err = pattern.Canonical(o.device); err != nil {
			return nil, wrongf("-device: %v", err)
		}
	}
	if o.format != "auto" && !slices.Contains([]string{"csv", "jsonl", "line"}, o.format) {
		return nil, wrongf("-format is csv, jsonl or line, not %q", o.format)
	}
	var out []source
	add := func(root, path string, st fs.FileInfo) error {
		s := source{path: path, size: st.Size(), mod: st.ModTime(), format: o.format, device: o.device}
		if s.format == "auto" {
			if s.format = formats[strings.ToLower(filepath.Ext(path))]; s.format == "" {
				return wrongf("what is in %s? -format says it", path)
			}
		}
		if s.device == "" {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			s.device = prefix
			for n := range strings.SplitSeq(strings.TrimSuffix(filepath.ToSlash(rel), filepath.Ext(rel)), "/") {
				s.device += "." + node(n)
			}
		}
		s.how = strings.Join([]string{s.format, prefix, s.device, o.precision, o.zone}, " ")
		out = append(out, s)
		return nil
	}
	for _, arg := range args {
		if arg == "-" {
			if o.format == "auto" {
				return nil, wrongf("what is in standard input? -format says it")
			}
			out = append(out, source{path: "-", format: o.format, device: o.device})
			if o.device == "" {
				out[len(out)-1].device = prefix
			}
			continue
		}
		st, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			if err := add(filepath.Dir(arg), arg, st); err != nil {
				return nil, err
			}
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || formats[strings.ToLower(filepath.Ext(path))] == "" || o.format != "auto" && formats[strings.ToLower(filepath.Ext(path))] != o.format {
				return err
			}
			st, err := d.Info()
			if err != nil {
				return err
			}
			return add(arg, path, st)
		})
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no .csv, .jsonl or .lp files in %s: %w", strings.Join(args, ", "), tickwell.ErrNotFound)
	}
	return out, nil
}

// importing is an import under way.
type importing struct {
	*importOptions
	c       *call
	keep    context.Context // not ended by Ctrl-C: a batch is stored whole
	db      *tickwell.DB
	kinds   *kinds
	journal *journal
	bar     *progress

	now    source // the file
	placed filePlace
	before int64 // bytes that an earlier run did
	done   int64 // bytes, of all files
	stored int64 // rows, of this run
	bad    int64
	saved  time.Time
}

func (im *importing) all(sources []source) error {
	im.saved = time.Now()
	for _, s := range sources {
		im.now, im.placed = s, im.journal.place(s)
		if im.placed.Done {
			continue
		}
		if err := im.file(); err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			return fmt.Errorf("%s: %w", s.path, err)
		}
		im.placed.Done = true
		im.journal.set(s, im.placed)
	}
	return nil
}

func (im *importing) file() error {
	in, seek := im.c.in, func(int64) error { return errors.ErrUnsupported }
	if im.now.path != "-" {
		f, err := os.Open(im.now.path)
		if err != nil {
			return err
		}
		defer f.Close()
		in, seek = f, func(at int64) error { _, err := f.Seek(at, io.SeekStart); return err }
	}
	r, err := im.reader(in, seek)
	if err != nil {
		return err
	}
	base := im.done - im.placed.Offset
	var b batch
	flush := func(upTo, line int64) error {
		if b.rows > 0 {
			if err := im.db.InsertTablets(im.keep, b.tablets...); err != nil {
				return err
			}
		}
		im.stored += int64(b.rows)
		im.placed.Offset, im.placed.Line = upTo, line
		im.journal.set(im.now, im.placed)
		im.done = base + im.placed.Offset
		im.bar.show(im.done, im.stored)
		b.reset()
		if time.Since(im.saved) > time.Second {
			if err := im.checkpoint(); err != nil {
				return err
			}
		}
		return im.c.Err()
	}
	var rec record
	sound, line := r.offset(), lineOf(r) // what is before is in b or in the store
	for {
		if atRowEnd(r) {
			sound, line = r.offset(), lineOf(r)
		}
		switch err := im.row(r, &rec, &b); {
		case errors.Is(err, io.EOF):
			return flush(r.offset(), lineOf(r))
		case err != nil:
			return errors.Join(err, flush(sound, line))
		case b.rows >= im.rows && atRowEnd(r):
			if err := flush(r.offset(), lineOf(r)); err != nil {
				return err
			}
		}
	}
}

// atRowEnd reports whether nothing of the line that was read last is left.
func atRowEnd(r reader) bool {
	c, ok := r.(*csvReader)
	return !ok || len(c.pending) == 0
}

// row adds the next row to the batch.
func (im *importing) row(r reader, rec *record, b *batch) error {
	err := r.next(rec)
	if err == nil && len(rec.fields) > 0 {
		if err = im.kinds.fit(rec); err == nil {
			err = b.add(rec)
		}
		if err != nil {
			err = &badRow{lineOf(r), err}
		}
	}
	var bad *badRow
	if errors.As(err, &bad) {
		if !im.skip {
			return fmt.Errorf("line %d: %w (-skip-bad leaves such rows out)", bad.line, bad.err)
		}
		if im.bad++; im.bad <= 5 {
			im.c.note("import: %s: line %d is left out: %v", im.now.path, bad.line, bad.err)
		}
		return nil
	}
	return err
}

func lineOf(r reader) int64 {
	switch r := r.(type) {
	case *csvReader:
		return r.line
	case *lineReader:
		return r.line
	}
	return 0
}

func (im *importing) reader(in io.Reader, seek func(int64) error) (reader, error) {
	from := im.placed.Offset
	if im.now.format == "csv" {
		clock, err := im.clock(1e6)
		if err != nil {
			return nil, err
		}
		return openCSV(in, seek, from, im.placed.Line, im.now.device, clock)
	}
	if from > 0 {
		if err := seek(from); err != nil {
			return nil, err
		}
	}
	if im.now.format == "line" {
		clock, err := im.clock(1)
		if err != nil {
			return nil, err
		}
		prefix := im.device
		if prefix == "" {
			prefix = im.prefix
		}
		return newLineReader(in, from, im.placed.Line, parseLineProtocol(prefix, time.Now().UnixNano(), clock.unit)), nil
	}
	clock, err := im.clock(1e6)
	if err != nil {
		return nil, err
	}
	return newLineReader(in, from, im.placed.Line, parseJSON(im.now.device, clock)), nil
}

// checkpoint makes what is stored durable and then notes how far it is.
func (im *importing) checkpoint() error {
	im.saved = time.Now()
	if err := im.db.Sync(im.keep); err != nil {
		return err
	}
	return im.journal.save()
}
