package iotsql

import (
	"context"
	"fmt"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pattern"
)

// createSeriesStmt is CREATE TIMESERIES and CREATE ALIGNED TIMESERIES.
type createSeriesStmt struct {
	series []newSeries
}

// newSeries is a series to make, with what is only recorded and shown.
type newSeries struct {
	path  string
	kind  tickwell.Kind
	hints map[string]string
}

func (p *parser) createSeries() statement {
	st := &createSeriesStmt{}
	if p.accept("ALIGNED") {
		p.expect("TIMESERIES")
		device := p.path("a device")
		p.expect("(")
		for p.err == nil {
			s := newSeries{hints: map[string]string{"aligned": "true"}}
			s.path = pattern.Join(device, p.measurement())
			p.seriesType(&s)
			st.series = append(st.series, s)
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		return st
	}
	p.expect("TIMESERIES")
	s := newSeries{path: p.path("a series"), hints: map[string]string{}}
	if p.is("(") {
		p.advance()
		s.hints["alias"] = p.name("an alias")
		p.expect(")")
	}
	p.seriesType(&s)
	st.series = append(st.series, s)
	return st
}

// seriesType takes [WITH] [DATATYPE =] type, and properties such as
// ENCODING=PLAIN, with or without commas between them.
func (p *parser) seriesType(s *newSeries) {
	p.accept("WITH")
	if p.is("DATATYPE") {
		p.advance()
		p.expect("=")
	}
	tok := p.tok
	kind, ok := kinds[strings.ToUpper(p.word())]
	if !ok || tok.kind != tokWord {
		p.expected(kindList)
		return
	}
	p.advance()
	s.kind = kind
	for p.err == nil {
		comma := p.is(",")
		next := p.tok
		if comma {
			next = p.peek()
		}
		key := strings.ToLower(p.text[next.pos:next.end])
		switch key {
		case "encoding", "compressor", "compression":
		default:
			return
		}
		if comma {
			p.advance()
		}
		p.advance()
		p.expect("=")
		if key == "compression" {
			key = "compressor"
		}
		s.hints[key] = strings.ToUpper(p.word())
		if p.tok.kind != tokWord {
			p.expected("the name of an " + key)
			return
		}
		p.advance()
	}
}

func (s *createSeriesStmt) answers() bool { return false }

func (s *createSeriesStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	for _, n := range s.series {
		if k := c.db.SeriesKind(pattern.Split(n.path)); k != tickwell.KindNull {
			return nil, &tickwell.Error{Op: "create timeseries", Subject: n.path, Err: fmt.Errorf("path already exist, of type %s: %w", kindName(k), tickwell.ErrExists)}
		}
		if err := c.db.CreateSeries(ctx, n.path, n.kind); err != nil {
			return nil, err
		}
		if len(n.hints) > 0 {
			if err := c.db.SetSeriesHints(ctx, n.path, n.hints); err != nil {
				return nil, err
			}
		}
	}
	return done(0), nil
}
