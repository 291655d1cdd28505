// Peer influx1: the tsdb.Store of InfluxDB v1 with the tsm1 engine and one
// shard. A gateway device is one point with up to ten fields, its native shape.
// v1.7.11 is the last release whose tsdb package builds without libflux (Rust).
package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tickwell/tickwell/bench/harness"

	"github.com/influxdata/influxdb/models"
	"github.com/influxdata/influxdb/toml"
	"github.com/influxdata/influxdb/tsdb"
	_ "github.com/influxdata/influxdb/tsdb/engine"
	_ "github.com/influxdata/influxdb/tsdb/index"
)

type store struct {
	st   *tsdb.Store
	sh   *tsdb.Shard
	c    harness.Config
	tags []models.Tags
}

const meas = "gw"

func open(c harness.Config) (harness.Store, error) {
	data := filepath.Join(c.Dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	st := tsdb.NewStore(data)
	cfg := tsdb.NewConfig()
	cfg.Dir, cfg.WALDir = data, filepath.Join(c.Dir, "wal")
	if c.Variant == "delay" {
		cfg.WALFsyncDelay = toml.Duration(100 * time.Millisecond)
	}
	st.EngineOptions.Config = cfg
	if err := st.Open(); err != nil {
		return nil, err
	}
	if st.Shard(1) == nil {
		if err := st.CreateShard("db", "rp", 1, true); err != nil {
			return nil, err
		}
	}
	s := &store{st: st, sh: st.Shard(1), c: c}
	for _, m := range c.Series {
		s.tags = append(s.tags, models.NewTags(map[string]string{"device": m.Device}))
	}
	return s, nil
}

func (s *store) WriteBatch(pts []harness.Point) error {
	out := make([]models.Point, 0, len(pts)/harness.Measurements+1)
	for i := 0; i < len(pts); {
		p := pts[i]
		dev := s.c.Series[p.Series].DeviceNo
		f := make(models.Fields, harness.Measurements)
		for ; i < len(pts) && pts[i].TS == p.TS && s.c.Series[pts[i].Series].DeviceNo == dev; i++ {
			m := &s.c.Series[pts[i].Series]
			if m.IsInt {
				f[m.Measurement] = int64(pts[i].V)
			} else {
				f[m.Measurement] = pts[i].V
			}
		}
		mp, err := models.NewPoint(meas, s.tags[p.Series], f, time.UnixMilli(p.TS))
		if err != nil {
			return err
		}
		out = append(out, mp)
	}
	for {
		err := s.st.WriteToShard(1, out)
		if err != nil && strings.Contains(err.Error(), "cache-max-memory-size") {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		return err
	}
}

// Flush snapshots the cache into TSM files.
func (s *store) Flush() error {
	e, err := s.sh.Engine()
	if err != nil {
		return err
	}
	for {
		err := e.(interface{ WriteSnapshot() error }).WriteSnapshot()
		if err == nil || !strings.Contains(err.Error(), "snapshot in progress") {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *store) Close() error { return s.st.Close() }

func (s *store) cursor(n uint32, from, to int64, asc bool) (tsdb.Cursor, error) {
	it, err := s.sh.CreateCursorIterator(context.Background())
	if err != nil {
		return nil, err
	}
	return it.Next(context.Background(), &tsdb.CursorRequest{Name: []byte(meas), Tags: s.tags[n],
		Field: s.c.Series[n].Measurement, Ascending: asc, StartTime: from * 1e6, EndTime: to * 1e6})
}

func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	c, err := s.cursor(n, from, to, true)
	if err != nil || c == nil {
		return err
	}
	defer c.Close()
	switch c := c.(type) {
	case tsdb.FloatArrayCursor:
		for a := c.Next(); len(a.Timestamps) > 0; a = c.Next() {
			for i, t := range a.Timestamps {
				fn(t/1e6, a.Values[i])
			}
		}
	case tsdb.IntegerArrayCursor:
		for a := c.Next(); len(a.Timestamps) > 0; a = c.Next() {
			for i, t := range a.Timestamps {
				fn(t/1e6, float64(a.Values[i]))
			}
		}
	}
	return c.Err()
}

// Last reads the first block of a descending cursor.
func (s *store) Last(emit func(uint32, int64, float64)) error {
	for i := range s.c.Series {
		c, err := s.cursor(uint32(i), s.c.From, s.c.To, false)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		switch c := c.(type) {
		case tsdb.FloatArrayCursor:
			if a := c.Next(); len(a.Timestamps) > 0 {
				emit(uint32(i), a.Timestamps[0]/1e6, a.Values[0])
			}
		case tsdb.IntegerArrayCursor:
			if a := c.Next(); len(a.Timestamps) > 0 {
				emit(uint32(i), a.Timestamps[0]/1e6, float64(a.Values[0]))
			}
		}
		c.Close()
	}
	return nil
}

func main() {
	harness.Main(harness.Peer{Name: "influx1-tsm", Module: "github.com/influxdata/influxdb", Open: open,
		Class: map[string]harness.Class{"": harness.Synced, "delay": harness.Synced},
		Durability: map[string]string{
			"":      "WAL (snappy) fsynced on every write, wal-fsync-delay=0 (its default)",
			"delay": "WAL fsynced at most every 100 ms; a write waits for the shared fsync"}})
}
