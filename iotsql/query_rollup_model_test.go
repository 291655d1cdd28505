//go:build !tickwell_small

package iotsql_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
)

// Queries that may be answered from the results of continuous queries, which are
// made, altered, paused and dropped while rows come late and are deleted.

// rolled is a continuous query in the words of the reference.
type rolled struct {
	name     string
	from     string
	byDevice bool
	aggs     []*tree
	where    *tree
	interval int64
	origin   int64
	leftOpen bool
	atEnd    bool
	since    int64 // From
	over     *rolled
	paused   bool
}

// rollups is a store and what its continuous queries are.
type rollups struct {
	*store
	clock *clock.Fake
	all   []*rolled
	gone  []string // names
	made  int
	used  int64
	notes []string
}

func (w *rollups) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// composed is what puts the values of an aggregate together.
var composed = map[string]string{"count": "sum", "min_time": "min_value", "max_time": "max_value", "min_value": "min_value", "max_value": "max_value",
	"extreme": "extreme", "first_value": "first_value", "last_value": "last_value"}

// define makes up a continuous query.
func (w *rollups) define(name string) *rolled {
	r := w.rng
	c := &rolled{name: name, interval: 1 + r.Int64N(w.span/4), leftOpen: r.IntN(5) == 0, atEnd: r.IntN(5) == 0, since: math.MinInt64}
	if r.IntN(3) > 0 {
		c.interval = pickOf[int64](r, 2, 5, 10, 20)
	}
	if r.IntN(4) == 0 {
		c.origin = w.base + r.Int64N(w.span)
	}
	if r.IntN(5) == 0 {
		c.since = w.base + r.Int64N(w.span)
	}
	if len(w.all) > 0 && r.IntN(3) == 0 { // of the results of another
		o := pickOf(r, w.all...)
		if o.over == nil && o.name != name && !o.byDevice {
			c.over = o
			c.interval = o.interval * (1 + r.Int64N(4))
			c.origin = o.origin
			if r.IntN(4) == 0 {
				c.origin++
			}
			return c
		}
	}
	c.byDevice = r.IntN(3) == 0
	c.from = pickOf(r, devices...)
	if c.byDevice {
		c.from = pickOf(r, "root.g.*", "root.*.d1", c.from)
	}
	for range 1 + r.IntN(4) {
		a := w.agg()
		for a.name == "count_time" || strings.HasPrefix(a.name, "fold") {
			a = w.agg()
		}
		c.aggs = append(c.aggs, a)
	}
	if r.IntN(4) == 0 { // an average is of these
		col := col(pickOf(r, "i", "l"))
		c.aggs = append(c.aggs, call("sum", col), call("count", col))
	}
	if r.IntN(3) == 0 {
		c.where = w.truth(1)
	}
	return c
}

func (w *rollups) spec(c *rolled) tickwell.CQSpec {
	unit := time.Duration(w.unit)
	q := tickwell.Query{GroupBy: tickwell.GroupByTime{Interval: time.Duration(c.interval) * unit, LeftOpen: c.leftOpen}, AlignByDevice: c.byDevice, TimeUnit: unit}
	target := tickwell.Target{Device: "root.roll.of." + c.name}
	if c.over != nil {
		q.From = []string{"root.roll.of." + c.over.name}
		for i, a := range c.over.aggs {
			if f := composed[a.name]; f != "" {
				q.Select = append(q.Select, expr.Call(f, expr.Col(fmt.Sprint(a.name, i))))
				target.Columns = append(target.Columns, fmt.Sprint(a.name, i))
			}
		}
	} else {
		q.From = []string{c.from}
		for i, a := range c.aggs {
			q.Select = append(q.Select, a.expr())
			target.Columns = append(target.Columns, fmt.Sprint(a.name, i))
		}
	}
	if c.byDevice {
		target.Device = "root.roll.by." + c.name + ".${1}.${2}"
	}
	if c.where != nil {
		q.Where = c.where.expr()
	}
	q.Into = []tickwell.Target{target}
	s := tickwell.CQSpec{Name: c.name, Query: q, OnChange: w.rng.IntN(3) > 0, AtEnd: c.atEnd}
	if c.origin != 0 {
		s.Origin = w.at(c.origin)
	}
	if c.since != math.MinInt64 {
		s.From = w.at(c.since)
	}
	return s
}

// step does something to the store or to its continuous queries.
func (w *rollups) step() {
	r := w.rng
	ctx := context.Background()
	some := func() *rolled {
		if len(w.all) == 0 {
			return nil
		}
		return pickOf(r, w.all...)
	}
	switch op := r.IntN(40); {
	case op < 14:
		w.write()
		w.note("write")
	case op < 17:
		w.erase()
		w.note("erase")
	case op < 18:
		w.check(w.db.Flush(ctx))
		w.note("flush")
	case op < 19:
		w.check(w.db.Compact(ctx))
		w.note("compact")
	case op < 20:
		w.reopen(true)
		w.note("reopen")
	case op < 25:
		if len(w.all) >= 5 {
			return
		}
		w.made++
		name := fmt.Sprint("q", w.made)
		if len(w.gone) > 0 && r.IntN(2) == 0 { // whose results may still be there
			name = pickOf(r, w.gone...)
			if slices.ContainsFunc(w.all, func(o *rolled) bool { return o.name == name }) {
				return
			}
		}
		c := w.define(name)
		if err := w.db.CreateContinuousQuery(ctx, w.spec(c)); err != nil {
			w.note("create %s: %v", c.name, err)
			return
		}
		w.all = append(w.all, c)
		w.note("create %s: %v", c.name, w.spec(c))
	case op < 27:
		if c := some(); c != nil {
			w.check(w.db.PauseContinuousQuery(ctx, c.name))
			w.note("pause %s", c.name)
		}
	case op < 30:
		if c := some(); c != nil {
			w.check(w.db.ResumeContinuousQuery(ctx, c.name))
			w.note("resume %s", c.name)
		}
	case op < 32:
		c := some()
		if c == nil || slices.ContainsFunc(w.all, func(o *rolled) bool { return o.over == c }) {
			return
		}
		n := w.define(c.name)
		if err := w.db.AlterContinuousQuery(ctx, w.spec(n)); err != nil {
			w.note("alter %s: %v", c.name, err)
			return
		}
		w.note("alter %s: %v", c.name, w.spec(n))
		*c = *n
	case op < 33:
		c := some()
		if c == nil || slices.ContainsFunc(w.all, func(o *rolled) bool { return o.over == c }) {
			return
		}
		w.check(w.db.DropContinuousQuery(ctx, c.name))
		w.all = slices.DeleteFunc(w.all, func(o *rolled) bool { return o == c })
		w.gone = append(w.gone, c.name)
		w.note("drop %s", c.name)
	case op < 34:
		from := w.base + r.Int64N(w.span)
		w.check(w.db.Delete(ctx, "root.roll.**", w.at(from), w.at(from+1+r.Int64N(w.span))))
		w.note("delete results")
	case op < 35:
		if c := some(); c != nil {
			from := w.base + r.Int64N(w.span)
			err := w.db.RefreshContinuousQuery(ctx, c.name, w.at(from), w.at(from+1+r.Int64N(w.span)))
			w.note("refresh %s: %v", c.name, err)
		}
	case op < 36:
		if len(w.series) > 0 && r.IntN(2) == 0 {
			p := pickOf(r, w.series...)
			w.check(w.db.DropSeries(ctx, p))
			delete(w.points, p)
			delete(w.kinds, p)
			w.list()
			w.note("drop series %s", p)
		}
	case op < 37:
		w.clock.Advance(time.Duration(r.Int64N(3e9)))
	default:
		w.check(w.db.Quiesce(ctx))
		w.note("quiesce")
	}
}

// ask makes a question that results may answer.
func (w *rollups) ask() *question {
	r := w.rng
	for {
		q := w.question()
		if !slices.ContainsFunc(q.sel, (*tree).hasAgg) || q.apart || q.group != "time" && q.group != "" {
			continue
		}
		if !q.bounded {
			q.bounded, q.start, q.end = true, w.base-r.Int64N(20), w.base+w.span+r.Int64N(20)
		}
		if len(w.all) > 0 && r.IntN(6) > 0 {
			c := pickOf(r, w.all...)
			base := c
			if c.over != nil {
				base = c.over
			}
			q.from, q.byDevice, q.where = []string{base.from}, base.byDevice, base.where
			q.order, q.desc, q.first = nil, nil, nil
			if base.byDevice && r.IntN(3) == 0 {
				q.from, q.byDevice = []string{pickOf(r, devices...)}, false
			}
			if r.IntN(8) == 0 {
				q.where = w.truth(1)
			}
			for i := range q.sel {
				if q.sel[i].op == "col" {
					continue
				}
				switch r.IntN(4) {
				case 0:
				case 1:
					q.sel[i] = node("+", call("count", col("i")), pickOf(r, base.aggs...))
				default:
					q.sel[i] = pickOf(r, base.aggs...)
				}
			}
			if a := pickOf(r, base.aggs...); r.IntN(5) == 0 && a.name == "sum" {
				q.sel[0] = call("avg", a.args...)
			}
			if q.having != nil && r.IntN(2) == 0 {
				q.having = node(">=", call("count", col("i")), lit(tickwell.Int32Value(2)))
			}
			if q.group == "time" {
				q.interval = c.interval * (1 + r.Int64N(5))
				if r.IntN(5) == 0 {
					q.interval += r.Int64N(3)
				}
				q.step = q.interval
				if r.IntN(4) == 0 {
					q.step = max(1, q.interval/(1+r.Int64N(3)))
				}
				if r.IntN(3) > 0 { // on the grid of the results
					q.start -= ((q.start-c.origin)%c.interval + c.interval) % c.interval
				}
				q.leftOpen = r.IntN(6) == 0
				if c.leftOpen && r.IntN(2) == 0 {
					q.leftOpen = true
				}
				for (q.end-q.start)/q.step > 400 {
					q.step *= 3
				}
			}
		}
		if w.expansions(q) <= 100 {
			return q
		}
	}
}

// compare asks q with and without the results.
func (w *rollups) compare(q *question, refused map[string]int) {
	ctx := context.Background()
	query := q.query()
	query.Rollups = true
	res, err := w.db.Query(ctx, query)
	if err != nil {
		refused[err.Error()]++
		return
	}
	want := w.answer(q)
	got, kinds, err := w.rowsOf(res, true)
	if want == nil {
		return
	}
	text := q.sql()
	if err != nil {
		w.t.Fatalf("%s\n%v", text, err)
	}
	q.refill(want, kinds)
	if d := want.differs(got); d != "" {
		w.t.Fatalf("%s\n%s\n%s\n%v\ngot:\n%v\nwant:\n%v\nafter %s", text, d, res.Explain().Plan, res.Explain().RolledUp, got, want, strings.Join(w.notes[max(0, len(w.notes)-60):], "\n"))
	}
	for _, n := range res.Explain().RolledUp {
		w.used += n
	}
}

// What results of continuous queries answer is what the rows say.
func TestRollupsAgainstReference(t *testing.T) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	refused := map[string]int{}
	used := int64(0)
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			w := &rollups{store: newStore(t, seed, time.Nanosecond), clock: clock.NewFake(time.Unix(1_700_000_000, 0))}
			w.opts.Clock, w.opts.Logger = w.clock, slog.New(slog.DiscardHandler)
			w.reopen(true)
			for i := range 240 {
				w.step()
				if i%2 == 1 {
					w.compare(w.ask(), refused)
				}
			}
			used += w.used
		})
	}
	if used == 0 {
		t.Error("no results were used")
	}
	if testing.Verbose() {
		t.Log(used, "windows of results used")
		for e, n := range refused {
			t.Log(n, e)
		}
	}
}
