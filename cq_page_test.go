package tickwell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// streamPage inserts each row of the page at its own time under the clock and
// lets what is due run before the next one.
func streamPage(t testing.TB, db *DB, clock interface {
	Advance(time.Duration)
	Now() time.Time
}, until string) {
	t.Helper()
	ctx := context.Background()
	step := func(at time.Time) {
		clock.Advance(at.Sub(clock.Now()))
		must(t, db.Quiesce(ctx))
	}
	for _, r := range pageRows {
		step(pageTime(r.at))
		pageInsert(t, db, r.at, r.at+"~")
	}
	step(pageTime(until))
}

// renderDevices prints a run over several devices, a line per device.
func renderDevices(i CQRunInfo, column string) string {
	zone := time.FixedZone("", 8*3600)
	const clock = "15:04:05"
	lines := []string{fmt.Sprintf("at %s [%s, %s)", i.At.In(zone).Format(clock), i.Start.In(zone).Format(clock), i.End.In(zone).Format(clock))}
	for _, t := range i.Rows {
		s := t.Device
		for r := range t.Rows() {
			s += fmt.Sprintf(" %s=%s", time.Unix(0, r.UnixNano()).In(zone).Format("05.000"), r.Get(column))
		}
		lines = append(lines, s)
	}
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n")
}

// stored prints a column of the devices of the page by time, in the page's
// order of devices.
func storedByTime(t testing.TB, db *DB, column string) []string {
	t.Helper()
	zone := time.FixedZone("", 8*3600)
	var q Query
	for _, d := range []string{"root.ln.wf02.wt02", "root.ln.wf02.wt01", "root.ln.wf01.wt02", "root.ln.wf01.wt01"} {
		q.Select = append(q.Select, expr.Col(d+"."+column))
	}
	res, err := db.Query(context.Background(), q)
	must(t, err)
	var out []string
	for r, err := range res.Rows() {
		must(t, err)
		s := time.Unix(0, r.UnixNano()).In(zone).Format("15:04:05")
		for c := range 4 {
			s += " " + r.Value(c).String()
		}
		out = append(out, s)
	}
	return out
}

// The examples cq1 to cq4 of the page: per-run tables and what is stored in the
// end. Of the runs only those that the page prints are compared.
func TestCQExamplesOfThePage(t *testing.T) {
	maxBy10s := func(fill float64) Query {
		q := Query{
			Select: []expr.Expr{expr.Call("max_value", expr.Col("temperature"))}, From: []string{"root.ln.*.*"},
			GroupBy: GroupByTime{Interval: 10 * time.Second}, Into: pageInto,
		}
		if fill != 0 {
			q.Fill.Value = Float64Value(fill)
		}
		return q
	}
	const (
		r1800 = "22:18:00 100 100 100 100"
		r1810 = "22:18:10 121 72 183 115"
		r1820 = "22:18:20 122 45 59 181"
		r1830 = "22:18:30 182 113 52 180"
		r1840 = "22:18:40 137 172 135 193"
		r1850 = "22:18:50 16 124 183 18"
	)
	for _, c := range []struct {
		spec   CQSpec
		runs   []string
		stored []string
	}{
		{
			CQSpec{Name: "cq1", Every: 20 * time.Second, Query: maxBy10s(0)},
			[]string{
				"at 22:18:40 [22:18:20, 22:18:40) | " + r1820 + " | " + r1830,
				"at 22:19:00 [22:18:40, 22:19:00) | " + r1840 + " | " + r1850,
			},
			[]string{r1820, r1830, r1840, r1850},
		},
		{
			CQSpec{Name: "cq2", StartOffset: 40 * time.Second, Query: maxBy10s(0)},
			[]string{
				"at 22:18:40 [22:18:00, 22:18:40) | " + r1810 + " | " + r1820 + " | " + r1830,
				"at 22:18:50 [22:18:10, 22:18:50) | " + r1810 + " | " + r1820 + " | " + r1830 + " | " + r1840,
				"at 22:19:00 [22:18:20, 22:19:00) | " + r1820 + " | " + r1830 + " | " + r1840 + " | " + r1850,
			},
			[]string{r1810, r1820, r1830, r1840, r1850},
		},
		{
			CQSpec{Name: "cq3", Every: 20 * time.Second, StartOffset: 40 * time.Second, Query: maxBy10s(100)},
			[]string{
				"at 22:18:40 [22:18:00, 22:18:40) | " + r1800 + " | " + r1810 + " | " + r1820 + " | " + r1830,
				"at 22:19:00 [22:18:20, 22:19:00) | " + r1820 + " | " + r1830 + " | " + r1840 + " | " + r1850,
			},
			[]string{r1800, r1810, r1820, r1830, r1840, r1850},
		},
		{
			CQSpec{Name: "cq4", Every: 20 * time.Second, StartOffset: 40 * time.Second, EndOffset: 20 * time.Second, Query: maxBy10s(100)},
			[]string{
				"at 22:18:40 [22:18:00, 22:18:20) | " + r1800 + " | " + r1810,
				"at 22:19:00 [22:18:20, 22:18:40) | " + r1820 + " | " + r1830,
			},
			[]string{r1800, r1810, r1820, r1830},
		},
	} {
		t.Run(c.spec.Name, func(t *testing.T) {
			clock := newFake()
			clock.Set(pageTime("22:18:14.000"))
			var runs []string
			db := openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(i CQRunInfo) { runs = append(runs, renderRun(i)) }}})
			// The page's runs begin at 22:18:40; what an earlier run writes is not in its tables.
			c.spec.Boundary = pageTime("22:18:40.000")
			must(t, db.CreateContinuousQuery(context.Background(), c.spec))
			streamPage(t, db, clock, "22:19:00.000")
			if !slices.Equal(runs, c.runs) {
				t.Errorf("runs:\n%s\nwant:\n%s", strings.Join(runs, "\n"), strings.Join(c.runs, "\n"))
			}
			if got := storedByTime(t, db, "temperature_max"); !slices.Equal(got, c.stored) {
				t.Errorf("stored:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.stored, "\n"))
			}
		})
	}
}

// cq5 of the page: no GROUP BY, the template :: and ALIGN BY DEVICE. The page
// prints 45.0 where the source 42 gives 43.
func TestCQ5OfThePage(t *testing.T) {
	clock := newFake()
	clock.Set(pageTime("22:18:14.000"))
	var runs []string
	db := openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(i CQRunInfo) { runs = append(runs, renderDevices(i, "temperature")) }}})
	must(t, db.CreateContinuousQuery(context.Background(), CQSpec{Name: "cq5", Every: 20 * time.Second, Boundary: pageTime("22:18:40.000"), Query: Query{
		Select: []expr.Expr{expr.Col("temperature").Add(1)}, From: []string{"root.ln.*.*"}, AlignByDevice: true,
		Into: []Target{{Device: "root.precalculated_sg.::", Columns: []string{"temperature"}}},
	}}))
	streamPage(t, db, clock, "22:19:00.000")
	want := []string{
		`at 22:18:40 [22:18:20, 22:18:40)
root.precalculated_sg.wf01.wt01 24.949=15 29.967=182 34.979=181 39.990=20
root.precalculated_sg.wf01.wt02 24.949=12 29.967=60 34.979=30 39.990=53
root.precalculated_sg.wf02.wt01 24.949=46 29.967=15 34.979=114 39.990=12
root.precalculated_sg.wf02.wt02 24.949=123 29.967=48 34.979=183 39.990=43`,
		`at 22:19:00 [22:18:40, 22:19:00)
root.precalculated_sg.wf01.wt01 44.995=53 49.999=194 55.003=19
root.precalculated_sg.wf01.wt02 44.995=124 49.999=136 55.003=184
root.precalculated_sg.wf02.wt01 44.995=39 49.999=173 55.003=125
root.precalculated_sg.wf02.wt02 44.995=79 49.999=138 55.003=17`,
	}
	if !slices.Equal(runs, want) {
		t.Errorf("runs:\n%s\nwant:\n%s", strings.Join(runs, "\n"), strings.Join(want, "\n"))
	}
	var stored []string
	for _, r := range pageRows[2:] {
		stored = append(stored, fmt.Sprintf("root.precalculated_sg.wf02.wt02.temperature@%d=%v", pageTime(r.at).UnixNano(), r.wf02wt02+1))
	}
	wantDump(t, db, "root.precalculated_sg.wf02.wt02.*", stored...)
	if got := len(dump(t, db, "root.precalculated_sg.**")); got != 28 {
		t.Errorf("%d points stored, want 28", got)
	}
}

// The tables of IoTDBCQExecIT: s1 is 1 to 10 every half second from st; the
// first run is at st + 3 s. Looked at 5 s after it.
func TestCQExecutionTables(t *testing.T) {
	st := time.Unix(1_700_000_000, 0)
	byMax := Query{
		Select: []expr.Expr{expr.Call("max_value", expr.Col("s1"))}, From: []string{"root.sg.d1"},
		GroupBy: GroupByTime{Interval: time.Second}, Into: []Target{{Device: "root.sg.d1", Columns: []string{"s1_max"}}},
	}
	filled := byMax
	filled.Fill.Value = Int64Value(100)
	plus := Query{
		Select: []expr.Expr{expr.Col("s1").Add(1)}, From: []string{"root.sg.d1"},
		Into: []Target{{Device: "root.sg.d1", Columns: []string{"s1_max"}}},
	}
	const sec = time.Second
	for i, c := range []struct {
		spec CQSpec
		want []string
	}{
		{CQSpec{Every: 2 * sec, Query: byMax}, []string{"1000:4", "2000:6", "3000:8", "4000:10"}},
		{CQSpec{StartOffset: 4 * sec, Query: byMax}, []string{"0:2", "1000:4", "2000:6", "3000:8", "4000:10"}},
		{CQSpec{Every: 2 * sec, StartOffset: 4 * sec, Query: filled}, []string{"-1000:100", "0:2", "1000:4", "2000:6", "3000:8", "4000:10", "5000:100", "6000:100"}},
		{CQSpec{Every: 2 * sec, StartOffset: 2 * sec, EndOffset: sec, Query: byMax}, []string{"1000:4", "3000:8"}},
		{CQSpec{Every: 2 * sec, StartOffset: 4 * sec, Query: plus}, []string{"0:2", "500:3", "1000:4", "1500:5", "2000:6", "2500:7", "3000:8", "3500:9", "4000:10", "4500:11"}},
	} {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			ctx := context.Background()
			clock := newFake()
			clock.Set(st.Add(-sec))
			db := openMem(t, &Options{Clock: clock})
			c.spec.Name, c.spec.Boundary = "s1_max_cq", st.Add(3*sec)
			must(t, db.CreateContinuousQuery(ctx, c.spec))
			for n := range 10 {
				must(t, db.Insert(ctx, "root.sg.d1", st.Add(time.Duration(n)*sec/2), Int64("s1", int64(n+1))))
			}
			for range 9 { // to st + 8 s
				clock.Advance(sec)
				must(t, db.Quiesce(ctx))
			}
			res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Col("root.sg.d1.s1_max")}})
			must(t, err)
			var got []string
			for r, err := range res.Rows() {
				must(t, err)
				got = append(got, fmt.Sprintf("%d:%s", time.Unix(0, r.UnixNano()).Sub(st).Milliseconds(), r.Value(0)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("stored %v, want %v", got, c.want)
			}
		})
	}
}

// When the first run is due: at the boundary, or a whole number of periods
// after it.
func TestCQFirstExecution(t *testing.T) {
	for _, c := range []struct{ now, boundary, every, want int64 }{
		{100, 0, 30, 120}, {100, 110, 30, 110}, {90, 0, 30, 90}, {100, 100, 30, 100}, {0, 200, 30, 200}, {131, 100, 30, 160},
	} {
		clock := newFake()
		clock.Set(time.Unix(c.now, 0))
		var first []CQRunInfo
		db := openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(i CQRunInfo) { first = append(first, i) }}})
		spec := CQSpec{Name: "n", Every: time.Duration(c.every) * time.Second, Query: Query{
			Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.d"}, Into: []Target{{Device: "root.out", Columns: []string{"n"}}},
		}}
		if c.boundary != 0 {
			spec.Boundary = time.Unix(c.boundary, 0)
		}
		must(t, db.CreateContinuousQuery(context.Background(), spec))
		for range 250 {
			must(t, db.Quiesce(context.Background()))
			if len(first) > 0 {
				break
			}
			clock.Advance(time.Second)
		}
		if len(first) == 0 || first[0].At.Unix() != c.want || first[0].Start.Unix() != c.want-c.every || first[0].End.Unix() != c.want {
			t.Errorf("now %d, boundary %d, every %d: first run %+v, want at %d", c.now, c.boundary, c.every, first, c.want)
		}
	}
}
