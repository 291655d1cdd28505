package iotsql

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/errs"
)

// Options configures a [Conn]. The zero value of a field means its default.
type Options struct {
	// Precision is what an integer time counts: time.Millisecond (default),
	// time.Microsecond or time.Nanosecond.
	Precision time.Duration
	// Zone names the time zone of times without one, and of natural months.
	// Default UTC.
	Zone string
	// IntegerKind and DecimalKind are the kinds of series that INSERT makes for
	// 5 and for 5.0 (integer_string_infer_type, floating_string_infer_type).
	// Default KindFloat32.
	IntegerKind, DecimalKind tickwell.Kind
}

// Conn runs statements on a store. It holds nothing that must be closed and is
// safe for concurrent use.
type Conn struct {
	db   *tickwell.DB
	unit time.Duration
	zone *time.Location
	ints tickwell.Kind
	decs tickwell.Kind
}

// New returns a connection to db. Nil opts means the defaults.
func New(db *tickwell.DB, opts *Options) (*Conn, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	c := &Conn{db: db, unit: o.Precision, zone: time.UTC, ints: o.IntegerKind, decs: o.DecimalKind}
	if db == nil {
		return nil, fmt.Errorf("iotsql: no store: %w", errs.BadInput)
	}
	switch c.unit {
	case 0:
		c.unit = time.Millisecond
	case time.Millisecond, time.Microsecond, time.Nanosecond:
	default:
		return nil, fmt.Errorf("iotsql: precision %s is none of ms, us and ns: %w", c.unit, errs.BadInput)
	}
	if o.Zone != "" {
		z, err := time.LoadLocation(o.Zone)
		if err != nil {
			return nil, fmt.Errorf("iotsql: zone %q: %w: %w", o.Zone, err, errs.BadInput)
		}
		c.zone = z
	}
	for _, k := range []*tickwell.Kind{&c.ints, &c.decs} {
		switch *k {
		case tickwell.KindNull:
			*k = tickwell.KindFloat32
		case tickwell.KindInt32, tickwell.KindInt64, tickwell.KindFloat32, tickwell.KindFloat64, tickwell.KindText:
		default:
			return nil, fmt.Errorf("iotsql: %s as the inferred kind of a number: %w", *k, errs.BadInput)
		}
	}
	return c, nil
}

// Precision returns what an integer time counts.
func (c *Conn) Precision() time.Duration { return c.unit }

// Zone returns the time zone of times without one.
func (c *Conn) Zone() *time.Location { return c.zone }

// Exec runs one statement with the values of its parameters, see [Named] for
// those with a name. A query is planned, and what is wrong with it reported, at
// once; its rows are computed as [Result.Rows] is ranged over.
//
// Errors: [*Error] for a statement that cannot be understood, else what the
// method of the DB returns that does the work.
func (c *Conn) Exec(ctx context.Context, text string, args ...any) (*Result, error) {
	st, err := c.parse(text, &binding{args: args})
	if err != nil {
		return nil, err
	}
	r, err := st.run(ctx, c)
	if err != nil {
		return nil, c.place(ctx, text, args, err)
	}
	return r, nil
}

// Stmt is a statement that was checked and can be run again and again. It is
// safe for concurrent use.
type Stmt struct {
	conn   *Conn
	text   string
	inputs int
	names  []string
	query  bool
}

// Prepare checks one statement. Its parameters get values in [Stmt.Exec].
func (c *Conn) Prepare(text string) (*Stmt, error) {
	b := &binding{open: true}
	st, err := c.parse(text, b)
	if err != nil {
		return nil, err
	}
	return &Stmt{conn: c, text: text, inputs: b.count, names: b.names, query: st.answers()}, nil
}

// NumInput returns how many arguments without a name the statement needs.
func (s *Stmt) NumInput() int { return s.inputs }

// Names returns the names of its parameters, each once, in order.
func (s *Stmt) Names() []string { return s.names }

// Query reports whether the statement answers with rows.
func (s *Stmt) Query() bool { return s.query }

// Text returns the statement.
func (s *Stmt) Text() string { return s.text }

// Exec runs the statement.
func (s *Stmt) Exec(ctx context.Context, args ...any) (*Result, error) {
	return s.conn.Exec(ctx, s.text, args...)
}

// Param is a value for a parameter with a name.
type Param struct {
	Name  string // without the colon
	Value any    // a bool, number, string, time.Time or nil
}

// Named is the value of the parameter :name.
func Named(name string, value any) Param { return Param{name, value} }

// statement is a parsed statement.
type statement interface {
	run(ctx context.Context, c *Conn) (*Result, error)
	answers() bool // with rows
}

// parse reads one statement, with or without a semicolon at its end.
func (c *Conn) parse(text string, b *binding) (statement, error) {
	p := &parser{lexer: lexer{text}, c: c, bind: b}
	p.tok = p.next(0)
	st := p.statement()
	if p.err == nil {
		p.accept(";")
		if p.tok.kind != tokEOF {
			p.expected("the end of the statement")
		}
	}
	if p.err == nil {
		p.checkArgs()
	}
	if p.err != nil {
		return nil, p.err
	}
	return st, nil
}
