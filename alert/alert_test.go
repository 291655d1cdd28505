package alert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/tickwelltest"
	"github.com/tickwell/tickwell/vfs"
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// bench is a store on a fake clock with one rule, and the events it has sent.
type bench struct {
	t     *testing.T
	clk   *tickwelltest.Clock
	fs    vfs.FS
	rule  alert.Rule
	db    *tickwell.DB
	lines []string
	ids   []string

	values bool // lines tell them
}

func newBench(t *testing.T, rule alert.Rule) *bench {
	b := &bench{t: t, clk: tickwelltest.NewClock(begin), fs: vfs.NewMem(), rule: rule}
	b.open()
	t.Cleanup(func() { b.db.Close() })
	return b
}

func (b *bench) open() {
	db, err := tickwell.Open(context.Background(), "data", &tickwell.Options{
		FS: b.fs, Clock: b.clk, Seed: 1, Logger: slog.New(slog.DiscardHandler), Sync: tickwell.SyncAlways(), CheckTriggers: true,
		OnTriggerError: func(e *tickwell.TriggerError) { b.t.Errorf("the rule failed: %v", e) },
		Sinks: []tickwell.SinkSpec{{Name: "s", Sink: tickwell.SinkFunc(func(_ context.Context, es []tickwell.Event) error {
			for i := range es {
				l := line(es[i])
				if b.values {
					l += " " + es[i].Get("value").String()
				}
				b.lines, b.ids = append(b.lines, l), append(b.ids, es[i].ID)
			}
			return nil
		})}},
		Triggers: []tickwell.TriggerSpec{b.rule.Spec("root.d.*")},
	})
	b.must(err)
	b.db = db
}

func line(e tickwell.Event) string {
	return fmt.Sprintf("%s@%g", e.Status, e.Time.Sub(begin).Seconds())
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// to moves the clock to a second, in steps, as time passes.
func (b *bench) to(sec float64) {
	b.t.Helper()
	for {
		left := begin.Add(time.Duration(sec * 1e9)).Sub(b.clk.Now())
		if left <= 0 {
			break
		}
		b.clk.Advance(min(left, 250*time.Millisecond))
		b.must(b.db.Quiesce(context.Background()))
	}
}

func (b *bench) put(sec, v float64) {
	b.t.Helper()
	b.must(b.db.Insert(context.Background(), "root.d", begin.Add(time.Duration(sec*1e9)), tickwell.Float64("s", v)))
	b.must(b.db.Quiesce(context.Background()))
}

func (b *bench) reopen() {
	b.must(b.db.Close())
	b.open()
	b.clk.Advance(0)
	b.must(b.db.Quiesce(context.Background()))
}

func (b *bench) want(want string) {
	b.t.Helper()
	if got := strings.Join(b.lines, " "); got != want {
		b.t.Errorf("events %s\n  want %s", got, want)
	}
}

var sequences = []struct {
	name   string
	rule   alert.Rule
	points string // second:value …; "r" reopens the store; the last second:- is the end
	want   string
}{
	{"above", alert.Rule{Condition: alert.Above(80, 80)}, "0:50 1:80 2:81 3:99 4:80 5:50 6:90 9:-", "firing@2 resolved@4 firing@6"},
	{"hysteresis", alert.Rule{Condition: alert.Above(80, 75)}, "0:79 1:81 2:78 3:82 4:76 5:75 6:79 7:81 9:-", "firing@1 resolved@5 firing@7"},
	{"below", alert.Rule{Condition: alert.Below(10, 12)}, "0:10 1:9 2:11 3:12 4:11 9:-", "firing@1 resolved@3"},
	{"outside", alert.Rule{Condition: alert.Outside(0, 10, 1)}, "0:5 1:-1 2:0.5 3:11 4:9.5 5:9 9:-", "firing@1 resolved@5"},
	{"nan", alert.Rule{Condition: alert.Above(80, 80)}, "0:90 1:nan 2:70 3:nan 4:90 9:-", "firing@0 resolved@2 firing@4"},
	{"late", alert.Rule{Condition: alert.Above(80, 80)}, "5:90 4:10 5:10 6:91 7:10 6.5:99 9:-", "firing@5 resolved@7"},

	{"for, held by points", alert.Rule{Condition: alert.Above(80, 80), For: 3 * time.Second}, "0:90 1:90 2:90 3:90 4:90 5:10 9:-", "firing@3 resolved@5"},
	{"for, interrupted", alert.Rule{Condition: alert.Above(80, 80), For: 3 * time.Second}, "0:90 2:10 3:90 5:10 6:90 8:90 8.5:10 20:-", ""},
	{"for, silence", alert.Rule{Condition: alert.Above(80, 80), For: 3 * time.Second}, "0:90 9:-", "firing@3"},
	{"for, over restart", alert.Rule{Condition: alert.Above(80, 80), For: 3 * time.Second}, "0:90 r 2:90 r 9:- r", "firing@3"},
	{"for, with hysteresis", alert.Rule{Condition: alert.Above(80, 70), For: 3 * time.Second}, "0:90 1:75 2:75 4:75 5:70 9:-", "firing@3 resolved@5"},

	{"keep", alert.Rule{Condition: alert.Above(80, 80), KeepFiring: 4 * time.Second}, "0:90 1:10 3:90 4:10 5:10 20:-", "firing@0 resolved@8"},
	{"keep, restart", alert.Rule{Condition: alert.Above(80, 80), KeepFiring: 4 * time.Second}, "0:90 1:10 r 20:-", "firing@0 resolved@5"},
	{"for and keep", alert.Rule{Condition: alert.Above(80, 80), For: 2 * time.Second, KeepFiring: 3 * time.Second}, "0:90 2:90 3:10 4:90 5:10 12:90 15:10 30:-", "firing@2 resolved@8 firing@14 resolved@18"},

	{"absent", alert.Rule{Absent: 5 * time.Second}, "0:1 3:1 7:1 20:1 30:-", "firing@12 resolved@20 firing@25"},
	{"absent, all stops, restart", alert.Rule{Absent: 5 * time.Second}, "0:1 r 30:- r", "firing@5"},
	{"absent, backfill does not clear", alert.Rule{Absent: 5 * time.Second}, "0:1 20:- 2:1 3:1 21:- 20.5:1 24:-", "firing@5 resolved@20.5"},
	{"never seen", alert.Rule{Absent: 5 * time.Second}, "60:-", ""},

	{"flapping", alert.Rule{Condition: alert.Above(80, 80), FlapChanges: 3, FlapWithin: 10 * time.Second},
		"0:90 1:10 2:90 3:10 4:90 5:10 6:90 30:- 31:10 60:-", "firing@0 resolved@1 firing@2 resolved@31"},
	{"flapping, ends otherwise", alert.Rule{Condition: alert.Above(80, 80), FlapChanges: 3, FlapWithin: 10 * time.Second},
		"0:90 1:10 2:90 3:10 r 4:90 5:10 30:-", "firing@0 resolved@1 firing@2 resolved@12"},
	{"rate limit", alert.Rule{Condition: alert.Above(80, 80), MinInterval: 10 * time.Second}, "0:90 1:10 2:90 3:10 r 30:-", "firing@0 resolved@10"},
	{"rate limit, no news", alert.Rule{Condition: alert.Above(80, 80), MinInterval: 10 * time.Second}, "0:90 1:10 2:90 30:-", "firing@0"},
}

func TestSequences(t *testing.T) {
	for _, c := range sequences {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name = "rule"
			b := newBench(t, c.rule)
			for p := range strings.FieldsSeq(c.points) {
				if p == "r" {
					b.reopen()
					continue
				}
				at, v, _ := strings.Cut(p, ":")
				sec, err := strconv.ParseFloat(at, 64)
				b.must(err)
				b.to(sec)
				if v == "-" {
					continue
				}
				f := math.NaN()
				if v != "nan" {
					f, err = strconv.ParseFloat(v, 64)
					b.must(err)
				}
				b.put(sec, f)
			}
			b.want(c.want)
		})
	}
}

// The state survives being reopened before every point, and a backtest of the
// stored points gives the same events, for sequences in order.
func TestSequencesRestartedAndBacktested(t *testing.T) {
	for _, c := range sequences {
		if c.name == "late" || strings.Contains(c.name, "backfill") || c.name == "never seen" {
			continue // history has lost the order
		}
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name = "rule"
			b := newBench(t, c.rule)
			end := 0.0
			for p := range strings.FieldsSeq(c.points) {
				b.reopen()
				at, v, _ := strings.Cut(p, ":")
				sec, err := strconv.ParseFloat(at, 64)
				if err != nil {
					continue
				}
				b.to(sec)
				end = sec
				f := math.NaN()
				if v != "nan" && v != "-" {
					f, err = strconv.ParseFloat(v, 64)
					b.must(err)
				}
				if v != "-" {
					b.put(sec, f)
				}
			}
			b.want(c.want)
			events, err := b.db.Backtest(context.Background(), c.rule.Spec("root.d.*"), time.Time{}, begin.Add(time.Duration(end*1e9)))
			b.must(err)
			var got []string
			for _, e := range events {
				got = append(got, line(e))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("backtest %s\n  want %s", strings.Join(got, " "), c.want)
			}
		})
	}
}

// Each series is judged by itself; text series only by absence.
func TestManySeries(t *testing.T) {
	b := newBench(t, alert.Rule{Name: "many", Condition: alert.Above(80, 80), For: time.Second, Labels: map[string]string{"severity": "critical"}, Notes: map[string]string{"summary": "{{.series}} is high"}})
	var events []tickwell.Event
	b.must(b.db.AddSink(context.Background(), tickwell.SinkSpec{Name: "all", Sink: tickwell.SinkFunc(func(_ context.Context, es []tickwell.Event) error {
		events = append(events, es...)
		return nil
	})}))
	b.must(b.db.Insert(context.Background(), "root.d", begin, tickwell.Float64("a", 90), tickwell.Int32("b", 91), tickwell.Text("c", "99"), tickwell.Int64("d", 5), tickwell.Bool("e", true)))
	b.to(5)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(e.Series, " ", e.Labels, " ", e.Notes, " ", e.Get("value")))
	}
	slices.Sort(got)
	want := []string{
		"root.d.a map[alertname:many series:root.d.a severity:critical] map[summary:{{.series}} is high] 90",
		"root.d.b map[alertname:many series:root.d.b severity:critical] map[summary:{{.series}} is high] 91",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestValidate(t *testing.T) {
	db, err := tickwell.Open(context.Background(), "", &tickwell.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	above := alert.Above(1, 1)
	for name, r := range map[string]alert.Rule{
		"nothing": {Name: "n"}, "both": {Name: "n", Condition: above, Absent: 1}, "half": {Name: "n", Condition: alert.If(func(float64) bool { return true }, nil)},
		"negative": {Name: "n", Condition: above, For: -1}, "absent for": {Name: "n", Absent: 1, For: 1}, "flap": {Name: "n", Condition: above, FlapChanges: 1},
	} {
		if err := db.CreateTrigger(context.Background(), r.Spec("root.**")); !errors.Is(err, tickwell.ErrBadInput) {
			t.Errorf("%s: got %v, want ErrBadInput", name, err)
		}
	}
}
