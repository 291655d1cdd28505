package iotsql_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// copying is an INTO in the words of the reference.
type copying struct {
	into    []tickwell.Target
	targets map[string][]string // paths of the columns, by source device or ""
}

func (c *copying) sql() string {
	var items []string
	for _, t := range c.into {
		items = append(items, t.Device+"("+strings.Join(t.Columns, ", ")+")")
	}
	return " into " + strings.Join(items, ", ")
}

// readers are the devices with a series that a query by device reads.
func (s *store) readers(q *question) (all []string) {
	names := func(name string) (all []string) {
		for _, p := range s.find(q, name) {
			if !slices.Contains(all, nameOf(p)) {
				all = append(all, nameOf(p))
			}
		}
		return all
	}
	for _, p := range s.find(q, "*") {
		d := deviceOf(p)
		reads := false
		for _, e := range q.sel {
			for _, x := range expand(e, names) {
				x.walk(func(x *tree) { reads = reads || x.op == "col" && (s.kinds[d+"."+x.name] != 0 || x.name == "*") })
			}
		}
		if reads && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	slices.Sort(all)
	return all
}

// filled is a template with the nodes of a path in it.
func filled(template, path string, device bool) string {
	nodes := strings.Split(path, ".")
	if device {
		parts := strings.Split(template, ".")
		if last := len(parts) - 1; parts[last] == "::" {
			template = strings.Join(append(parts[:last], nodes[last:len(nodes)-1]...), ".")
		}
	} else if template == "::" {
		return nodes[len(nodes)-1]
	}
	for i, n := range nodes {
		template = strings.ReplaceAll(template, fmt.Sprintf("${%d}", i), n)
	}
	return template
}

// copying chooses targets for the columns of a query.
func (s *store) copying(q *question, cols []tickwell.ColumnInfo) *copying {
	r := s.rng
	c := &copying{targets: map[string][]string{}}
	used := map[string]bool{}
	name := func(device string, k tickwell.Kind) string {
		for {
			n := fmt.Sprint("o", 1+r.IntN(4))
			if r.IntN(2) == 0 {
				n = pickOf(r, slices.Sorted(maps.Keys(kindsOf))...)
				if have, ok := s.kinds[device+"."+n]; k != kindsOf[n] && (!ok || have != kindsOf[n]) {
					continue
				}
			} else if r.IntN(4) == 0 {
				n = fmt.Sprint("p", r.IntN(200))
			}
			if used[device+"."+n] && r.IntN(30) > 0 {
				continue
			}
			used[device+"."+n] = true
			return n
		}
	}
	device := func() string { return pickOf(r, append(devices, "root.out.a", "root.out.d1", "root.g.o")...) }
	raw := !slices.ContainsFunc(q.sel, func(t *tree) bool { return t.op != "col" || t.name == "__endTime" })
	if q.byDevice {
		devs := s.readers(q)
		if r.IntN(2) == 0 { // one item for all
			t := tickwell.Target{Device: pickOf(r, "root.new.::", "root.${1}.new_${2}", "root.g.new.::", "root.out.${2}_${1}")}
			if raw && r.IntN(2) == 0 {
				t.Columns = []string{pickOf(r, "::", "${2}_n", "${1}${2}")}
			} else {
				for _, c := range cols {
					t.Columns = append(t.Columns, name("root.nowhere", c.Kind))
				}
			}
			c.into = append(c.into, t)
			for _, d := range devs {
				for i, col := range cols {
					tmpl := t.Columns[0]
					if len(t.Columns) == len(cols) && (len(cols) > 1 || !strings.ContainsAny(tmpl, "$:")) {
						tmpl = t.Columns[i]
					}
					src := d + ".x"
					if raw {
						src = d + "." + col.Name
					}
					c.targets[d] = append(c.targets[d], filled(t.Device, src, true)+"."+filled(tmpl, src, false))
				}
			}
			return c
		}
		for _, d := range devs {
			t := tickwell.Target{Device: device()}
			for _, col := range cols {
				n := name(t.Device, col.Kind)
				t.Columns = append(t.Columns, n)
				c.targets[d] = append(c.targets[d], t.Device+"."+n)
			}
			c.into = append(c.into, t)
		}
		return c
	}
	if raw && r.IntN(2) == 0 {
		t := tickwell.Target{Device: pickOf(r, "root.new.::", "root.${1}.new_${2}", "root.g.new.::", "root.out.${2}_${1}"), Columns: []string{pickOf(r, "::", "${2}_${3}", "n${3}")}}
		c.into = append(c.into, t)
		for _, col := range cols {
			c.targets[""] = append(c.targets[""], filled(t.Device, col.Name, true)+"."+filled(t.Columns[0], col.Name, false))
		}
		return c
	}
	for i := 0; i < len(cols); {
		t := tickwell.Target{Device: device()}
		for n := i + 1 + r.IntN(len(cols)-i); i < n; i++ {
			n := name(t.Device, cols[i].Kind)
			t.Columns = append(t.Columns, n)
			c.targets[""] = append(c.targets[""], t.Device+"."+n)
		}
		c.into = append(c.into, t)
	}
	return c
}

// widens reports whether values of one kind go into a series of another.
func widens(from, to tickwell.Kind) bool {
	switch from {
	case to:
		return true
	case tickwell.KindInt32:
		return to == tickwell.KindInt64 || to == tickwell.KindFloat32 || to == tickwell.KindFloat64
	case tickwell.KindInt64, tickwell.KindFloat32:
		return to == tickwell.KindFloat64
	}
	return false
}

// held is what a store holds, by path.
func (s *store) held() map[string]cells {
	res, err := s.db.Query(context.Background(), tickwell.Query{From: []string{"root.**"}})
	s.check(err)
	out := map[string]cells{}
	for _, c := range res.Columns() {
		out[c.Name] = cells{}
	}
	for row, err := range res.Rows() {
		s.check(err)
		for i, c := range res.Columns() {
			if v := row.Value(i); !v.IsNull() {
				if v.Kind() == tickwell.KindText {
					v = tickwell.TextValue(strings.Clone(v.Text()))
				}
				out[c.Name][row.UnixNano()/s.unit] = v
			}
		}
	}
	return out
}

func differ(want, got map[string]cells) string {
	for _, p := range slices.Sorted(maps.Keys(want)) {
		for _, t := range slices.Sorted(maps.Keys(want[p])) {
			if !same(want[p][t], got[p][t]) {
				return fmt.Sprintf("%s at %d: %v (%s), want %v (%s)", p, t, got[p][t], got[p][t].Kind(), want[p][t], want[p][t].Kind())
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(got)) {
		for _, t := range slices.Sorted(maps.Keys(got[p])) {
			if _, ok := want[p][t]; !ok {
				return fmt.Sprintf("%s at %d: %v, want none", p, t, got[p][t])
			}
		}
	}
	return ""
}

// copy asks a query INTO targets, and compares what the store then holds.
func (s *store) copy(q *question, refused map[string]int) {
	ctx := context.Background()
	q.apart, q.slimit, q.soffset = false, 0, 0
	query := q.query()
	res, err := s.db.Query(ctx, query)
	if err != nil {
		refused[err.Error()]++
		return
	}
	cols := res.Columns()
	if len(cols) == 0 {
		return
	}
	c := s.copying(q, cols)
	if len(c.into) == 0 { // no device has any of the series
		return
	}
	want := s.answer(q)
	kinds := make([]tickwell.Kind, len(cols))
	for i := range cols {
		kinds[i] = cols[i].Kind
	}
	after := map[string]cells{}
	for p, of := range s.points {
		after[p] = maps.Clone(of)
	}
	written := map[string]int{}
	refuse, mayRefuse := "", false
	seen := map[string]bool{}
	for _, d := range slices.Sorted(maps.Keys(c.targets)) {
		for i, p := range c.targets[d] {
			mayRefuse = mayRefuse || s.kinds[p] != 0 && !widens(kinds[i], s.kinds[p])
			if seen[p] {
				refuse = "two results of one target"
			}
			seen[p] = true
		}
	}
	if want != nil && refuse == "" {
		q.refill(want, kinds)
		for _, row := range want.rows {
			for i, v := range row.vals {
				if v.IsNull() {
					continue
				}
				p := c.targets[row.device][i]
				if have := s.kinds[p]; have != 0 && have != v.Kind() {
					if !widens(v.Kind(), have) {
						refuse = "kind of " + p
						continue
					}
					if have == tickwell.KindInt64 {
						v = tickwell.Int64Value(v.Int64())
					} else {
						v = numberAs(have, v.Float64())
					}
				}
				written[row.device+" "+p]++
				if after[p] == nil {
					after[p] = cells{}
				}
				after[p][row.t] = v
			}
		}
	}
	text := q.sql()
	text = strings.Replace(text, " from root.", c.sql()+" from root.", 1)
	got := map[string]int{}
	note := func(vals []value) {
		d := ""
		if q.byDevice {
			d, vals = vals[0].Text(), vals[1:]
		}
		if n := vals[2].Int64(); n > 0 {
			got[d+" "+vals[1].Text()] += int(n)
		}
	}
	if s.rng.IntN(2) == 0 {
		query.Into = c.into
		if res, err = s.db.Query(ctx, query); err == nil {
			var all []*tickwell.Tablet
			if all, err = res.Collect(); err == nil {
				for _, t := range all {
					for i := range t.Times {
						var vals []value
						for c := range t.Columns {
							vals = append(vals, t.Row(i).Value(c))
						}
						note(vals)
					}
				}
			}
		}
	} else {
		sql, e := s.conn.Exec(ctx, text)
		if err = e; err == nil {
			for r, e := range sql.Rows() {
				if e != nil {
					err = e
					break
				}
				note(slices.Clone(r))
			}
		}
	}
	held := s.held()
	for p := range held {
		if strings.HasPrefix(p, "root.other.") {
			delete(held, p)
		}
	}
	fail := func(format string, args ...any) {
		s.t.Helper()
		s.t.Fatalf("%s\n%s\n%v\nwant:\n%v", text, fmt.Sprintf(format, args...), c.targets, want)
	}
	switch {
	case err != nil && refuse == "" && !mayRefuse && want != nil:
		fail("%v", err)
	case err == nil && refuse != "":
		fail("not refused: %s", refuse)
	case err != nil:
		refused[err.Error()]++
		if d := differ(s.points, held); d != "" {
			fail("refused (%v), but %s", err, d)
		}
	case want != nil:
		if d := differ(after, held); d != "" {
			fail("%s", d)
		}
		if !maps.Equal(written, got) {
			fail("written %v, want %v", got, written)
		}
	}
	s.points = held // to the bit: sums may be rounded otherwise
	s.list()
}

// What SELECT INTO writes is what the query gives, and nothing if it fails.
func TestSelectIntoAgainstReference(t *testing.T) {
	const questions = 25
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	refused := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, pickOf(rand.New(rand.NewPCG(seed, 1)), time.Nanosecond, time.Nanosecond, time.Microsecond))
			s.tables = s.rng.IntN(2) == 0
			for i := range questions {
				s.copy(s.question(), refused)
				switch i % 12 {
				case 3:
					s.write()
				case 7:
					s.erase()
				case 9:
					s.check(s.db.Flush(context.Background()))
				case 11:
					s.reopen(true)
				}
				if i%4 == 3 {
					s.try(s.question(), refused)
				}
			}
		})
	}
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}
