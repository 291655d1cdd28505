package tickwell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/engine"
)

// lifeDef is a continuous query: the largest value of each window of source's
// devices, or of one.
type lifeDef struct {
	source    string // root.in, or what another query writes
	device    string // "*": all, by a template
	to        string
	window    int64 // seconds
	atEnd     bool
	scheduled bool
	text      string
}

// lifeEvery is so long that no run is due by itself: scheduled queries run when they
// are refreshed.
const lifeEvery = 1000 * time.Hour

func lifeColumn(source string) string {
	if source == "root.in" {
		return "s"
	}
	return "max"
}

func (d *lifeDef) spec(name string) CQSpec {
	q := Query{
		Select: []expr.Expr{expr.Max(expr.Col(lifeColumn(d.source)))}, From: []string{d.source + "." + d.device},
		GroupBy: GroupByTime{Interval: time.Duration(d.window) * time.Second}, Into: []Target{{Device: d.to + "." + d.device, Columns: []string{"max"}}},
	}
	if d.device == "*" {
		q.AlignByDevice, q.Into[0].Device = true, d.to+".${2}"
	}
	s := CQSpec{Name: name, Query: q, OnChange: true, AtEnd: d.atEnd, Text: d.text}
	if d.scheduled {
		s.Every, s.OnChange = lifeEvery, false
	}
	return s
}

func lifeOverlap(a, b string) bool { return a == b || a == "*" || b == "*" }

func (d *lifeDef) feeds(o *lifeDef) bool { return d.to == o.source && lifeOverlap(d.device, o.device) }

func (d *lifeDef) mayWrite(path string) bool {
	rest, ok := strings.CutPrefix(path, d.to+".")
	return ok && lifeOverlap(d.device, strings.TrimSuffix(rest, ".max"))
}

func lifePath(base, device string) string { return base + "." + device + "." + lifeColumn(base) }

type lifeQuery struct {
	lifeDef
	paused  bool
	created bool // since the last opening
}

// lifeCells are values by second.
type lifeCells map[int64]float64

// lifeModel is what users may expect of the life of continuous queries, in the
// plainest way: who owns what, what is stored, and which calls fail.
type lifeModel struct {
	t      *testing.T
	db     *DB
	disk   *crashfs.FS
	dir    string
	policy SyncPolicy
	clock  *clock.Fake
	rng    *rand.Rand
	log    worldOps
	warn   worldLog

	lifeState
	past   []lifePast // since the store was opened after a crash, the oldest first
	synced int        // operations of the disk after which so many steps are on it
	safe   int
	copy   lifePast
	copied string // folder of copy; "": there is none
}

// lifeState is what is defined and stored.
type lifeState struct {
	seq     int // operations, each of which ends with a row of its number
	queries map[string]*lifeQuery
	owner   map[string]string
	stored  map[string]lifeCells // by path of a series that exists
	foreign map[string]lifeCells // of stored: what its owner has not computed, and may find there
}

func newLifeState() lifeState {
	return lifeState{queries: make(map[string]*lifeQuery), owner: make(map[string]string), stored: make(map[string]lifeCells), foreign: make(map[string]lifeCells)}
}

func (s *lifeState) clone() lifeState {
	c := lifeState{seq: s.seq, queries: make(map[string]*lifeQuery), owner: maps.Clone(s.owner), stored: cloneLives(s.stored), foreign: cloneLives(s.foreign)}
	for name, q := range s.queries {
		own := *q
		c.queries[name] = &own
	}
	return c
}

func cloneLives(all map[string]lifeCells) map[string]lifeCells {
	out := make(map[string]lifeCells)
	for path, cells := range all {
		out[path] = maps.Clone(cells)
	}
	return out
}

// lifePast is a state, and how many operations of the disk there were when all of
// it was acknowledged.
type lifePast struct {
	lifeState
	ops int
}

var (
	lifeDevices = []string{"a", "b", "c"}
	lifeSources = []string{"root.in", "root.in", "root.x", "root.y"}
	lifeTargets = []string{"root.x", "root.y", "root.z"}
	lifeNames   = []string{"q1", "q2", "q3", "q4"}
)

func (m *lifeModel) pick(list []string) string { return list[m.rng.IntN(len(list))] }

func (m *lifeModel) open() {
	opts := &Options{Clock: m.clock, FS: m.disk, Sync: m.policy, Profile: killProfile(), Logger: m.warn.logger()}
	m.db = openOnly(m.t, m.dir, opts)
	for _, q := range m.queries {
		q.created = false
	}
}

func (m *lifeModel) fatalf(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("%s\nafter %d operations, the last of them\n %s\nwarned of\n%s", fmt.Sprintf(format, args...), m.log.n, m.log.last("\n "), &m.warn)
}

func (m *lifeModel) wantErr(what string, err, want error) bool {
	m.t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		m.fatalf("%s: %v, want %v", what, err, want)
	}
	return err == nil
}

func (m *lifeModel) names() []string { return slices.Sorted(maps.Keys(m.queries)) }

// cyclic reports whether a definition would feed itself.
func (m *lifeModel) cyclic(name string, d *lifeDef) bool {
	seen := map[string]bool{}
	var reach func(at *lifeDef) bool
	reach = func(at *lifeDef) bool {
		if at.feeds(d) {
			return true
		}
		for n, o := range m.queries {
			if n != name && !seen[n] && at.feeds(&o.lifeDef) {
				seen[n] = true
				if reach(&o.lifeDef) {
					return true
				}
			}
		}
		return false
	}
	return reach(d)
}

// claims are the targets of a definition as far as they can be told.
func (m *lifeModel) claims(d *lifeDef) (all []string) {
	for _, dev := range lifeDevices {
		_, exists := m.stored[lifePath(d.source, dev)]
		if d.device == dev || d.device == "*" && exists {
			all = append(all, lifePath(d.to, dev))
		}
	}
	return all
}

// define is create or alter: what it must return, and what it changes.
func (m *lifeModel) define(name string, d lifeDef, alter bool) {
	old := m.queries[name]
	var want error
	switch {
	case alter && old == nil:
		want = ErrNotFound
	case !alter && old != nil && old.created:
		want = ErrExists
	case m.cyclic(name, &d):
		want = ErrBadInput
	case slices.ContainsFunc(m.claims(&d), func(p string) bool { return m.owner[p] != "" && m.owner[p] != name }):
		want = ErrExists
	}
	m.log.add(fmt.Sprintf("define %s %+v, alter %t: %v", name, d, alter, want))
	call := m.db.CreateContinuousQuery
	if alter {
		call = m.db.AlterContinuousQuery
	}
	if !m.wantErr("define "+name, call(context.Background(), d.spec(name)), want) {
		return
	}
	for p, o := range m.owner {
		if o == name && !d.mayWrite(p) {
			delete(m.owner, p)
			m.foreign[p] = maps.Clone(m.stored[p])
		}
	}
	for _, p := range m.claims(&d) {
		if m.owner[p] == "" {
			m.owner[p], m.foreign[p] = name, maps.Clone(m.stored[p])
		}
	}
	q := &lifeQuery{lifeDef: d, created: true}
	if old != nil {
		q.paused = old.paused
		a, b := old.lifeDef, d
		if a.text = b.text; a != b && !d.scheduled { // everything is computed again, and nothing else stays
			for p, o := range m.owner {
				if o == name {
					m.foreign[p] = nil
				}
			}
		}
	}
	m.queries[name] = q
}

// results are what a definition says about what is stored, by path.
func (m *lifeState) results(d *lifeDef) map[string]lifeCells {
	out := make(map[string]lifeCells)
	for _, dev := range lifeDevices {
		if !lifeOverlap(d.device, dev) {
			continue
		}
		cells := make(lifeCells)
		for at, v := range m.stored[lifePath(d.source, dev)] {
			w := at - at%d.window
			if d.atEnd {
				w += d.window
			}
			if was, ok := cells[w]; !ok || v > was {
				cells[w] = v
			}
		}
		if len(cells) > 0 {
			out[lifePath(d.to, dev)] = cells
		}
	}
	return out
}

// blocked reports whether a definition has a result whose target is another's.
func (m *lifeModel) blocked(name string, results map[string]lifeCells) bool {
	for p := range results {
		if o := m.owner[p]; o != "" && o != name {
			return true
		}
	}
	return false
}

// order are the queries, each after those that feed it.
func (m *lifeModel) order() (all []string) {
	var place func(name string)
	place = func(name string) {
		if slices.Contains(all, name) {
			return
		}
		for _, o := range m.names() {
			if o != name && m.queries[o].feeds(&m.queries[name].lifeDef) {
				place(o)
			}
		}
		all = append(all, name)
	}
	for _, name := range m.names() {
		place(name)
	}
	return all
}

// read is what is stored at a path.
func (m *lifeModel) read(snap *engine.Snapshot, path string) lifeCells {
	dot := strings.LastIndexByte(path, '.')
	ser, ok := m.db.eng.Lookup(path[:dot], path[dot+1:])
	if !ok {
		return nil
	}
	out := make(lifeCells)
	c := snap.Cursor(ser, minTime, maxTime+1)
	defer c.Close()
	for c.Next() {
		v := vectorOf(c.Values())
		for i, at := range c.Times() {
			out[at/1e9] = v.Value(i).Float64()
		}
	}
	must(m.t, c.Err())
	return out
}

func (m *lifeModel) targets() (all []string) {
	for _, base := range lifeTargets {
		for _, d := range lifeDevices {
			all = append(all, lifePath(base, d))
		}
	}
	return all
}

// check lets everything be computed and compares it.
func (m *lifeModel) check() {
	m.t.Helper()
	if wrong := m.verify(); wrong != "" {
		m.fatalf("%s", wrong)
	}
}

// verify returns what is not as the model says, once everything is computed.
func (m *lifeModel) verify() string {
	ctx := context.Background()
	for range 4 { // a query that fails waits before it tries again; cascades
		must(m.t, m.db.Quiesce(ctx))
		m.clock.Advance(2 * time.Minute)
	}
	must(m.t, m.db.Quiesce(ctx))
	list, err := m.db.ContinuousQueries(ctx)
	must(m.t, err)
	n := 0
	for info := range list {
		n++
		q := m.queries[info.Spec.Name]
		if q == nil {
			return info.Spec.Name + " is there"
		}
		spec := q.spec(info.Spec.Name)
		if !bytes.Equal(encodeCQ(&spec), encodeCQ(&info.Spec)) || (info.State == "PAUSED") != q.paused {
			return fmt.Sprintf("%s is %s, %+v, want paused %t, %+v", info.Spec.Name, info.State, info.Spec, q.paused, q.lifeDef)
		}
	}
	if n != len(m.queries) {
		return fmt.Sprintf("%d queries, want %q", n, m.names())
	}
	m.db.cqs.mu.Lock()
	owned := maps.Clone(m.db.cqs.owned)
	m.db.cqs.mu.Unlock()
	for p, o := range m.owner {
		if owned[p] != o {
			return fmt.Sprintf("%s belongs to %q, want %q", p, owned[p], o)
		}
	}
	for p, o := range owned {
		if m.owner[p] == o {
			continue
		}
		if q := m.queries[o]; q == nil || !q.mayWrite(p) {
			return fmt.Sprintf("%s belongs to %q, want nobody", p, o)
		}
		m.owner[p] = o // of a template: by the first run that wrote it
		m.foreign[p] = maps.Clone(m.stored[p])
	}
	snap := m.db.eng.Snapshot()
	defer snap.Release()
	for _, d := range lifeDevices {
		p := lifePath("root.in", d)
		if got := m.read(snap, p); !maps.Equal(got, m.stored[p]) || (got == nil) != (m.stored[p] == nil) {
			return fmt.Sprintf("%s holds %v, want %v", p, got, m.stored[p])
		}
	}
	for _, name := range m.order() {
		q := m.queries[name]
		if q.scheduled || q.paused {
			continue
		}
		results := m.results(&q.lifeDef)
		if m.blocked(name, results) {
			if info := cqByName(m.t, m.db, name); info.State != "FAILING" || !errors.Is(info.LastErr, ErrExists) {
				return fmt.Sprintf("%s is %s, %v; want FAILING, since a target is another's", name, info.State, info.LastErr)
			}
			for p, o := range m.owner { // some of it may be there
				if got := m.read(snap, p); o == name && got != nil {
					m.stored[p] = got
				}
			}
			continue
		}
		if info := cqByName(m.t, m.db, name); info.State != "ACTIVE" {
			return fmt.Sprintf("%s is %s, %v; want ACTIVE", name, info.State, info.LastErr)
		}
		for p := range results {
			if m.owner[p] != name {
				return fmt.Sprintf("%s, a result of %s, belongs to %q", p, name, m.owner[p])
			}
		}
		for p, o := range m.owner {
			if o != name {
				continue
			}
			got := m.read(snap, p)
			for at, v := range got {
				want, ok := results[p][at]
				if was, there := m.foreign[p][at]; !ok && !(there && was == v) || ok && v != want {
					return fmt.Sprintf("%s of %s %+v at %d s is %v, want %v (%t); before %v, found %v, is %v, want all %v", p, name, q.lifeDef, at, v, want, ok, m.stored[p], m.foreign[p], got, results[p])
				}
			}
			for at, v := range results[p] {
				if _, ok := got[at]; !ok {
					return fmt.Sprintf("%s at %d s is not there, want %v", p, at, v)
				}
				delete(m.foreign[p], at)
			}
			if got != nil {
				m.stored[p] = got
			}
			maps.DeleteFunc(m.foreign[p], func(at int64, _ float64) bool { _, ok := got[at]; return !ok })
		}
	}
	for _, p := range m.targets() {
		if got := m.read(snap, p); !maps.Equal(got, m.stored[p]) {
			return fmt.Sprintf("%s holds %v, want %v", p, got, m.stored[p])
		}
	}
	return ""
}

// rollups asks for largest values from the results of queries: it must be what the
// rows say, whatever is computed, altered or dropped. Rows that a query found
// in its targets are no results.
func (m *lifeModel) rollups() {
	dev := m.pick(lifeDevices)
	window := int64(10 << m.rng.IntN(3))
	m.log.add(fmt.Sprintf("rollups %s %d", dev, window))
	res, err := m.db.Query(context.Background(), Query{
		Select: []expr.Expr{expr.Max(expr.Col("s")).As("m")}, From: []string{"root.in." + dev}, Start: time.Unix(0, 0), End: time.Unix(400, 0),
		GroupBy: GroupByTime{Interval: time.Duration(window) * time.Second}, Rollups: !small})
	must(m.t, err)
	tabs, err := res.Collect()
	must(m.t, err)
	got := make(lifeCells)
	for _, t := range tabs {
		for i, at := range t.Times {
			if !t.Columns[0].Nulls.Get(i) {
				got[at/1e9] = t.Columns[0].Data.Value(i).Float64()
			}
		}
	}
	snap := m.db.eng.Snapshot()
	defer snap.Release()
	p := lifePath("root.in", dev)
	rows := lifeState{stored: map[string]lifeCells{p: m.read(snap, p)}} // what is there now, also where it is not known yet after a crash
	want := rows.results(&lifeDef{source: "root.in", device: dev, to: "root.z", window: window})[lifePath("root.z", dev)]
	if len(got)+len(want) > 0 && !maps.Equal(got, want) {
		m.fatalf("rollups of %s by %d s: %v, want %v", dev, window, got, want)
	}
}

func (m *lifeModel) step() {
	ctx := context.Background()
	name, dev, at := m.pick(lifeNames), m.pick(lifeDevices), m.rng.Int64N(200)
	switch op := m.rng.IntN(100); {
	case op < 30:
		v := float64(m.rng.IntN(100))
		m.log.add(fmt.Sprintf("put %s %d %v", dev, at, v))
		must(m.t, m.db.Insert(ctx, "root.in."+dev, time.Unix(at, 0), Float64("s", v)))
		m.put(lifePath("root.in", dev), at, v)
	case op < 35: // where results are, or may come to be
		p := m.pick(m.targets())
		device, column, _ := splitPath(p)
		m.check() // who owns it is known
		var want error
		if m.owner[p] != "" {
			want = ErrReadOnly
		}
		m.log.add(fmt.Sprintf("put %s %d 1000: %v", p, at, want))
		if m.wantErr("insert into "+p, m.db.Insert(ctx, device, time.Unix(at, 0), Float64(column, 1000)), want) {
			m.put(p, at, 1000)
			if m.foreign[p] == nil {
				m.foreign[p] = make(lifeCells)
			}
			m.foreign[p][at] = 1000
		}
	case op < 41:
		to := at + m.rng.Int64N(60)
		p := lifePath("root.in", dev)
		m.log.add(fmt.Sprintf("delete %s %d %d", p, at, to))
		must(m.t, m.db.Delete(ctx, p, time.Unix(at, 0), time.Unix(to+1, 0)))
		maps.DeleteFunc(m.stored[p], func(t int64, _ float64) bool { return t >= at && t <= to })
	case op < 44:
		p := lifePath("root.in", dev)
		m.log.add("drop series " + p)
		if err := m.db.DropSeries(ctx, p); err != nil && !errors.Is(err, ErrNotFound) {
			m.fatalf("drop %s: %v", p, err)
		}
		delete(m.stored, p)
	case op < 66:
		m.check()
		d := lifeDef{source: m.pick(lifeSources), device: m.pick(lifeDevices), to: m.pick(lifeTargets), window: 10 << m.rng.Int64N(3), atEnd: m.rng.IntN(4) == 0, scheduled: m.rng.IntN(3) == 0}
		if m.rng.IntN(2) == 0 {
			d.device = "*"
		}
		if old := m.queries[name]; old != nil && m.rng.IntN(2) == 0 { // only a part
			e := old.lifeDef
			switch m.rng.IntN(6) {
			case 5:
				e.atEnd = !e.atEnd
			case 0:
				e.to = d.to
			case 1:
				e.window = d.window
			case 2:
				e.scheduled = !e.scheduled
			case 3:
				e.source = d.source
			default:
				e.text = strconv.Itoa(m.rng.IntN(100))
			}
			d = e
		}
		m.define(name, d, m.rng.IntN(2) == 0)
	case op < 72:
		m.check()
		var want error
		if m.queries[name] == nil {
			want = ErrNotFound
		}
		m.log.add("drop " + name)
		if m.wantErr("drop "+name, m.db.DropContinuousQuery(ctx, name), want) {
			delete(m.queries, name)
			for p, o := range m.owner {
				if o == name {
					delete(m.owner, p)
					m.foreign[p] = maps.Clone(m.stored[p])
				}
			}
		}
	case op < 78:
		m.check()
		q, pause := m.queries[name], m.rng.IntN(2) == 0
		var want error
		if q == nil {
			want = ErrNotFound
		} else {
			q.paused = pause
		}
		call := m.db.ResumeContinuousQuery
		if pause {
			call = m.db.PauseContinuousQuery
		}
		m.log.add(fmt.Sprintf("pause %s %t", name, pause))
		m.wantErr("pause "+name, call(ctx, name), want)
	case op < 84:
		m.refresh(name)
	case op < 88:
		m.log.add("reopen")
		must(m.t, m.db.Close())
		m.synced, m.safe = m.disk.Ops(), m.seq
		m.open()
	case op < 89:
		m.log.add("sync")
		must(m.t, m.db.Sync(ctx))
		m.synced, m.safe = m.disk.Ops(), m.seq
	case op < 90:
		m.backup()
	case op < 91:
		m.restore()
	case op < 93:
		m.log.add("flush")
		must(m.t, m.db.Flush(ctx))
	case op < 97:
		m.rollups()
	default:
		m.check()
	}
}

func (m *lifeModel) put(path string, at int64, v float64) {
	if m.stored[path] == nil {
		m.stored[path] = make(lifeCells)
	}
	m.stored[path][at] = v
}

// lives makes a step and notes that it is over.
func (m *lifeModel) lives() {
	m.step()
	m.seq++
	must(m.t, m.db.Insert(context.Background(), "root.life", time.Unix(int64(m.seq), 0), Int64("n", int64(m.seq))))
	m.past = append(m.past, lifePast{m.clone(), m.disk.Ops()})
	if m.rng.IntN(25) == 0 {
		m.crash()
	}
}

// crash cuts the power after some operation of the disk, mostly a late one. What is
// there is a prefix of what was done: the steps up to one, and that after it whole
// or not at all.
func (m *lifeModel) crash() {
	op, first := m.disk.Ops(), m.past[0].ops
	if m.rng.IntN(2) == 0 {
		op -= m.rng.IntN(1 + min(op-first, 10<<m.rng.IntN(6)))
	}
	mode := crashfs.Modes[m.rng.IntN(len(crashfs.Modes))]
	least := m.past[0].seq
	for _, p := range m.past {
		kept := p.seq <= m.safe && m.synced <= op
		if m.policy == SyncAlways() || mode == crashfs.All && m.policy != AckBuffered(time.Second) {
			kept = p.ops <= op
		}
		if kept {
			least = p.seq
		}
	}
	m.log.add(fmt.Sprintf("crash %s after %d of %d, at least %d of %d steps", mode, op, m.disk.Ops(), least, m.seq))
	image := m.disk.Image(op, mode, m.rng.Uint64())
	must(m.t, m.db.Close())
	m.disk = crashfs.From(image)
	m.open()
	n := m.survived()
	if m.rng.IntN(3) == 0 { // again, while it recovers or after that
		op, mode := m.rng.IntN(m.disk.Ops()+1), crashfs.Modes[m.rng.IntN(len(crashfs.Modes))]
		m.log.add(fmt.Sprintf("crash %s after %d of %d again", mode, op, m.disk.Ops()))
		image := m.disk.Image(op, mode, m.rng.Uint64())
		must(m.t, m.db.Close())
		m.disk = crashfs.From(image)
		m.open()
		if again := m.survived(); again != n {
			m.fatalf("%d steps were there after a crash, and %d after the next", n, again)
		}
	}
	if n < least || n > m.seq {
		m.fatalf("%d steps survived a crash, want %d to %d", n, least, m.seq)
	}
	m.rollups()
	var wrong []string
	for i := len(m.past) - 1; i >= 0; i-- {
		if p := m.past[i]; p.seq == n || p.seq == n+1 {
			m.lifeState = p.clone()
			for _, q := range m.queries {
				q.created = false
			}
			m.emptySeries()
			why := m.verify()
			if why == "" {
				wrong = nil
				break
			}
			wrong = append(wrong, fmt.Sprintf("as after %d steps: %s", p.seq, why))
		}
	}
	if wrong != nil {
		m.fatalf("%d steps survived, and it is not\n%s", n, strings.Join(wrong, "\nnor\n"))
	}
	m.seq = n
	m.begin()
}

// emptySeries takes up series whose rows were lost: they are made first.
func (m *lifeModel) emptySeries() {
	snap := m.db.eng.Snapshot()
	defer snap.Release()
	for _, dev := range lifeDevices {
		for _, base := range append([]string{"root.in"}, lifeTargets...) {
			p := lifePath(base, dev)
			if got := m.read(snap, p); got != nil && len(got) == 0 && m.stored[p] == nil {
				m.stored[p] = got
			}
		}
	}
}

// begin forgets what was before.
func (m *lifeModel) begin() {
	m.past, m.synced, m.safe, m.copied = []lifePast{{m.clone(), m.disk.Ops()}}, m.disk.Ops(), m.seq, ""
}

// survived returns how many steps are there.
func (m *lifeModel) survived() int {
	ser, ok := m.db.eng.Lookup("root.life", "n")
	if !ok {
		return 0
	}
	snap := m.db.eng.Snapshot()
	defer snap.Release()
	n := 0
	c := snap.Cursor(ser, minTime, maxTime+1)
	defer c.Close()
	for c.Next() {
		for _, at := range c.Times() {
			if n++; int64(n) != at/1e9 {
				m.fatalf("step %d is not there, and %d is", n, at/1e9)
			}
		}
	}
	must(m.t, c.Err())
	return n
}

func (m *lifeModel) backup() {
	if m.copied != "" {
		return
	}
	m.copied = fmt.Sprint("copy", m.seq)
	m.log.add("backup " + m.copied)
	must(m.t, m.db.Backup(context.Background(), m.disk, m.copied))
	m.copy = lifePast{m.clone(), m.disk.Ops()}
}

// restore goes on with the copy.
func (m *lifeModel) restore() {
	if m.copied == "" {
		return
	}
	m.log.add("restore " + m.copied)
	must(m.t, m.db.Close())
	m.dir, m.lifeState = m.copied, m.copy.lifeState
	m.open()
	if n := m.survived(); n != m.seq {
		m.fatalf("%d steps are in the copy, want %d", n, m.seq)
	}
	m.rollups()
	m.check()
	m.begin()
}

// refresh runs a scheduled query; an incremental one has nothing to do.
func (m *lifeModel) refresh(name string) {
	m.check()
	q := m.queries[name]
	if q == nil || q.paused && !q.scheduled {
		return
	}
	results := m.results(&q.lifeDef)
	var want error
	if m.blocked(name, results) {
		want = ErrExists
	}
	m.log.add(fmt.Sprintf("refresh %s: %v", name, want))
	if !m.wantErr("refresh "+name, m.db.RefreshContinuousQuery(context.Background(), name, time.Unix(0, 0), time.Unix(400, 0)), want) || !q.scheduled {
		return
	}
	for p, cells := range results {
		if m.owner[p] == "" {
			m.owner[p], m.foreign[p] = name, maps.Clone(m.stored[p])
		}
		for at, v := range cells {
			m.put(p, at, v)
			delete(m.foreign[p], at)
		}
	}
}

// The life of continuous queries, by chance: created, altered, paused, dropped, over
// restarts, power cuts and copies that take the store's place, while rows and series come and go and queries read what
// others write. After it all, each column belongs to whom it must, the results are
// what the stored rows say, what nobody writes any more stays, and calls that make
// no sense fail. TICKWELL_CQ_LIVES sets how many lives there are.
func TestCQLivesAgainstModel(t *testing.T) {
	lives, steps := 40, 250
	if n, err := strconv.Atoi(os.Getenv("TICKWELL_CQ_LIVES")); err == nil {
		lives = n
	} else if testing.Short() {
		lives = 10
	}
	first, _ := strconv.Atoi(os.Getenv("TICKWELL_CQ_FIRST"))
	policies := []SyncPolicy{SyncAlways(), SyncInterval(time.Second), SyncAlways(), AckBuffered(time.Second), SyncAlways(), SyncNever()}
	for i := first; i < first+lives; i++ {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			clk := newFake()
			clk.Set(time.Unix(5, 0))
			m := &lifeModel{t: t, disk: crashfs.New(), dir: "data", policy: policies[i%len(policies)], clock: clk,
				rng: rand.New(rand.NewPCG(uint64(i), worldSeed())), lifeState: newLifeState()}
			m.open()
			m.begin()
			defer func() { m.db.Close() }()
			for range steps {
				m.lives()
			}
			m.check()
		})
	}
}
