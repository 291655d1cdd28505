package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// Driver is the [driver.Driver] of tickwell. Its zero value is usable.
type Driver struct {
	// Options, if set, are what stores are opened with: classes, functions,
	// sinks. The data source name overrides Sync and ReadOnly where it says them.
	Options *tickwell.Options
}

var (
	_ driver.Driver        = (*Driver)(nil)
	_ driver.DriverContext = (*Driver)(nil)
)

// Open opens a store and returns the only connection to it; closing it closes
// the store. database/sql does not call it: it uses [Driver.OpenConnector].
func (d *Driver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	k := c.(*connector)
	got, err := k.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	got.(*conn).owned = k
	return got, nil
}

// OpenConnector checks a data source name. The store is opened by the first
// connection.
func (d *Driver) OpenConnector(dsn string) (driver.Connector, error) {
	src, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	opts := tickwell.Options{}
	if d.Options != nil {
		opts = *d.Options
	}
	if src.sync != nil {
		opts.Sync = *src.sync
	}
	opts.ReadOnly = opts.ReadOnly || src.readOnly
	return &connector{drv: d, dir: src.dir, opts: &opts, sql: src.sql, ints: src.ints, turn: make(chan struct{}, 1)}, nil
}

// Open is sql.Open without registering the driver first.
func Open(dsn string) (*sql.DB, error) {
	c, err := new(Driver).OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// NewConnector returns connections to a store that is open already, and stays
// open when the sql.DB is closed. Nil opts means the defaults.
func NewConnector(db *tickwell.DB, opts *iotsql.Options) (driver.Connector, error) {
	k := &connector{drv: new(Driver), db: db, turn: make(chan struct{}, 1)}
	if opts != nil {
		k.sql = *opts
	}
	_, err := iotsql.New(db, &k.sql)
	return k, err
}

// connector opens the store once and makes connections to it.
type connector struct {
	drv  *Driver
	dir  string
	opts *tickwell.Options // nil: the store is somebody else's
	sql  iotsql.Options
	ints bool

	turn   chan struct{} // held while db and closed are looked at
	db     *tickwell.DB
	closed bool
}

var _ io.Closer = (*connector)(nil)

// Driver returns the driver.
func (k *connector) Driver() driver.Driver { return k.drv }

// Connect opens the store if that was not done yet.
func (k *connector) Connect(ctx context.Context) (driver.Conn, error) {
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-k.turn }()
	if k.closed {
		return nil, tickwell.ErrClosed
	}
	if k.db == nil {
		db, err := tickwell.Open(ctx, k.dir, k.opts)
		if err != nil {
			return nil, err
		}
		k.db = db
	}
	c, err := iotsql.New(k.db, &k.sql)
	if err != nil {
		return nil, err
	}
	return &conn{sql: c, ints: k.ints}, nil
}

// Close closes the store that Connect has opened. sql.DB.Close calls it.
func (k *connector) Close() error {
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	k.closed = true
	if k.db == nil || k.opts == nil {
		return nil
	}
	err := k.db.Close()
	k.db = nil
	return err
}
