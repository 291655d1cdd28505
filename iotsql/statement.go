package iotsql

import "github.com/tickwell/tickwell"

// statement takes any statement.
func (p *parser) statement() statement {
	if len(p.text) > maxText {
		p.failf(0, "the statement has %d bytes, more than %d", len(p.text), maxText)
		return nil
	}
	switch {
	case p.is("SELECT"):
		return p.selectQuery()
	case p.is("EXPLAIN"):
		p.advance()
		p.accept("ANALYZE")
		st := p.selectQuery()
		st.explain = true
		return st
	case p.is("INSERT"):
		return p.insert()
	case p.is("CREATE"):
		return p.create()
	case p.accept("DROP"):
		return p.drop()
	case p.accept("DELETE"):
		return p.delete()
	case p.accept("SHOW"):
		return p.show()
	case p.accept("COUNT"):
		return p.countStmt()
	case p.accept("SET"):
		return p.set()
	case p.accept("UNSET"):
		return p.unset()
	case p.accept("START"):
		p.expect("TRIGGER")
		return one(p.name("the name of a trigger"), (*tickwell.DB).StartTrigger)
	case p.accept("STOP"):
		p.expect("TRIGGER")
		return one(p.name("the name of a trigger"), (*tickwell.DB).StopTrigger)
	}
	p.expected("SELECT, INSERT, DELETE, CREATE, DROP, SHOW, COUNT, SET, UNSET, START, STOP or EXPLAIN")
	return nil
}

// create takes what CREATE makes.
func (p *parser) create() statement {
	start := p.tok.pos
	p.advance()
	switch {
	case p.isOne("TIMESERIES", "ALIGNED"):
		return p.createSeries()
	case p.isOne("STATELESS", "STATEFUL", "TRIGGER"):
		return p.createTrigger(start)
	case p.is("FUNCTION"):
		return p.createFunction()
	case p.isOne("CONTINUOUS", "CQ"):
		return p.createCQ(start)
	case p.isOne("DATABASE", "STORAGE"):
		return p.createDatabase()
	}
	p.expected("TIMESERIES, DATABASE, TRIGGER, FUNCTION or CONTINUOUS QUERY")
	return nil
}
