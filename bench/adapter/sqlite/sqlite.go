// Package sqlite is the database/sql half of the two SQLite peers.
package sqlite

import (
	"database/sql"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/bench/harness"
)

type store struct {
	db            *sql.DB
	c             harness.Config
	ins, rng, agg *sql.Stmt
}

// Durability of the variants.
var Durability = map[string]string{
	"":     "journal_mode=WAL, synchronous=NORMAL: WAL written per transaction, fsync only at checkpoints (what most users set)",
	"ts":   "as the default variant, but PRIMARY KEY(t,s): appends, at the price of series look-ups",
	"full": "rollback journal, synchronous=FULL: fsync per transaction (SQLite's default)",
	"mem":  "none: :memory:",
}

// Class of the variants.
var Class = map[string]harness.Class{"": harness.Process, "ts": harness.Process, "full": harness.Synced, "mem": harness.Memory}

// Open opens the database with the given driver.
func Open(driver, prefix string, c harness.Config) (harness.Store, error) {
	dsn := prefix + c.Dir + "/p.db"
	if c.Variant == "mem" {
		dsn = ":memory:"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if c.Variant == "" || c.Variant == "ts" {
		for _, p := range []string{"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"} {
			if _, err := db.Exec(p); err != nil {
				return nil, err
			}
		}
	}
	pk := "s,t"
	if c.Variant == "ts" {
		pk = "t,s"
	}
	if _, err := db.Exec(`CREATE TABLE IF NOT EXISTS p(s INTEGER, t INTEGER, v, PRIMARY KEY(` + pk + `)) WITHOUT ROWID`); err != nil {
		return nil, err
	}
	s := &store{db: db, c: c}
	for q, dst := range map[string]**sql.Stmt{
		`INSERT OR REPLACE INTO p VALUES(?,?,?)`:                                 &s.ins,
		`SELECT t, v FROM p WHERE s=? AND t BETWEEN ? AND ? ORDER BY t`:          &s.rng,
		`SELECT count(*), sum(v), max(v) FROM p WHERE s=? AND t BETWEEN ? AND ?`: &s.agg,
	} {
		if *dst, err = db.Prepare(q); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *store) exec(st *sql.Stmt, p harness.Point) error {
	var err error
	if s.c.Series[p.Series].IsInt {
		_, err = st.Exec(int64(p.Series), p.TS, int64(p.V))
	} else {
		_, err = st.Exec(int64(p.Series), p.TS, p.V)
	}
	return err
}

func (s *store) WriteOne(p harness.Point) error { return s.exec(s.ins, p) }

func (s *store) WriteBatch(pts []harness.Point) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	st := tx.Stmt(s.ins)
	for _, p := range pts {
		if err := s.exec(st, p); err != nil {
			_ = tx.Rollback()
			return err
		}
	}
	_ = st.Close()
	return tx.Commit()
}

func (s *store) Flush() error { return nil }
func (s *store) Close() error { return s.db.Close() }

func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	rows, err := s.rng.Query(int64(n), from, to)
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
	err = s.agg.QueryRow(int64(n), from, to).Scan(&a.N, &a.Sum, &a.Max)
	return a, err
}

func (s *store) Downsample(series []uint32, from, to, step int64, emit func(uint32, int64, float64)) error {
	in := make([]string, len(series))
	for i, n := range series {
		in[i] = strconv.Itoa(int(n))
	}
	rows, err := s.db.Query(`SELECT s, t/?*? AS b, avg(v) FROM p WHERE s IN (`+strings.Join(in, ",")+
		`) AND t BETWEEN ? AND ? GROUP BY s, b`, step, step, from, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n uint32
		var b int64
		var v float64
		if err := rows.Scan(&n, &b, &v); err != nil {
			return err
		}
		emit(n, b, v)
	}
	return rows.Err()
}

// Last asks for the newest row of every series: one index seek each.
func (s *store) Last(emit func(uint32, int64, float64)) error {
	st, err := s.db.Prepare(`SELECT t, v FROM p WHERE s=? ORDER BY t DESC LIMIT 1`)
	if err != nil {
		return err
	}
	defer st.Close()
	for i := range s.c.Series {
		var t int64
		var v float64
		if err := st.QueryRow(i).Scan(&t, &v); err != nil {
			return err
		}
		emit(uint32(i), t, v)
	}
	return nil
}
