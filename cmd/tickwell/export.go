package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

func exportCommand() *command {
	f := newFlags()
	var o exportOptions
	f.StringVar(&o.format, "format", "", "`csv`, jsonl or line (by the name of -o, else csv)")
	f.StringVar(&o.to, "o", "-", "write to `FILE`, or with a / at the end into a folder, a file a device; -: standard output")
	f.StringVar(&o.pattern, "series", everything, "the `PATTERN` of the series")
	f.StringVar(&o.start, "start", "", "rows from this `TIME` on")
	f.StringVar(&o.end, "end", "", "rows before this `TIME`")
	f.StringVar(&o.zone, "zone", "UTC", "the time `ZONE` of -start and -end")
	f.StringVar(&o.times, "times", "iso", "how CSV writes times: `iso`, or an integer of ms, us, ns or s")
	f.StringVar(&o.bar, "progress", "auto", progressModes)
	f.BoolVar(&o.restart, "restart", false, "begin at the beginning even if an export was interrupted")
	f.StringVar(&o.since, "since", "", "rows stored after this `CURSOR`, as JSON lines; 0: all")
	f.BoolVar(&o.follow, "follow", false, "with -since: go on with rows as they are stored")
	f.DurationVar(&o.poll, "poll", time.Second, "with -follow: look for new rows so often")
	return &command{
		name: "export", args: "DIR", short: "Writes rows as CSV, JSON lines or line protocol.", lo: 1, hi: 1, flags: f,
		long: `
Writes what a store holds, in the order of time. CSV has whole paths with their
kinds in its header, or, a file a device, measurements; empty cells are nulls.
JSON lines and line protocol come one device after the other. import reads all
three; line protocol has no 32-bit kinds.

After Ctrl-C the same command goes on where it was, if it writes to a file: the
place is kept in FILE.resume.

    tickwell export -o all.csv data
    tickwell export -series 'root.plant.**' -start -24h -format jsonl data
    tickwell export -o csv/ data

-since is the way for other tools to pull what is new. It writes JSON lines as
they are stored, and after each group of them a line {"cursor":"…"}: a tool that
keeps the last one it has seen, and gives it to -since the next time, misses
nothing. Rows may come again, with the same values, and late rows come late.
Nothing is kept for it in the store, so any number of tools can read.

    tickwell export -since 0 -follow data

` + timeHelp,
		run: func(c *call, args []string) error { return o.run(c, args[0]) },
	}
}

type exportOptions struct {
	span
	format, to, pattern, times, bar, since string
	restart, follow                        bool
	poll                                   time.Duration
}

// unit is what is written by one query: all series, or those of a device.
type unit struct {
	name   string
	series []tickwell.SeriesInfo
	kinds  []tickwell.Kind
}

func (o *exportOptions) run(c *call, dir string) (err error) {
	if o.since != "" || o.follow {
		if o.since == "" || o.format != "" && o.format != "jsonl" || o.to != "-" {
			return wrongf("-follow needs -since, and both write JSON lines to standard output")
		}
		return o.pull(c, dir)
	}
	folder := strings.HasSuffix(o.to, "/") || strings.HasSuffix(o.to, string(filepath.Separator))
	if o.format == "" {
		if o.format = formats[strings.ToLower(filepath.Ext(o.to))]; o.format == "" {
			o.format = "csv"
		}
	}
	start, end, err := o.span.times()
	if err != nil {
		return err
	}
	w := rowWriters[o.format]
	if w == nil {
		return wrongf("-format is csv, jsonl or line, not %q", o.format)
	}
	unitNanos := int64(0)
	if o.times != "iso" {
		if unitNanos, err = unitOf(o.times); err != nil {
			return wrongf("-times is iso, ms, us, ns or s, not %q", o.times)
		}
	}
	db, err := openForReading(c, dir)
	if err != nil {
		return err
	}
	defer closing(db, &err)
	series, err := listSeries(c, db, o.pattern)
	if err != nil {
		return err
	}
	if len(series) == 0 {
		return fmt.Errorf("no series matches %s: %w", o.pattern, tickwell.ErrNotFound)
	}
	ex := &exporting{c: c, db: db, start: start, end: end, write: w, unit: unitNanos, what: strings.Join([]string{o.format, o.pattern, o.start, o.end, o.times}, " ")}
	if err := ex.open(o.to, folder, o.restart); err != nil {
		return err
	}
	total, err := ex.points(series)
	if err != nil {
		return err
	}
	if ex.bar, err = newProgress(c, o.bar, total, 0); err != nil {
		return err
	}
	ex.bar.unit = "points"
	err = ex.all(units(series, folder || o.format != "csv"))
	ex.bar.end(ex.done, ex.done)
	if err = errors.Join(err, ex.close(err == nil)); err != nil {
		if errors.Is(err, c.Err()) && o.to != "-" {
			c.note("export: the same command goes on from here")
		}
		return err
	}
	if o.to != "-" {
		c.note("export: %s of %d series in %s", plural(ex.done, "point", "points"), len(series), o.to)
	}
	return nil
}

// units puts the series of a device, or all, together.
func units(series []tickwell.SeriesInfo, byDevice bool) []unit {
	var out []unit
	for _, s := range series {
		if n := len(out); n == 0 || byDevice && out[n-1].name != s.Device {
			name := ""
			if byDevice {
				name = s.Device
			}
			out = append(out, unit{name: name})
		}
		u := &out[len(out)-1]
		u.series, u.kinds = append(u.series, s), append(u.kinds, s.Kind)
	}
	return out
}

// exporting is an export under way.
type exporting struct {
	c          *call
	db         *tickwell.DB
	start, end time.Time
	write      rowWriter
	unit       int64
	what       string // options that make another file of it
	bar        *progress
	done       int64 // points

	folder string   // "" if all goes to one file
	file   *os.File // nil: standard output
	out    *bufio.Writer
	place  exportPlace
	resume string // file that holds place; "" for standard output
	saved  time.Time
}

// exportPlace is how far an export is: rows of Unit before Next are in the first
// Bytes of its file, and so are the units before it.
type exportPlace struct {
	What  string `json:"what"`
	Unit  string `json:"unit"`
	Next  int64  `json:"next"`
	Bytes int64  `json:"bytes"`
	Begun bool   `json:"begun"`
}

// open finds the place where an interrupted export was, if there is one.
func (e *exporting) open(to string, folder, restart bool) error {
	e.saved = time.Now()
	switch {
	case to == "-":
		e.out = bufio.NewWriterSize(e.c.out, 1<<16)
		return nil
	case folder:
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		e.folder, e.resume = to, filepath.Join(to, "export.resume")
	default:
		e.resume = to + ".resume"
	}
	if b, err := os.ReadFile(e.resume); err == nil && !restart {
		if json.Unmarshal(b, &e.place) != nil || e.place.What != e.what {
			return fmt.Errorf("%s is of another export; -restart begins a new one: %w", e.resume, tickwell.ErrExists)
		}
		e.c.note("export: going on where it was interrupted")
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.place.What = e.what
	if folder {
		return nil
	}
	return e.openFile(to)
}

// openFile opens the file of a unit and cuts off what is not known to be sound.
func (e *exporting) openFile(name string) error {
	flags := os.O_RDWR | os.O_CREATE
	if !e.place.Begun {
		flags |= os.O_TRUNC
		e.place.Bytes = 0
	}
	f, err := os.OpenFile(name, flags, 0o600)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err == nil && st.Size() < e.place.Bytes {
		err = fmt.Errorf("%s is shorter than it was; -restart begins a new export: %w", name, tickwell.ErrCorrupt)
	}
	if err == nil {
		err = f.Truncate(e.place.Bytes)
	}
	if err == nil {
		_, err = f.Seek(e.place.Bytes, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return err
	}
	e.file, e.out = f, bufio.NewWriterSize(f, 1<<16)
	return nil
}

func (e *exporting) all(units []unit) error {
	skip := e.place.Begun
	for i := range units {
		u := &units[i]
		if skip && u.name != e.place.Unit {
			continue
		}
		if !skip {
			e.place.Unit, e.place.Next = u.name, 0
			if e.folder != "" {
				e.place.Begun = false
			}
		}
		if e.folder != "" {
			if err := e.openFile(filepath.Join(e.folder, fileName(u.name)+".csv")); err != nil {
				return err
			}
		}
		if err := e.one(u, skip); err != nil {
			return err
		}
		skip = false
		if e.folder != "" {
			if err := errors.Join(e.out.Flush(), e.file.Close()); err != nil {
				return err
			}
			e.file = nil
		}
	}
	if skip {
		return fmt.Errorf("the series of %s are gone; -restart begins a new export: %w", e.place.Unit, tickwell.ErrNotFound)
	}
	return nil
}

func (e *exporting) one(u *unit, resumed bool) error {
	start := e.start
	if resumed && e.place.Next != 0 {
		start = unixNano(e.place.Next)
	}
	row := rowForm{out: e.out, unit: u, nanos: e.unit}
	if !resumed || e.place.Bytes == 0 {
		if err := e.write(&row, nil, 0); err != nil {
			return err
		}
	}
	res, err := e.db.Query(e.c, selectSeries(u.series, start, e.end))
	if err != nil {
		return err
	}
	for t, err := range res.Tablets() {
		if err != nil {
			return err
		}
		for i := range t.Times {
			if err := e.write(&row, t, i); err != nil {
				return err
			}
		}
		for i := range t.Columns {
			e.done += int64(t.Len())
			for r := range t.Times {
				if t.Columns[i].Nulls.Get(r) {
					e.done--
				}
			}
		}
		e.bar.show(e.done, e.done)
		if n := t.Len(); n > 0 {
			e.place.Next, e.place.Begun = t.Times[n-1]+1, true
		}
		if time.Since(e.saved) > time.Second {
			if err := e.checkpoint(); err != nil {
				return err
			}
		}
		if err := e.c.Err(); err != nil {
			return errors.Join(err, e.checkpoint())
		}
	}
	return nil
}

func selectSeries(series []tickwell.SeriesInfo, start, end time.Time) tickwell.Query {
	q := tickwell.Query{Start: start, End: end}
	for _, s := range series {
		q.Select = append(q.Select, expr.Col(s.Path()))
	}
	return q
}

// points counts what there is to write.
func (e *exporting) points(series []tickwell.SeriesInfo) (int64, error) {
	var total int64
	for len(series) > 0 {
		n := min(256, len(series))
		q := selectSeries(series[:n], e.start, e.end)
		for i := range q.Select {
			q.Select[i] = expr.Count(q.Select[i])
		}
		series = series[n:]
		res, err := e.db.Query(e.c, q)
		if err != nil {
			return 0, err
		}
		for row, err := range res.Rows() {
			if err != nil {
				return 0, err
			}
			for i := range row.Len() {
				total += row.Value(i).Int64()
			}
		}
	}
	return total, nil
}

// checkpoint notes how far the file is, once that is on disk.
func (e *exporting) checkpoint() error {
	e.saved = time.Now()
	if err := e.out.Flush(); err != nil || e.file == nil {
		return err
	}
	if err := e.file.Sync(); err != nil {
		return err
	}
	at, err := e.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	e.place.Bytes, e.place.Begun = at, true
	b, err := json.Marshal(e.place)
	if err != nil {
		return err
	}
	return replaceFile(e.resume, b)
}

func (e *exporting) close(whole bool) error {
	var err error
	if e.out != nil {
		err = e.out.Flush()
	}
	if e.file != nil {
		err = errors.Join(err, e.file.Close())
	}
	if whole && err == nil && e.resume != "" {
		if rerr := os.Remove(e.resume); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			return rerr
		}
	}
	return err
}

// fileName makes a file's name of a device.
func fileName(device string) string {
	var b strings.Builder
	for _, r := range []byte(device) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-', r >= 0x80:
			b.WriteByte(r)
		default:
			fmt.Fprintf(&b, "%%%02X", r)
		}
	}
	return b.String()
}
