// Peer duckdb: github.com/duckdb/duckdb-go through the Appender.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"
	"strings"
	"sync"

	"github.com/tickwell/tickwell/bench/harness"

	"github.com/duckdb/duckdb-go/v2"
)

type store struct {
	mu   sync.Mutex // an Appender is not safe for concurrent use
	conn driver.Conn
	app  *duckdb.Appender
	db   *sql.DB
	rng  *sql.Stmt
	agg  *sql.Stmt
	c    harness.Config
}

func open(c harness.Config) (harness.Store, error) {
	dsn := c.Dir + "/p.duckdb"
	if c.Variant == "mem" {
		dsn = ""
	}
	cn, err := duckdb.NewConnector(dsn, nil)
	if err != nil {
		return nil, err
	}
	s := &store{db: sql.OpenDB(cn), c: c}
	if _, err := s.db.Exec(`CREATE TABLE IF NOT EXISTS p(s UINTEGER, t BIGINT, v DOUBLE)`); err != nil {
		return nil, err
	}
	if s.conn, err = cn.Connect(context.Background()); err != nil {
		return nil, err
	}
	if s.app, err = duckdb.NewAppenderFromConn(s.conn, "", "p"); err != nil {
		return nil, err
	}
	if s.rng, err = s.db.Prepare(`SELECT t, v FROM p WHERE s=? AND t BETWEEN ? AND ? ORDER BY t`); err != nil {
		return nil, err
	}
	s.agg, err = s.db.Prepare(`SELECT count(*), sum(v), max(v) FROM p WHERE s=? AND t BETWEEN ? AND ?`)
	return s, err
}

func (s *store) WriteBatch(pts []harness.Point) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pts {
		if err := s.app.AppendRow(p.Series, p.TS, p.V); err != nil {
			return err
		}
	}
	return s.app.Flush()
}

func (s *store) Flush() error {
	_, err := s.db.Exec(`CHECKPOINT`)
	return err
}

func (s *store) Close() error {
	if err := s.app.Close(); err != nil {
		return err
	}
	if err := s.conn.Close(); err != nil {
		return err
	}
	_ = s.rng.Close()
	_ = s.agg.Close()
	return s.db.Close()
}

func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	rows, err := s.rng.Query(n, from, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	var t int64
	var v float64
	for rows.Next() {
		if err := rows.Scan(&t, &v); err != nil {
			return err
		}
		fn(t, v)
	}
	return rows.Err()
}

func (s *store) Aggregate(n uint32, from, to int64) (a harness.Agg, err error) {
	err = s.agg.QueryRow(n, from, to).Scan(&a.N, &a.Sum, &a.Max)
	return a, err
}

func (s *store) Downsample(series []uint32, from, to, step int64, emit func(uint32, int64, float64)) error {
	in := make([]string, len(series))
	for i, n := range series {
		in[i] = strconv.Itoa(int(n))
	}
	rows, err := s.db.Query(`SELECT s, t - t%? AS b, avg(v) FROM p WHERE s IN (`+strings.Join(in, ",")+
		`) AND t BETWEEN ? AND ? GROUP BY s, b`, step, from, to)
	if err != nil {
		return err
	}
	return each(rows, emit)
}

func (s *store) Last(emit func(uint32, int64, float64)) error {
	rows, err := s.db.Query(`SELECT s, max(t), arg_max(v, t) FROM p GROUP BY s`)
	if err != nil {
		return err
	}
	return each(rows, emit)
}

func each(rows *sql.Rows, emit func(uint32, int64, float64)) error {
	defer rows.Close()
	for rows.Next() {
		var n uint32
		var t int64
		var v float64
		if err := rows.Scan(&n, &t, &v); err != nil {
			return err
		}
		emit(n, t, v)
	}
	return rows.Err()
}

func main() {
	harness.Main(harness.Peer{Name: "duckdb", Module: "github.com/duckdb/duckdb-go/v2", Open: open,
		InMemory: func(v string) bool { return v == "mem" },
		Class:    map[string]harness.Class{"": harness.Synced, "mem": harness.Memory},
		Durability: map[string]string{
			"":    "Appender.Flush per batch commits to the WAL with fsync (its default)",
			"mem": "none: in-memory database"}})
}
