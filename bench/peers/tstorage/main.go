// Peer tstorage: github.com/nakabonne/tstorage. Metric names are joined
// beforehand and no labels are passed, its cheapest documented way.
package main

import (
	"errors"
	"time"

	"github.com/tickwell/tickwell/bench/harness"

	"github.com/nakabonne/tstorage"
)

type store struct {
	st tstorage.Storage
	c  harness.Config
}

func open(c harness.Config) (harness.Store, error) {
	o := []tstorage.Option{tstorage.WithTimestampPrecision(tstorage.Milliseconds)}
	if c.Variant == "mem" {
		// In memory it keeps two partitions only and drops older ones: one
		// partition must span everything that is to stay readable.
		o = append(o, tstorage.WithPartitionDuration(72*time.Hour))
	} else {
		o = append(o, tstorage.WithDataPath(c.Dir))
	}
	if c.Variant == "wal0" {
		o = append(o, tstorage.WithWALBufferedSize(0))
	}
	st, err := tstorage.NewStorage(o...)
	return &store{st, c}, err
}

func (s *store) WriteBatch(pts []harness.Point) error {
	rows := make([]tstorage.Row, len(pts))
	for i, p := range pts {
		rows[i] = tstorage.Row{Metric: s.c.Series[p.Series].Name,
			DataPoint: tstorage.DataPoint{Timestamp: p.TS, Value: p.V}}
	}
	return s.st.InsertRows(rows)
}

func (s *store) Flush() error { return nil } // it has none; Close flushes
func (s *store) Close() error { return s.st.Close() }

func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	ps, err := s.st.Select(s.c.Series[n].Name, nil, from, to+1)
	if errors.Is(err, tstorage.ErrNoDataPoints) {
		return nil
	}
	for _, p := range ps {
		fn(p.Timestamp, p.Value)
	}
	return err
}

func main() {
	harness.Main(harness.Peer{Name: "tstorage", Module: "github.com/nakabonne/tstorage", Open: open,
		InMemory: func(v string) bool { return v == "mem" },
		Class:    map[string]harness.Class{"": harness.Buffered, "wal0": harness.Process, "mem": harness.Memory},
		Durability: map[string]string{
			"":     "WAL through a 4096-byte user-space buffer, never fsynced (its default)",
			"wal0": "WAL, one write(2) per point, never fsynced",
			"mem":  "none: memory only"}})
}
