// Peer tickwell: the library of this repository, through its public API only.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/bench/harness"
	"github.com/tickwell/tickwell/expr"
)

func main() {
	harness.Main(harness.Peer{Name: "tickwell", Module: "github.com/tickwell/tickwell", Open: open,
		InMemory: func(v string) bool { return v == "mem" },
		Class: map[string]harness.Class{"": harness.Process, "buffered": harness.Buffered,
			"sync": harness.Synced, "mem": harness.Memory},
		Durability: map[string]string{
			"":         "SyncInterval(1 s), the default: log written to the system before an insert returns, fsync once a second",
			"buffered": "AckBuffered(1 s): log in a user-space buffer, written and fsynced once a second",
			"sync":     "SyncAlways: log fsynced before an insert returns",
			"mem":      "none: memory only"}})
}

// store keeps what a user of the API would keep: tablets to fill again, a
// writer a device, a typed handle a series.
type store struct {
	db     *tickwell.DB
	c      harness.Config
	mu     sync.Mutex
	groups []*group // that no goroutine writes with now
	rows   []*tickwell.Writer
	values []tickwell.Value
	floats []*tickwell.Series[float64] // by series number; nil for counters
	ints   []*tickwell.Series[int64]
	last   []tickwell.LastPoint // memory for the next answer
}

func open(c harness.Config) (harness.Store, error) {
	o := &tickwell.Options{Logger: slog.New(slog.DiscardHandler)}
	dir := c.Dir
	switch c.Variant {
	case "buffered":
		o.Sync = tickwell.AckBuffered(time.Second)
	case "sync":
		o.Sync = tickwell.SyncAlways()
	case "mem":
		dir = ""
	}
	db, err := tickwell.Open(context.Background(), dir, o)
	if err != nil {
		return nil, err
	}
	return &store{db: db, c: c}, nil
}

func (s *store) Close() error { return s.db.Close() }
func (s *store) Flush() error { return s.db.Flush(context.Background()) }

// SealedBytes is the length of the block files; the log is used again.
func (s *store) SealedBytes() int64 { return s.db.Stats().DiskBytes }

func (s *store) WriteBatch(pts []harness.Point) error {
	g := s.group()
	err := s.db.InsertTablets(context.Background(), g.fill(pts)...)
	s.mu.Lock()
	s.groups = append(s.groups, g)
	s.mu.Unlock()
	return err
}

// group returns one that nobody uses: there are as many as goroutines that write.
func (s *store) group() *group {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.groups)
	if n == 0 {
		return newGroup(s.c.Series)
	}
	g := s.groups[n-1]
	s.groups = s.groups[:n-1]
	return g
}

// WriteRow writes one row of a device through its writer.
func (s *store) WriteRow(dev int, ts int64, v []float64) error {
	if s.rows == nil {
		s.rows, s.values = make([]*tickwell.Writer, harness.Devices), make([]tickwell.Value, harness.Measurements)
	}
	series := s.c.Series[dev*harness.Measurements:][:harness.Measurements]
	if s.rows[dev] == nil {
		var cols []tickwell.ColumnInfo
		for _, m := range series {
			cols = append(cols, tickwell.ColumnInfo{Name: m.Measurement, Kind: kind(m)})
		}
		var err error
		if s.rows[dev], err = s.db.Writer(series[0].Device, cols...); err != nil {
			return err
		}
	}
	for i, m := range series {
		if m.IsInt {
			s.values[i] = tickwell.Int64Value(int64(v[i]))
		} else {
			s.values[i] = tickwell.Float64Value(v[i])
		}
	}
	return s.rows[dev].Insert(context.Background(), time.UnixMilli(ts), s.values...)
}

// WriteOne writes one point through the handle of its series.
func (s *store) WriteOne(p harness.Point) error {
	if err := s.handle(p.Series); err != nil {
		return err
	}
	at := time.UnixMilli(p.TS)
	if h := s.ints[p.Series]; h != nil {
		return h.Insert(context.Background(), at, int64(p.V))
	}
	return s.floats[p.Series].Insert(context.Background(), at, p.V)
}

// handle makes the typed handle of a series, once.
func (s *store) handle(n uint32) (err error) {
	if s.floats == nil {
		s.floats, s.ints = make([]*tickwell.Series[float64], len(s.c.Series)), make([]*tickwell.Series[int64], len(s.c.Series))
	}
	m := &s.c.Series[n]
	switch {
	case s.floats[n] != nil || s.ints[n] != nil:
	case m.IsInt:
		s.ints[n], err = tickwell.SeriesOf[int64](s.db, m.Name)
	default:
		s.floats[n], err = tickwell.SeriesOf[float64](s.db, m.Name)
	}
	return err
}

func kind(m harness.Meta) tickwell.Kind {
	if m.IsInt {
		return tickwell.KindInt64
	}
	return tickwell.KindFloat64
}

func (s *store) query(q tickwell.Query, from, to int64) (*tickwell.Result, error) {
	q.Start, q.End = time.UnixMilli(from), time.UnixMilli(to+1)
	return s.db.Query(context.Background(), q)
}

// Scan reads raw points by column through the handle of the series.
func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	if err := s.handle(n); err != nil {
		return err
	}
	start, end := time.UnixMilli(from), time.UnixMilli(to+1)
	if h := s.ints[n]; h != nil {
		for b, err := range h.Blocks(context.Background(), start, end) {
			if err != nil {
				return err
			}
			for i, t := range b.Times {
				fn(t/1e6, float64(b.Values[i]))
			}
		}
		return nil
	}
	for b, err := range s.floats[n].Blocks(context.Background(), start, end) {
		if err != nil {
			return err
		}
		for i, t := range b.Times {
			fn(t/1e6, b.Values[i])
		}
	}
	return nil
}

// Aggregate answers from block statistics where whole blocks lie in the range.
func (s *store) Aggregate(n uint32, from, to int64) (a harness.Agg, err error) {
	m := &s.c.Series[n]
	col := expr.Col(m.Measurement)
	r, err := s.query(tickwell.Query{Select: []expr.Expr{expr.Count(col), expr.Sum(col), expr.Max(col)}, From: []string{m.Device}}, from, to)
	if err != nil {
		return a, err
	}
	for row, err := range r.Rows() {
		if err != nil {
			return a, err
		}
		a = harness.Agg{N: row.Value(0).Int64(), Sum: row.Float64(1), Max: row.Float64(2)}
	}
	return a, nil
}

// Downsample asks for all devices at once; the harness always asks for one
// measurement of each.
func (s *store) Downsample(series []uint32, from, to, step int64, emit func(uint32, int64, float64)) error {
	from -= from % step
	r, err := s.query(tickwell.Query{Select: []expr.Expr{expr.Avg(expr.Col(s.c.Series[series[0]].Measurement))}, From: []string{"*"},
		GroupBy: tickwell.GroupByTime{Interval: time.Duration(step) * time.Millisecond}}, from, to)
	if err != nil {
		return err
	}
	if n := len(r.Columns()); n != len(series) {
		return fmt.Errorf("%d columns, want %d", n, len(series))
	}
	for t, err := range r.Tablets() {
		if err != nil {
			return err
		}
		for c, col := range t.Columns {
			v := col.Data.(tickwell.Float64s)
			for i, at := range t.Times {
				if !col.Nulls.Get(i) {
					emit(series[c], at/1e6, v[i])
				}
			}
		}
	}
	return nil
}

// Last asks for the newest point of every series.
func (s *store) Last(emit func(uint32, int64, float64)) error {
	points, err := s.db.AppendLast(context.Background(), s.last[:0], "**")
	if err != nil {
		return err
	}
	s.last = points
	for i := range points { // sorted by path, as the series of the workload are
		emit(uint32(i), points[i].Time.UnixMilli(), points[i].Value.Float64())
	}
	return nil
}
