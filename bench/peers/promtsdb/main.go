// Peer promtsdb: github.com/prometheus/prometheus/tsdb, appending by cached
// series references and reading through the querier.
package main

import (
	"context"
	"log/slog"
	"math"
	"strconv"

	"github.com/tickwell/tickwell/bench/harness"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

type store struct {
	db   *tsdb.DB
	c    harness.Config
	lset []labels.Labels
	refs []storage.SeriesRef
}

func open(c harness.Config) (harness.Store, error) {
	o := tsdb.DefaultOptions()
	o.OutOfOrderTimeWindow = 10 * 60 * 1000 // the default, 0, refuses late points
	db, err := tsdb.Open(c.Dir, slog.New(slog.DiscardHandler), nil, o, nil)
	if err != nil {
		return nil, err
	}
	s := &store{db: db, c: c, refs: make([]storage.SeriesRef, len(c.Series))}
	for i, m := range c.Series {
		s.lset = append(s.lset, labels.FromStrings("__name__", m.Measurement, "device", m.Device, "sid", strconv.Itoa(i)))
	}
	return s, nil
}

func (s *store) WriteBatch(pts []harness.Point) error {
	app := s.db.Appender(context.Background())
	for _, p := range pts {
		ref, err := app.Append(s.refs[p.Series], s.lset[p.Series], p.TS, p.V)
		if err != nil {
			_ = app.Rollback()
			return err
		}
		s.refs[p.Series] = ref // each series has one writer
	}
	return app.Commit()
}

// Flush compacts what the engine considers old enough into blocks.
func (s *store) Flush() error { return s.db.Compact(context.Background()) }
func (s *store) Close() error { return s.db.Close() }

func (s *store) sel(from, to int64, ms []*labels.Matcher, fn func(lset labels.Labels, it chunkenc.Iterator) error) error {
	q, err := s.db.Querier(from, to)
	if err != nil {
		return err
	}
	defer q.Close()
	ss := q.Select(context.Background(), false, &storage.SelectHints{Start: from, End: to}, ms...)
	var it chunkenc.Iterator
	for ss.Next() {
		se := ss.At()
		it = se.Iterator(it)
		if err := fn(se.Labels(), it); err != nil {
			return err
		}
		if it.Err() != nil {
			return it.Err()
		}
	}
	return ss.Err()
}

func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	m := s.c.Series[n]
	ms := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", m.Measurement),
		labels.MustNewMatcher(labels.MatchEqual, "device", m.Device)}
	return s.sel(from, to, ms, func(_ labels.Labels, it chunkenc.Iterator) error {
		for it.Next() == chunkenc.ValFloat {
			fn(it.At())
		}
		return nil
	})
}

// Downsample selects all series of the measurement at once; the harness always
// asks for measurement 0 of every device.
func (s *store) Downsample(series []uint32, from, to, step int64, emit func(uint32, int64, float64)) error {
	ms := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", s.c.Series[series[0]].Measurement)}
	return s.sel(from, to, ms, func(l labels.Labels, it chunkenc.Iterator) error {
		id, err := strconv.Atoi(l.Get("sid"))
		if err != nil {
			return err
		}
		cur, sum, n := int64(math.MinInt64), 0.0, 0
		for it.Next() == chunkenc.ValFloat {
			t, v := it.At()
			if b := t - t%step; b != cur {
				if n > 0 {
					emit(uint32(id), cur, sum/float64(n))
				}
				cur, sum, n = b, 0, 0
			}
			sum += v
			n++
		}
		if n > 0 {
			emit(uint32(id), cur, sum/float64(n))
		}
		return nil
	})
}

// Last looks back five minutes over all series, as an instant query does.
func (s *store) Last(emit func(uint32, int64, float64)) error {
	to := s.db.Head().MaxTime()
	ms := []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+")}
	return s.sel(to-5*60*1000, to, ms, func(l labels.Labels, it chunkenc.Iterator) error {
		id, err := strconv.Atoi(l.Get("sid"))
		if err != nil {
			return err
		}
		var t int64
		var v float64
		for it.Next() == chunkenc.ValFloat {
			t, v = it.At()
		}
		emit(uint32(id), t, v)
		return nil
	})
}

func main() {
	harness.Main(harness.Peer{Name: "prom-tsdb", Module: "github.com/prometheus/prometheus", Open: open,
		Class:      map[string]harness.Class{"": harness.Process},
		Durability: map[string]string{"": "WAL written on every Commit, fsynced only when a 128 MiB segment is full or on close (its default)"}})
}
