package main

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync/atomic"

	"modernc.org/sqlite"
)

// told counts the calls of the Go function that the SQLite trigger calls.
var told atomic.Int64

func init() {
	sqlite.MustRegisterScalarFunction("tell", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		told.Add(1)
		return nil, nil
	})
}

type sqliteStore struct{}

func (sqliteStore) open() (*sql.DB, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// A series is a table of its own: a trigger of SQLite is on a table.
func (s sqliteStore) trigger(n int64, on string) (high, calls int64, err error) {
	db, err := s.open()
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	for _, table := range []string{"v", "w"} {
		if _, err := db.Exec(`CREATE TABLE ` + table + `(t INTEGER PRIMARY KEY, v REAL)`); err != nil {
			return 0, 0, err
		}
	}
	told.Store(0)
	if on != "" {
		if _, err := db.Exec(fmt.Sprintf(`CREATE TRIGGER high AFTER INSERT ON %s WHEN NEW.v > %d BEGIN SELECT tell(NEW.t, NEW.v); END`, on, limit)); err != nil {
			return 0, 0, err
		}
	}
	ins, err := db.Prepare(`INSERT INTO v VALUES(?,?)`)
	if err != nil {
		return 0, 0, err
	}
	defer ins.Close()
	for i := int64(0); i+rowsPerBatch <= n; i += rowsPerBatch {
		tx, err := db.Begin()
		if err != nil {
			return 0, 0, err
		}
		st := tx.Stmt(ins)
		for j := range int64(rowsPerBatch) {
			if _, err := st.Exec(start.Unix()+i+j, value(0, i+j)); err != nil {
				return 0, 0, err
			}
		}
		if err := tx.Commit(); err != nil {
			return 0, 0, err
		}
	}
	return told.Load(), told.Load(), nil
}

func (s sqliteStore) minutes(seconds int64, with bool) (sum float64, err error) {
	db, err := s.open()
	if err != nil {
		return 0, err
	}
	defer db.Close()
	for _, q := range []string{
		`CREATE TABLE p(t INTEGER, s INTEGER, v REAL, PRIMARY KEY(t,s)) WITHOUT ROWID`,
		`CREATE TABLE m(t INTEGER, s INTEGER, v REAL, PRIMARY KEY(t,s)) WITHOUT ROWID`,
	} {
		if _, err := db.Exec(q); err != nil {
			return 0, err
		}
	}
	ins, err := db.Prepare(`INSERT INTO p VALUES(?,?,?)`)
	if err != nil {
		return 0, err
	}
	defer ins.Close()
	for i := range seconds {
		tx, err := db.Begin()
		if err != nil {
			return 0, err
		}
		st := tx.Stmt(ins)
		for n := range int64(series) {
			if _, err := st.Exec(start.Unix()+i, n, value(n, i)); err != nil {
				return 0, err
			}
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
		if with && i > 0 && i%60 == 0 {
			if _, err := db.Exec(`INSERT INTO m SELECT t/60*60, s, avg(v) FROM p WHERE t >= ? AND t < ? GROUP BY s, t/60`,
				start.Unix()+i-60, start.Unix()+i); err != nil {
				return 0, err
			}
		}
	}
	if !with {
		return 0, nil
	}
	err = db.QueryRow(`SELECT sum(v) FROM m`).Scan(&sum)
	return sum, err
}
