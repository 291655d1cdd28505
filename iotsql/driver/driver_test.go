package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/iotsql/driver"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := driver.Open(dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) int64 {
	t.Helper()
	res, err := db.Exec(query, args...)
	require.NoError(t, err, query)
	n, err := res.RowsAffected()
	require.NoError(t, err)
	return n
}

// all reads what a query answers, columns first.
func all(t *testing.T, rows *sql.Rows, err error) (cols []string, out [][]any) {
	t.Helper()
	require.NoError(t, err)
	defer rows.Close()
	cols, out, err = read(rows)
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	return cols, out
}

func read(rows *sql.Rows) (cols []string, out [][]any, err error) {
	if cols, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(cols)), make([]any, len(cols))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return cols, out, err
		}
		out = append(out, row)
	}
	return cols, out, rows.Err()
}

const everyKind = `
	CREATE TIMESERIES root.a.b WITH DATATYPE=BOOLEAN; CREATE TIMESERIES root.a.i WITH DATATYPE=INT32;
	CREATE TIMESERIES root.a.l WITH DATATYPE=INT64; CREATE TIMESERIES root.a.f WITH DATATYPE=FLOAT;
	CREATE TIMESERIES root.a.d WITH DATATYPE=DOUBLE; CREATE TIMESERIES root.a.s WITH DATATYPE=TEXT;
	INSERT INTO root.a(time, b, i, l, f, d, s) VALUES (1000, true, -7, 9223372036854775807, 1.5, 0.1, 'it''s');
	INSERT INTO root.a(time, b) VALUES (2000, false)`

const selectAll = "SELECT b, i, l, f, d, s FROM root.a"

func TestDataSourceNames(t *testing.T) {
	for _, c := range []struct{ dsn, want string }{
		{"memory", ""},
		{":memory:?precision=ns&zone=Asia/Shanghai&time=int", ""},
		{"?precision=ns", "no folder"},
		{"", "no folder"},
		{"memory?precision=s", "precision is ms, us or ns"},
		{"memory?precision=ms&precision=us", "given twice"},
		{"memory?zone=Mars/Olympus", "unknown time zone"},
		{"memory?time=text", "time is time or int"},
		{"memory?sync=sometimes", "sync is"},
		{"memory?sync=-1s", "sync is"},
		{"memory?readonly=yes", "readonly is"},
		{"memory?readonly=true", "cannot be read-only"},
		{"memory?user=me", `no parameter "user"`},
		{"memory?%zz=1", "invalid"},
	} {
		t.Run(c.dsn, func(t *testing.T) {
			db, err := driver.Open(c.dsn)
			if c.want == "" {
				require.NoError(t, err)
				require.NoError(t, db.Ping())
				require.NoError(t, db.Close())
				return
			}
			require.ErrorContains(t, err, c.want)
			require.ErrorIs(t, err, tickwell.ErrBadInput)
		})
	}
}

func TestRegistered(t *testing.T) {
	require.NotContains(t, sql.Drivers(), "tickwell", "importing the package registers it")
	sql.Register("tickwell-test", &driver.Driver{})
	db, err := sql.Open("tickwell-test", "memory")
	require.NoError(t, err)
	require.IsType(t, &driver.Driver{}, db.Driver())
	require.NoError(t, db.Ping())
	require.NoError(t, db.Close())
	require.ErrorContains(t, db.Ping(), "closed")
	_, err = sql.Open("tickwell-test", "memory?x=1")
	require.ErrorIs(t, err, tickwell.ErrBadInput)
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := driver.Open(dir + "?sync=always")
	require.NoError(t, err)
	exec(t, first, "INSERT INTO root.a(time, x) VALUES (1, 1)")

	second, err := driver.Open(dir)
	require.NoError(t, err)
	require.ErrorIs(t, second.Ping(), tickwell.ErrLocked)
	reader := open(t, dir+"?readonly=true")
	var n int64
	require.NoError(t, reader.QueryRow("SELECT count(x) FROM root.a").Scan(&n))
	require.EqualValues(t, 1, n)
	_, err = reader.Exec("INSERT INTO root.a(time, x) VALUES (2, 1)")
	require.ErrorIs(t, err, tickwell.ErrReadOnly)

	require.NoError(t, first.Close())
	require.NoError(t, second.Ping(), "the folder is free again")
	require.NoError(t, second.QueryRow("SELECT count(x) FROM root.a").Scan(&n))
	require.EqualValues(t, 1, n)
	require.NoError(t, second.Close())
}

// A store that the program has opened itself is shared, and stays open.
func TestConnectorOfOpenStore(t *testing.T) {
	ctx := context.Background()
	store, err := tickwell.Open(ctx, "", nil)
	require.NoError(t, err)
	defer store.Close()
	k, err := driver.NewConnector(store, &iotsql.Options{Precision: time.Nanosecond})
	require.NoError(t, err)
	db := sql.OpenDB(k)
	require.NoError(t, store.Insert(ctx, "root.a", time.Unix(0, 7), tickwell.Int64("x", 42)))
	var at time.Time
	var x int64
	require.NoError(t, db.QueryRow("SELECT x FROM root.a WHERE time = 7").Scan(&at, &x))
	require.Equal(t, time.Unix(0, 7).UTC(), at)
	require.EqualValues(t, 42, x)
	require.NoError(t, db.Close())
	require.NoError(t, store.Insert(ctx, "root.a", time.Unix(0, 8), tickwell.Int64("x", 43)))

	_, err = driver.NewConnector(store, &iotsql.Options{Precision: time.Hour})
	require.ErrorIs(t, err, tickwell.ErrBadInput)
	_, err = driver.NewConnector(nil, nil)
	require.ErrorIs(t, err, tickwell.ErrBadInput)
}

func TestValuesAndTypes(t *testing.T) {
	db := open(t, "memory?zone=Europe/Berlin")
	exec(t, db, everyKind)
	rows, err := db.Query(selectAll)
	require.NoError(t, err)
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	want := []struct {
		name, db string
		scan     reflect.Type
		nullable bool
	}{
		{"Time", "TIMESTAMP", reflect.TypeFor[time.Time](), false},
		{"root.a.b", "BOOLEAN", reflect.TypeFor[bool](), true},
		{"root.a.i", "INT32", reflect.TypeFor[int32](), true},
		{"root.a.l", "INT64", reflect.TypeFor[int64](), true},
		{"root.a.f", "FLOAT", reflect.TypeFor[float32](), true},
		{"root.a.d", "DOUBLE", reflect.TypeFor[float64](), true},
		{"root.a.s", "TEXT", reflect.TypeFor[string](), true},
	}
	require.Len(t, types, len(want))
	for i, w := range want {
		require.Equal(t, w.name, types[i].Name())
		require.Equal(t, w.db, types[i].DatabaseTypeName())
		require.Equal(t, w.scan, types[i].ScanType())
		nullable, ok := types[i].Nullable()
		require.True(t, ok)
		require.Equal(t, w.nullable, nullable, w.name)
		length, ok := types[i].Length()
		require.Equal(t, w.db == "TEXT", ok)
		if ok {
			require.Equal(t, int64(math.MaxInt64), length)
		}
		_, _, ok = types[i].DecimalSize()
		require.False(t, ok)
	}
	_, got := all(t, rows, nil)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	require.Equal(t, [][]any{
		{time.Unix(1, 0).In(berlin), true, int64(-7), int64(math.MaxInt64), 1.5, 0.1, "it's"},
		{time.Unix(2, 0).In(berlin), false, nil, nil, nil, nil, nil},
	}, got)

	ints := open(t, "memory?time=int&precision=us")
	exec(t, ints, "INSERT INTO root.a(time, x) VALUES (5, true)")
	cols, got := all2(t, ints, "SELECT x FROM root.a")
	require.Equal(t, []string{"Time", "root.a.x"}, cols)
	require.Equal(t, [][]any{{int64(5), true}}, got)
}

func all2(t *testing.T, db *sql.DB, query string, args ...any) ([]string, [][]any) {
	t.Helper()
	rows, err := db.Query(query, args...)
	return all(t, rows, err)
}

// Scanning follows the rules of database/sql.
func TestScan(t *testing.T) {
	db := open(t, "memory")
	exec(t, db, everyKind)
	var (
		at sql.NullTime
		b  sql.NullBool
		i  sql.NullInt32
		l  *int64
		f  sql.Null[float32]
		d  sql.RawBytes
		s  []byte
	)
	rows, err := db.Query(selectAll)
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(&at, &b, &i, &l, &f, &d, &s))
	require.Equal(t, sql.NullBool{Bool: true, Valid: true}, b)
	require.Equal(t, sql.NullInt32{Int32: -7, Valid: true}, i)
	require.Equal(t, int64(math.MaxInt64), *l)
	require.Equal(t, sql.Null[float32]{V: 1.5, Valid: true}, f)
	require.Equal(t, "0.1", string(d))
	require.Equal(t, "it's", string(s))
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(&at, &b, &i, &l, &f, &d, &s))
	require.True(t, at.Valid)
	require.False(t, i.Valid)
	require.Nil(t, l)
	require.False(t, f.Valid)
	require.Nil(t, d)
	require.Nil(t, s)
	require.False(t, rows.Next())
	require.NoError(t, rows.Err())

	var n int
	row := db.QueryRow("SELECT i, b FROM root.a WHERE time = 2000")
	require.ErrorContains(t, row.Scan(&at, &n, &b), "converting NULL to int")
	require.ErrorIs(t, db.QueryRow("SELECT i FROM root.a WHERE time = 5").Scan(&at, &n), sql.ErrNoRows)
	require.ErrorContains(t, db.QueryRow(selectAll).Scan(&at), "expected 7 destination arguments")
}

func TestExec(t *testing.T) {
	db := open(t, "memory")
	require.EqualValues(t, 0, exec(t, db, "CREATE TIMESERIES root.a.x WITH DATATYPE=INT64"))
	require.EqualValues(t, 1, exec(t, db, "INSERT INTO root.a(time, x) VALUES (1, 1)"))
	require.EqualValues(t, 3, exec(t, db, "INSERT INTO root.a(time, x) VALUES (1, 1), (2, 2), (3, 3)"))
	require.EqualValues(t, 3, exec(t, db, "INSERT INTO root.a(time, x) VALUES (1, 1), (2, 2); ; INSERT INTO root.a(time, x) VALUES (4, 4);"))
	require.EqualValues(t, 0, exec(t, db, "SELECT x FROM root.a"))
	res, err := db.Exec("DELETE FROM root.a.x WHERE time <= 2")
	require.NoError(t, err)
	_, err = res.LastInsertId()
	require.Error(t, err)
	_, got := all2(t, db, "SELECT count(x) FROM root.a")
	require.Equal(t, [][]any{{int64(2)}}, got)

	var syntax *iotsql.Error
	_, err = db.Exec("INSERT INTO root.a(time, x)\nVALUS (1, 1)")
	require.ErrorAs(t, err, &syntax)
	require.Equal(t, 2, syntax.Line)
	_, err = db.Exec("INSERT INTO root.a(time, x) VALUES (1, 'text')")
	require.Error(t, err)
	rows, err := db.Query("INSERT INTO root.a(time, x) VALUES (9, 9)") // answers nothing
	cols, got := all(t, rows, err)
	require.Empty(t, cols)
	require.Empty(t, got)
}

func TestParameters(t *testing.T) {
	db := open(t, "memory")
	exec(t, db, "CREATE TIMESERIES root.a.i WITH DATATYPE=INT32; CREATE TIMESERIES root.a.d WITH DATATYPE=DOUBLE; CREATE TIMESERIES root.a.s WITH DATATYPE=TEXT; CREATE TIMESERIES root.a.b WITH DATATYPE=BOOLEAN")
	nasty := `x'); DELETE TIMESERIES root.**; -- "`
	const insert = "INSERT INTO root.a(time, i, d, s, b) VALUES (?, ?, ?, ?, ?)"
	at := time.Unix(7, 0)
	type text string
	require.EqualValues(t, 1, exec(t, db, insert, at, int8(1), float32(0.5), nasty, true))
	require.EqualValues(t, 1, exec(t, db, insert, at.Add(time.Second), tickwell.Int32Value(2), tickwell.Float64Value(0.25), []byte("bytes"), false))
	require.EqualValues(t, 1, exec(t, db, insert, 9000, sql.NullInt32{Int32: 3, Valid: true}, 3, text("own"), tickwell.BoolValue(true)))
	_, got := all2(t, db, "SELECT i, d, s, b FROM root.a")
	require.Equal(t, [][]any{
		{at.UTC(), int64(1), 0.5, nasty, true},
		{at.Add(time.Second).UTC(), int64(2), 0.25, "bytes", false},
		{at.Add(2 * time.Second).UTC(), int64(3), 3.0, "own", true},
	}, got)

	for _, c := range []struct {
		name, query string
		args        []any
		want        string // of column s
	}{
		{"ordinal", "SELECT s FROM root.a WHERE i = ? AND d = ?", []any{2, 0.25}, "bytes"},
		{"numbered", "SELECT s FROM root.a WHERE d = ?2 AND i = ?1", []any{2, 0.25}, "bytes"},
		{"one twice", "SELECT s FROM root.a WHERE i >= ?1 AND i <= ?1", []any{3}, "own"},
		{"named", "SELECT s FROM root.a WHERE d = :d AND i = :i", []any{sql.Named("i", 1), sql.Named("d", 0.5)}, nasty},
		{"named and ordinal", "SELECT s FROM root.a WHERE d = :d AND i = ?", []any{1, sql.Named("d", 0.5)}, nasty},
		{"time", "SELECT s FROM root.a WHERE time = ?", []any{at}, nasty},
		{"text", "SELECT s FROM root.a WHERE s = ?", []any{nasty}, nasty},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got := all2(t, db, c.query, c.args...)
			require.Len(t, got, 1)
			require.Equal(t, c.want, got[0][1])
			st, err := db.Prepare(c.query)
			require.NoError(t, err)
			defer st.Close()
			for range 2 {
				rows, err := st.Query(c.args...)
				_, got := all(t, rows, err)
				require.Equal(t, c.want, got[0][1])
			}
		})
	}
	for _, c := range []struct {
		query string
		args  []any
	}{
		{"SELECT s FROM root.a WHERE i = ?", nil},
		{"SELECT s FROM root.a WHERE i = ?", []any{1, 2}},
		{"SELECT s FROM root.a WHERE i = :i", []any{sql.Named("j", 1)}},
		{"SELECT s FROM root.a WHERE i = :i", []any{1}},
		{"SELECT s FROM root.a", []any{1}},
		{"SELECT s FROM root.a WHERE i = ?", []any{struct{}{}}},
		{"SELECT s FROM root.a WHERE i = ?", []any{uint64(math.MaxUint64)}},
		{"SELECT s FROM root.a; SELECT s FROM root.a WHERE i = ?", []any{1}},
	} {
		rows, err := db.Query(c.query, c.args...)
		if err == nil {
			_, _, err = read(rows)
			rows.Close()
		}
		require.Error(t, err, "%s %v", c.query, c.args)
	}
}

func TestPrepared(t *testing.T) {
	db := open(t, "memory")
	_, err := db.Prepare("INSERT INTO")
	var syntax *iotsql.Error
	require.ErrorAs(t, err, &syntax)
	st, err := db.Prepare("INSERT INTO root.a(time, x, note) VALUES (?, ?, :note)")
	require.NoError(t, err)
	_, err = st.Exec(1, 2)
	require.ErrorContains(t, err, "expected 3 arguments, got 2")
	_, err = st.Exec(1, 2, 3, 4)
	require.ErrorContains(t, err, "expected 3 arguments, got 4")

	// A statement is prepared on as many connections as are needed.
	db.SetMaxOpenConns(4)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				if _, err := st.Exec(g*100+i, i, sql.Named("note", fmt.Sprint(g))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	_, got := all2(t, db, "SELECT count(x), count(note) FROM root.a")
	require.Equal(t, [][]any{{int64(400), int64(400)}}, got)
	require.NoError(t, st.Close())
	_, err = st.Exec(1, 2, sql.Named("note", ""))
	require.ErrorContains(t, err, "statement is closed")
}

func TestContexts(t *testing.T) {
	db := open(t, "memory")
	for i := range 20 {
		exec(t, db, "INSERT INTO root.a(time, x) VALUES (?, 1)", i)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := db.ExecContext(over, "INSERT INTO root.a(time, x) VALUES (100, 1)")
	require.ErrorIs(t, err, context.Canceled)
	_, err = db.QueryContext(over, "SELECT x FROM root.a")
	require.ErrorIs(t, err, context.Canceled)
	_, err = db.PrepareContext(over, "SELECT x FROM root.a")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, db.PingContext(over), context.Canceled)
	c, err := db.Conn(context.Background())
	require.NoError(t, err)
	require.NoError(t, c.Raw(func(dc any) error { // database/sql looks at the context first: see the driver itself
		k := dc.(interface {
			sqldriver.ExecerContext
			sqldriver.QueryerContext
			sqldriver.ConnPrepareContext
			sqldriver.Pinger
		})
		_, err1 := k.ExecContext(over, "INSERT INTO root.a(time, x) VALUES (100, 1)", nil)
		_, err2 := k.QueryContext(over, "SELECT x FROM root.a", nil)
		_, err3 := k.PrepareContext(over, "SELECT x FROM root.a")
		for i, err := range []error{err1, err2, err3, k.Ping(over)} {
			require.ErrorIs(t, err, context.Canceled, "call %d", i)
		}
		return nil
	}))
	require.NoError(t, c.Close())

	reading, cancel := context.WithCancel(context.Background())
	defer cancel()
	rows, err := db.QueryContext(reading, "SELECT x FROM root.a")
	require.NoError(t, err)
	require.True(t, rows.Next())
	cancel()
	for rows.Next() { // until the cancellation is noticed
	}
	if err := rows.Err(); err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.NoError(t, rows.Close())
	_, got := all2(t, db, "SELECT count(x) FROM root.a")
	require.Equal(t, [][]any{{int64(20)}}, got, "what was cancelled is not stored")
}

func TestRows(t *testing.T) {
	db := open(t, "memory")
	db.SetMaxOpenConns(1)
	exec(t, db, "INSERT INTO root.a(time, x) VALUES (1, 1), (2, 2), (3, 3)")
	rows, err := db.Query("SELECT x FROM root.a")
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.NoError(t, rows.Close())
	require.NoError(t, rows.Close())
	require.False(t, rows.Next())
	require.ErrorContains(t, rows.Scan(new(any), new(any)), "closed")
	exec(t, db, "INSERT INTO root.a(time, x) VALUES (4, 4)") // the one connection is free again

	_, err = db.Query("SELECT nofunction(x) FROM root.a")
	require.Error(t, err)
	require.NoError(t, db.Ping())
}

func TestResultSets(t *testing.T) {
	db := open(t, "memory")
	rows, err := db.Query(`
		INSERT INTO root.a(time, x) VALUES (1, 1);
		SELECT x FROM root.a;
		INSERT INTO root.a(time, x) VALUES (2, 2);
		SELECT count(x) FROM root.a;
		INSERT INTO root.a(time, y) VALUES (3, 3);`)
	require.NoError(t, err)
	defer rows.Close()
	cols, got, err := read(rows)
	require.NoError(t, err)
	require.Equal(t, []string{"Time", "root.a.x"}, cols)
	require.Equal(t, [][]any{{time.UnixMilli(1).UTC(), 1.0}}, got)
	require.True(t, rows.NextResultSet())
	cols, got, err = read(rows)
	require.NoError(t, err)
	require.Equal(t, []string{"count(root.a.x)"}, cols)
	require.Equal(t, [][]any{{int64(2)}}, got)
	require.False(t, rows.NextResultSet())
	require.NoError(t, rows.Err())
	_, got = all2(t, db, "SELECT y FROM root.a")
	require.Len(t, got, 1, "the statements behind the last answer have run")

	rows, err = db.Query("SELECT x FROM root.a; SELEC x")
	require.NoError(t, err)
	defer rows.Close()
	require.False(t, rows.NextResultSet())
	var syntax *iotsql.Error
	require.ErrorAs(t, rows.Err(), &syntax)
}

func TestNoTransactions(t *testing.T) {
	db := open(t, "memory")
	_, err := db.Begin()
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.NoError(t, db.Ping())
}

// What database/sql calls only for drivers that lack the newer methods.
func TestOldInterface(t *testing.T) {
	d := new(driver.Driver)
	_, err := d.Open("memory?x=1")
	require.ErrorIs(t, err, tickwell.ErrBadInput)
	c, err := d.Open(filepath.Join(t.TempDir(), "d"))
	require.NoError(t, err)
	_, err = c.Begin()
	require.ErrorIs(t, err, errors.ErrUnsupported)
	st, err := c.Prepare("INSERT INTO root.a(time, x) VALUES (?, ?)")
	require.NoError(t, err)
	require.Equal(t, 2, st.NumInput())
	res, err := st.Exec([]sqldriver.Value{int64(1), 2.5})
	require.NoError(t, err)
	n, err := res.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	sel, err := c.Prepare("SELECT x FROM root.a")
	require.NoError(t, err)
	rows, err := sel.Query(nil)
	require.NoError(t, err)
	dest := make([]sqldriver.Value, 2)
	require.NoError(t, rows.Next(dest))
	require.Equal(t, []sqldriver.Value{time.UnixMilli(1).UTC(), 2.5}, dest)
	require.Error(t, rows.Next(dest))
	require.NoError(t, rows.Close())
	require.NoError(t, c.Close())
	_, err = st.Exec([]sqldriver.Value{int64(1), 2.5})
	require.ErrorIs(t, err, tickwell.ErrClosed)
	require.False(t, c.(sqldriver.Validator).IsValid())
	require.ErrorIs(t, c.(sqldriver.SessionResetter).ResetSession(context.Background()), sqldriver.ErrBadConn)
}

// Readers and writers share one store through many connections.
func TestConcurrentUse(t *testing.T) {
	db := open(t, "memory")
	exec(t, db, "CREATE TIMESERIES root.a.x WITH DATATYPE=INT64")
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 60 {
				at := g*1000 + i
				if _, err := db.Exec("INSERT INTO root.a(time, x) VALUES (?, ?)", at, at); err != nil {
					t.Error(err)
				}
				rows, err := db.Query("SELECT x FROM root.a WHERE time >= ? AND time <= ?", g*1000, at)
				if err != nil {
					t.Error(err)
					return
				}
				_, got, err := read(rows)
				rows.Close()
				if err != nil || len(got) != i+1 || got[i][1] != int64(at) {
					t.Errorf("writer %d sees %d rows after its insert %d: %v", g, len(got), i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// FuzzStatement holds that nothing that is sent makes a driver panic or hang.
func FuzzStatement(f *testing.F) {
	for _, s := range []string{selectAll, everyKind, "INSERT INTO root.a(time, x) VALUES (?, ?2)", ";;;", "SELECT x FROM root.a WHERE x = :y; SELECT", "'", "/*", "\x00"} {
		f.Add(s, "x", int64(1))
	}
	db, err := driver.Open("memory")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	f.Fuzz(func(t *testing.T, query, s string, n int64) {
		if len(query) > 1000 {
			return
		}
		for _, args := range [][]any{nil, {s}, {n, s}, {sql.Named("y", s)}} {
			rows, err := db.Query(query, args...)
			if err != nil {
				continue
			}
			for range 1000 { // a query may answer with any number of rows
				if !rows.Next() {
					break
				}
			}
			rows.NextResultSet()
			rows.Close()
			if st, err := db.Prepare(query); err == nil {
				st.Exec(args...)
				st.Close()
			}
		}
	})
}
