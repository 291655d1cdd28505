package iotsql

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pattern"
)

var errNoSeries = fmt.Errorf("no series matches: %w", tickwell.ErrNotFound)

// showStmt is a SHOW or COUNT statement.
type showStmt struct {
	show          func(ctx context.Context, c *Conn) (*Result, error)
	limit, offset int
}

func (s *showStmt) answers() bool { return true }

func (s *showStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	r, err := s.show(ctx, c)
	if err != nil || s.limit == 0 && s.offset == 0 {
		return r, err
	}
	all := r.rows
	r.rows = func(yield func([]tickwell.Value, error) bool) {
		n := 0
		for row, err := range all {
			n++
			if err == nil && (n <= s.offset || s.limit > 0 && n > s.offset+s.limit) {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
	return r, nil
}

// simple makes a statement of a listing that cannot fail.
func simple(show func(c *Conn) *Result) *showStmt {
	return &showStmt{show: func(_ context.Context, c *Conn) (*Result, error) { return show(c), nil }}
}

// show takes what follows SHOW.
func (p *parser) show() statement {
	switch {
	case p.accept("TRIGGERS"):
		details := p.accept("DETAILS")
		return simple(func(c *Conn) *Result { return showTriggers(c, details) })
	case p.accept("FUNCTIONS"):
		return simple(showFunctions)
	case p.accept("CQS"), p.is("CONTINUOUS") && p.follows("QUERIES"):
		if p.accept("CONTINUOUS") {
			p.advance()
		}
		return &showStmt{show: showCQs}
	case p.accept("CREATE"):
		if p.accept("TRIGGER") {
			return &showCreateStmt{name: p.name("the name of a trigger")}
		}
		p.cqWords()
		return &showCreateStmt{name: p.name("the name of a continuous query"), cq: true}
	case p.accept("LATEST"), p.is("TIMESERIES"):
		p.expect("TIMESERIES")
		pat := p.optionalPattern()
		return p.page(&showStmt{show: func(ctx context.Context, c *Conn) (*Result, error) { return showSeries(ctx, c, pat) }})
	case p.accept("DEVICES"):
		pat := p.optionalPattern()
		withDatabase := false
		if p.accept("WITH") {
			p.databaseWords()
			withDatabase = true
		}
		return p.page(&showStmt{show: func(ctx context.Context, c *Conn) (*Result, error) {
			return showDevices(ctx, c, pat, withDatabase)
		}})
	case p.isOne("DATABASES", "DATABASE", "STORAGE"):
		p.databaseWords()
		p.accept("DETAILS")
		pat := p.optionalPattern()
		return &showStmt{show: func(_ context.Context, c *Conn) (*Result, error) { return showDatabases(c, pat) }}
	case p.accept("ALL"):
		p.expect("TTL")
		return &showStmt{show: func(_ context.Context, c *Conn) (*Result, error) { return showTTL(c, nil) }}
	case p.accept("TTL"):
		p.expect("ON")
		pats := p.patterns("a database")
		return &showStmt{show: func(_ context.Context, c *Conn) (*Result, error) { return showTTL(c, pats) }}
	case p.accept("CHILD"):
		nodes := p.acceptOne("PATHS", "NODES")
		if nodes == "" {
			p.expected("PATHS or NODES")
		}
		pat := p.optionalPattern()
		return p.page(&showStmt{show: func(ctx context.Context, c *Conn) (*Result, error) {
			return showChildren(ctx, c, pat, nodes == "NODES")
		}})
	}
	p.expected("TRIGGERS, FUNCTIONS, CONTINUOUS QUERIES, CQS, TIMESERIES, DEVICES, DATABASES, TTL, CHILD or CREATE")
	return nil
}

// page takes LIMIT and OFFSET.
func (p *parser) page(s *showStmt) *showStmt {
	for p.err == nil {
		switch {
		case p.accept("LIMIT"):
			s.limit = p.count("LIMIT")
		case p.accept("OFFSET"):
			s.offset = p.count("OFFSET")
		default:
			return s
		}
	}
	return s
}

// optionalPattern takes a path pattern, if one follows; else "".
func (p *parser) optionalPattern() string {
	if p.tok.kind == tokEOF || p.tok.kind == tokSymbol || p.isOne("LIMIT", "OFFSET", "WITH", "GROUP", "LEVEL", "WHERE") {
		return ""
	}
	return p.pathPattern("a path pattern")
}

// databaseWords takes DATABASE or STORAGE GROUP.
func (p *parser) databaseWords() {
	if p.acceptOne("DATABASE", "DATABASES") != "" {
		return
	}
	p.expectWords("STORAGE", "GROUP")
}

// count takes what follows COUNT.
func (p *parser) countStmt() statement {
	switch {
	case p.accept("TIMESERIES"):
		pat := p.optionalPattern()
		level := -1
		if p.accept("GROUP") {
			p.expectWords("BY", "LEVEL", "=")
			level = p.count("LEVEL")
		}
		return &showStmt{show: func(ctx context.Context, c *Conn) (*Result, error) { return countSeries(ctx, c, pat, level) }}
	case p.accept("DEVICES"):
		pat := p.optionalPattern()
		return &showStmt{show: func(ctx context.Context, c *Conn) (*Result, error) {
			all, err := c.devices(ctx, pat)
			return counted(c, "count(devices)", len(all)), err
		}}
	case p.accept("NODES"):
		pat := p.pathPattern("a path pattern")
		p.expectWords("LEVEL", "=")
		level := p.count("LEVEL")
		return &showStmt{show: func(ctx context.Context, c *Conn) (*Result, error) { return countNodes(ctx, c, pat, level) }}
	case p.isOne("DATABASES", "DATABASE", "STORAGE"):
		p.databaseWords()
		pat := p.optionalPattern()
		return &showStmt{show: func(_ context.Context, c *Conn) (*Result, error) {
			all, err := c.databases(pat)
			t := listing("count(database)").typed("count(database)", tickwell.KindInt32)
			t.add(len(all))
			return t.result(c), err
		}}
	}
	p.expected("TIMESERIES, DEVICES, NODES or DATABASES")
	return nil
}

func counted(c *Conn, name string, n int) *Result {
	t := listing(name).typed(name, tickwell.KindInt64)
	t.add(int64(n))
	return t.result(c)
}

// everything is the pattern of all series.
const everything = "root.**"

// series lists the series that a pattern matches.
func (c *Conn) series(ctx context.Context, pat string) ([]tickwell.SeriesInfo, error) {
	if pat == "" {
		pat = everything
	}
	all, err := c.db.ListSeries(ctx, pat)
	if err != nil {
		return nil, err
	}
	return slices.Collect(all), nil
}

// devices lists the devices that a pattern matches.
func (c *Conn) devices(ctx context.Context, pat string) ([]string, error) {
	all, err := c.series(ctx, "")
	if err != nil {
		return nil, err
	}
	var p *pattern.Pattern
	if pat != "" {
		if p, err = pattern.Parse(pat); err != nil {
			return nil, err
		}
	}
	var devices []string
	for _, s := range all {
		if (len(devices) == 0 || devices[len(devices)-1] != s.Device) && (p == nil || p.Match(s.Device)) {
			devices = append(devices, s.Device)
		}
	}
	sort.Strings(devices)
	return slices.Compact(devices), nil
}

// databases lists the databases that a pattern matches.
func (c *Conn) databases(pat string) ([]string, error) {
	var all []string
	var p *pattern.Pattern
	var err error
	if pat != "" {
		if p, err = pattern.Parse(pat); err != nil {
			return nil, err
		}
	}
	for d := range c.db.Databases() {
		if p == nil || p.Match(d) {
			all = append(all, d)
		}
	}
	return all, nil
}

// databaseOf is the database of a path.
func databaseOf(databases []string, path string) any {
	for _, d := range databases {
		if strings.HasPrefix(path, d+".") {
			return d
		}
	}
	return nil
}

func showSeries(ctx context.Context, c *Conn, pat string) (*Result, error) {
	all, err := c.series(ctx, pat)
	if err != nil {
		return nil, err
	}
	databases, err := c.databases("")
	if err != nil {
		return nil, err
	}
	t := listing("Timeseries", "Alias", "Database", "DataType", "Encoding", "Compression", "Tags", "Attributes", "Deadband", "DeadbandParameters", "ViewType")
	for _, s := range all {
		hints := c.db.SeriesHints(s.Path())
		hint := func(key string) any {
			if v := hints[key]; v != "" {
				return v
			}
			return nil
		}
		t.add(s.Path(), hint("alias"), databaseOf(databases, s.Path()), kindName(s.Kind), hint("encoding"), hint("compressor"), nil, nil, nil, nil, "BASE")
	}
	return t.result(c), nil
}

func showDevices(ctx context.Context, c *Conn, pat string, withDatabase bool) (*Result, error) {
	all, err := c.devices(ctx, pat)
	if err != nil {
		return nil, err
	}
	databases, err := c.databases("")
	if err != nil {
		return nil, err
	}
	aligned := map[string]bool{}
	series, err := c.series(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, s := range series {
		if !aligned[s.Device] && c.db.SeriesHints(s.Path())["aligned"] != "" {
			aligned[s.Device] = true
		}
	}
	t := listing("Device", "IsAligned")
	if withDatabase {
		t = listing("Device", "Database", "IsAligned")
	}
	for _, d := range all {
		if withDatabase {
			t.add(d, databaseOf(databases, d+"."), fmt.Sprint(aligned[d]))
			continue
		}
		t.add(d, fmt.Sprint(aligned[d]))
	}
	return t.result(c), nil
}

// showDatabases has the columns of a cluster. There is one copy of everything,
// and time is not cut into partitions.
func showDatabases(c *Conn, pat string) (*Result, error) {
	all, err := c.databases(pat)
	if err != nil {
		return nil, err
	}
	t := listing("Database", "TTL(ms)", "SchemaReplicationFactor", "DataReplicationFactor", "TimePartitionInterval").
		typed("TTL(ms)", tickwell.KindInt64).typed("SchemaReplicationFactor", tickwell.KindInt32).
		typed("DataReplicationFactor", tickwell.KindInt32).typed("TimePartitionInterval", tickwell.KindInt64)
	for _, d := range all {
		t.add(d, ttlCell(c.db.TTL(d+".x")), 1, 1, nil)
	}
	return t.result(c), nil
}

func ttlCell(ttl time.Duration) any {
	if ttl <= 0 {
		return nil
	}
	return int64(ttl / time.Millisecond)
}

// showTTL lists the time to live of the databases that patterns match, and of
// other paths that have one; nil: of all.
func showTTL(c *Conn, pats []string) (*Result, error) {
	if pats == nil {
		pats = []string{everything}
	}
	paths := map[string]bool{}
	for _, pat := range pats {
		p, err := pattern.Parse(pat)
		if err != nil {
			return nil, err
		}
		for d := range c.db.Databases() {
			if p.Match(d) {
				paths[d] = true
			}
		}
		for d := range c.db.TTLs() {
			if p.Match(d) {
				paths[d] = true
			}
		}
	}
	sorted := make([]string, 0, len(paths))
	for d := range paths {
		sorted = append(sorted, d)
	}
	sort.Strings(sorted)
	t := listing("Database", "TTL(ms)").typed("TTL(ms)", tickwell.KindInt64)
	for _, d := range sorted {
		t.add(d, ttlCell(c.db.TTL(d+".x")))
	}
	return t.result(c), nil
}

// showChildren lists the paths, or the nodes, directly below those that a
// pattern matches.
func showChildren(ctx context.Context, c *Conn, pat string, nodes bool) (*Result, error) {
	if pat == "" {
		pat = "root"
	}
	p, err := pattern.Parse(pat)
	if err != nil {
		return nil, err
	}
	all, err := c.series(ctx, "")
	if err != nil {
		return nil, err
	}
	databases, err := c.databases("")
	if err != nil {
		return nil, err
	}
	kind := map[string]string{}
	add := func(path, leaf string) {
		parts := pattern.Nodes(path)
		prefix := pattern.Quote(parts[0])
		for i := 1; i < len(parts); i++ {
			child := pattern.Join(prefix, pattern.Quote(parts[i]))
			if p.Match(prefix) {
				name := child
				if nodes {
					name = pattern.Quote(parts[i])
				}
				what := "SG INTERNAL"
				switch {
				case slices.Contains(databases, child):
					what = "DATABASE"
				case i == len(parts)-1:
					what = leaf
				case i == len(parts)-2 && leaf == "TIMESERIES":
					what = "DEVICE"
				case databaseOf(databases, child+".") != nil:
					what = "DB INTERNAL"
				}
				if kind[name] == "" || what == "DEVICE" {
					kind[name] = what
				}
			}
			prefix = child
		}
	}
	for _, d := range databases {
		add(d, "DATABASE")
	}
	for _, s := range all {
		add(s.Path(), "TIMESERIES")
	}
	names := make([]string, 0, len(kind))
	for n := range kind {
		names = append(names, n)
	}
	sort.Strings(names)
	t := listing("ChildPaths", "NodeTypes")
	if nodes {
		t = listing("ChildNodes")
	}
	for _, n := range names {
		if nodes {
			t.add(n)
		} else {
			t.add(n, kind[n])
		}
	}
	return t.result(c), nil
}

func countSeries(ctx context.Context, c *Conn, pat string, level int) (*Result, error) {
	all, err := c.series(ctx, pat)
	if err != nil {
		return nil, err
	}
	if level < 0 {
		return counted(c, "count(timeseries)", len(all)), nil
	}
	t := listing("Column", "count(timeseries)").typed("count(timeseries)", tickwell.KindInt64)
	names, counts := upTo(all, level)
	for _, n := range names {
		t.add(n, int64(counts[n]))
	}
	return t.result(c), nil
}

// upTo counts series by their path up to a level; root is level 0.
func upTo(all []tickwell.SeriesInfo, level int) (names []string, counts map[string]int) {
	counts = map[string]int{}
	for _, s := range all {
		nodes := pattern.Nodes(s.Path())
		if len(nodes) <= level {
			continue
		}
		for i, n := range nodes {
			nodes[i] = pattern.Quote(n)
		}
		name := strings.Join(nodes[:level+1], ".")
		if counts[name] == 0 {
			names = append(names, name)
		}
		counts[name]++
	}
	sort.Strings(names)
	return names, counts
}

func countNodes(ctx context.Context, c *Conn, pat string, level int) (*Result, error) {
	p, err := pattern.Parse(pat)
	if err != nil {
		return nil, err
	}
	all, err := c.series(ctx, "")
	if err != nil {
		return nil, err
	}
	names, _ := upTo(all, level)
	n := 0
	for _, name := range names {
		if p.Match(name) || pattern.Nodes(pat)[len(pattern.Nodes(pat))-1] != "**" && matchBelow(p, name) {
			n++
		}
	}
	return counted(c, "count(nodes)", n), nil
}

// matchBelow reports whether p matches a part of path from its beginning.
func matchBelow(p *pattern.Pattern, path string) bool {
	for device := path; device != ""; device, _ = pattern.Split(device) {
		if p.Match(device) {
			return true
		}
	}
	return false
}
