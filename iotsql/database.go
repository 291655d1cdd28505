package iotsql

import (
	"context"
	"math"
	"time"

	"github.com/tickwell/tickwell"
)

// createDatabaseStmt is CREATE DATABASE, CREATE STORAGE GROUP and SET STORAGE
// GROUP TO.
type createDatabaseStmt struct {
	path string
	ttl  time.Duration
}

func (p *parser) createDatabase() statement {
	p.databaseWords()
	return p.newDatabase()
}

// newDatabase takes the path and the properties, of which TTL has a meaning
// here; those of a cluster are accepted.
func (p *parser) newDatabase() statement {
	st := &createDatabaseStmt{path: p.path("a database")}
	if !p.accept("WITH") {
		return st
	}
	for p.err == nil {
		ttl := p.is("TTL")
		if !ttl && !p.isOne("SCHEMA_REPLICATION_FACTOR", "DATA_REPLICATION_FACTOR", "TIME_PARTITION_INTERVAL", "SCHEMA_REGION_GROUP_NUM", "DATA_REGION_GROUP_NUM") {
			p.expected("TTL, SCHEMA_REPLICATION_FACTOR, DATA_REPLICATION_FACTOR or TIME_PARTITION_INTERVAL")
			return st
		}
		p.advance()
		p.expect("=")
		v := p.ttl()
		if ttl {
			st.ttl = v
		}
		if !p.accept(",") && !p.isOne("TTL", "SCHEMA_REPLICATION_FACTOR", "DATA_REPLICATION_FACTOR", "TIME_PARTITION_INTERVAL", "SCHEMA_REGION_GROUP_NUM", "DATA_REGION_GROUP_NUM") {
			return st
		}
	}
	return st
}

// ttl takes a time to live: milliseconds, or a duration.
func (p *parser) ttl() time.Duration {
	tok := p.tok
	var ms int64
	switch {
	case p.isDuration(tok):
		return p.duration("a time to live").fixed(time.Nanosecond)
	case tok.kind == tokParam:
		v, _ := p.param()
		if d, ok := v.(time.Duration); ok && d > 0 {
			return d
		}
		c, _ := constant(v)
		ms, _ = c.(int64)
	default:
		ms = p.instant("a time to live in milliseconds")
	}
	if p.err == nil && ms <= 0 && !p.bind.open {
		p.fail(tok, "the time to live should be greater than 0, in milliseconds or as a duration")
	}
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}

func (s *createDatabaseStmt) answers() bool { return false }

func (s *createDatabaseStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	err := c.db.CreateDatabase(ctx, s.path)
	if err == nil && s.ttl > 0 {
		err = c.db.SetTTL(ctx, s.path, s.ttl)
	}
	if err != nil {
		return nil, err
	}
	return done(0), nil
}

// set takes what follows SET: TTL TO path ms, or STORAGE GROUP TO path.
func (p *parser) set() statement {
	if p.isOne("STORAGE", "DATABASE") {
		p.databaseWords()
		p.expect("TO")
		return p.newDatabase()
	}
	p.expect("TTL")
	p.expect("TO")
	path := p.path("a path")
	ttl := p.ttl()
	return &callStmt{[]string{path}, func(ctx context.Context, db *tickwell.DB, path string) error { return db.SetTTL(ctx, path, ttl) }}
}

// unset takes what follows UNSET: TTL TO path, or TTL FROM path.
func (p *parser) unset() statement {
	p.expect("TTL")
	p.expectAny("TO", "FROM")
	return &callStmt{[]string{p.path("a path")}, func(ctx context.Context, db *tickwell.DB, path string) error { return db.SetTTL(ctx, path, 0) }}
}
