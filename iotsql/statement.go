package iotsql

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
	}
	p.expected("SELECT, INSERT, DELETE, CREATE, DROP, SHOW, COUNT, SET, UNSET, START, STOP or EXPLAIN")
	return nil
}

// create takes what CREATE makes.
func (p *parser) create() statement {
	p.advance()
	switch {
	case p.isOne("TIMESERIES", "ALIGNED"):
		return p.createSeries()
	}
	p.expected("TIMESERIES, DATABASE, TRIGGER, FUNCTION or CONTINUOUS QUERY")
	return nil
}
