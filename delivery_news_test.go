package tickwell

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/deliver"
)

// logLines is what a logger has written, without times.
func logLines(b *bytes.Buffer) []string {
	var out []string
	for line := range strings.Lines(b.String()) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), " level=")
		out = append(out, line)
	}
	return out
}

func requireLines(t *testing.T, log *bytes.Buffer, want ...string) {
	t.Helper()
	if small { // writes to the standard logger
		return
	}
	got := logLines(log)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("log:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// emitEach sends an event for each row of root.d.
func emitEach(note string, sinks ...string) TriggerSpec {
	return TriggerSpec{Name: "t", Pattern: "root.d.v", When: BeforeInsert, Sinks: sinks, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
		f.Emit(Event{Series: "root.d.v", Time: ns(f.Times[0]), Fields: []Field{Text("note", note)}})
		return nil
	})}
}

// The log tells of events that are given up: at once, and what follows a minute
// later. And that a sink which failed works again.
func TestLogOfDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var answer atomic.Value
		answer.Store(func() error { return deliver.Permanent(errors.New("400")) })
		db := openMem(t, &Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)), Triggers: []TriggerSpec{emitEach("x")},
			Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error { return answer.Load().(func() error)() })}},
		})
		put := func(at int64) {
			must(t, db.Insert(t.Context(), "root.d", ns(at), Bool("v", true)))
		}
		for i := range int64(4) {
			put(i)
			must(t, db.Quiesce(t.Context()))
		}
		time.Sleep(150 * time.Second)
		put(4)
		must(t, db.Quiesce(t.Context()))
		put(5)
		must(t, db.Quiesce(t.Context()))
		answer.Store(func() error { return errors.New("503") })
		put(6)
		time.Sleep(20 * time.Millisecond)
		answer.Store(func() error { return nil })
		must(t, db.Quiesce(t.Context()))
		must(t, db.Close())
		requireLines(t, &log,
			`WARN msg="events are given up, and kept as dead letters" sink=s events=1 reason=permanent cause="permanent: 400" id=t|root.d.v|0|0|0`,
			`WARN msg="events are given up, and kept as dead letters" sink=s events=3 reason=permanent cause="permanent: 400" id=t|root.d.v|3|0|0`,
			`WARN msg="events are given up, and kept as dead letters" sink=s events=1 reason=permanent cause="permanent: 400" id=t|root.d.v|4|0|0`,
			`INFO msg="sink is degraded" sink=s cause=503`,
			`INFO msg="sink is ok" sink=s cause=""`,
			`WARN msg="events are given up, and kept as dead letters" sink=s events=1 reason=permanent cause="permanent: 400" id=t|root.d.v|5|0|0`,
		)
	})
}

// A sink that fails now and then is told of once a minute, and a trouble that
// lasts is not kept from the log.
func TestLogOfFlappingSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		db := openMem(t, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		news := &deliveryNews{db: db, sink: "s"}
		for range 10 {
			news.health(deliver.Degraded, "503")
			news.health(deliver.OK, "")
			time.Sleep(time.Second)
		}
		news.health(deliver.Degraded, "504")
		time.Sleep(2 * time.Minute)
		news.health(deliver.OK, "")
		news.health(deliver.Stopped, "")
		requireLines(t, &log,
			`INFO msg="sink is degraded" sink=s cause=503`,
			`INFO msg="sink is ok" sink=s cause=""`,
			`INFO msg="sink is degraded" sink=s cause=504`,
			`INFO msg="sink is ok" sink=s cause=""`,
		)
	})
}

// A sink that is added again has lost nothing yet.
func TestLogOfSinkAddedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := Edge()
		p.OutboxBytes = 20 << 10
		many := TriggerSpec{Name: "t", Pattern: "root.d.v", When: BeforeInsert, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			for i := range int64(300) {
				f.Emit(Event{Series: "root.d.v", Time: ns(i), Fields: []Field{Text("n", strings.Repeat("x", 200))}})
			}
			return nil
		})} // in one record: events are dropped before any is handed out
		down := SinkFunc(func(context.Context, []Event) error { return errors.New("down") })
		db := openMem(t, &Options{
			Profile: p, Logger: slog.New(slog.NewTextHandler(&log, nil)), Triggers: []TriggerSpec{many},
			Sinks: []SinkSpec{{Name: "s", Sink: down}},
		})
		must(t, db.Insert(t.Context(), "root.d", ns(1), Bool("v", true)))
		time.Sleep(time.Second)
		if n := db.Stats().Sinks[0].Dropped; n == 0 {
			t.Fatal("nothing was dropped")
		}
		must(t, db.DropSink(t.Context(), "s"))
		log.Reset()
		must(t, db.AddSink(t.Context(), SinkSpec{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error { return nil })}))
		time.Sleep(time.Second)
		if n := db.Stats().Sinks[0].Dropped; n != 0 {
			t.Errorf("the new sink has lost %d", n)
		}
		must(t, db.Close())
		requireLines(t, &log)
	})
}

// The log tells that the outbox is full and loses events.
func TestLogOfFullOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := Edge()
		p.OutboxBytes = 20 << 10
		db := openMem(t, &Options{
			Profile: p, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})),
			Triggers: []TriggerSpec{emitEach(strings.Repeat("x", 200))},
			Sinks:    []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error { return errors.New("down") })}},
		})
		for i := range int64(300) {
			must(t, db.Insert(t.Context(), "root.d", ns(i), Bool("v", true)))
		}
		time.Sleep(10 * time.Minute)
		if n := db.Stats().Sinks[0].Dropped; n == 0 {
			t.Fatal("nothing was dropped")
		}
		must(t, db.Close())
		if small { // writes to the standard logger
			return
		}
		lines := logLines(&log)
		if len(lines) == 0 || !strings.HasPrefix(lines[0], `ERROR msg="the outbox is full: its oldest events are lost" sink=s events=`) || len(lines) > 2 {
			t.Errorf("log:\n%s", strings.Join(lines, "\n"))
		}
	})
}

// A broker that is away for three weeks, while the full outbox loses events all the time,
// costs six hundred lines and not thirty thousand; when it is away again later that is
// told at once and after a minute.
func TestLogOfLongOutage(t *testing.T) {
	for _, every := range []time.Duration{10 * time.Second, time.Minute, 61 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			db := openMem(t, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			news := &deliveryNews{db: db, sink: "s"}
			lost, told := int64(0), 0
			for range int(21 * 24 * time.Hour / every) {
				lost++
				news.full(lost)
				time.Sleep(every)
			}
			synctest.Wait()
			for range 2 {
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				told = len(logLines(&log))
				news.full(lost + 1)
				news.full(lost + 2)
				lost += 2
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if got := len(logLines(&log)) - told; got != 2 && !small {
					t.Errorf("%v: %d lines of a new loss", every, got)
				}
			}
			news.health(deliver.Stopped, "")
			if lines := logLines(&log); (len(lines) > 610 || len(lines) < 21*24) && !small {
				t.Errorf("%v: %d lines", every, len(lines))
			}
			all := int64(0)
			for _, line := range logLines(&log) {
				_, n, _ := strings.Cut(line, "events=")
				k, err := strconv.ParseInt(n, 10, 64)
				must(t, err)
				all += k
			}
			if all != lost && !small {
				t.Errorf("%v: %d events were told of, %d lost", every, all, lost)
			}
			must(t, db.Close())
		})
	}
}

// What a full outbox loses does not come through: of a target that is away nobody is told
// that its backlog is gone in a minute.
func TestDrainOfFullOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Edge()
		p.OutboxBytes = 20 << 10
		db := openMem(t, &Options{
			Profile: p, Logger: slog.New(slog.DiscardHandler), Triggers: []TriggerSpec{emitEach(strings.Repeat("x", 200))},
			Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error { return errors.New("down") })}},
		})
		for i := range int64(300) {
			must(t, db.Insert(t.Context(), "root.d", ns(i), Bool("v", true)))
			time.Sleep(time.Second)
		}
		if s := db.Stats().Sinks[0]; s.Dropped == 0 || s.Drain != -1 || s.Backlog == 0 {
			t.Errorf("%d dropped, %d wait, drain %v", s.Dropped, s.Backlog, s.Drain)
		}
		must(t, db.Close())
	})
}

// An incremental query that cannot be planned any more says so in the log, too.
func TestLogOfUnplannedQuery(t *testing.T) {
	for name, group := range map[string]GroupBy{"time": GroupByTime{Interval: time.Second}, "session": GroupBySession{Gap: time.Second}} {
		t.Run(name, func(t *testing.T) {
			if small && name == "session" {
				t.Skip("left out")
			}
			var log bytes.Buffer
			db := openMem(t, &Options{Clock: newFake(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
			must(t, db.CreateContinuousQuery(t.Context(), CQSpec{Name: "n", OnChange: true, Query: Query{
				Select: []expr.Expr{expr.Sum(expr.Col("v"))}, From: []string{"root.in.*"}, GroupBy: group,
				Into: []Target{{Device: "root.out", Columns: []string{"n", "of too many"}}},
			}}))
			must(t, db.Insert(t.Context(), "root.in.d", ns(1), Float64("v", 1)))
			must(t, db.Quiesce(t.Context()))
			must(t, db.Close())
			requireLines(t, &log, `WARN msg="continuous query failed" cq=n err="tickwell: query: select into: the number of source columns and the number of target paths should be the same: 1 and 2: bad input"`)
		})
	}
}

// What a changed program has left behind in a store is told when it is opened.
func TestLogOfLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		refuse := func(context.Context, []Event) error { return deliver.Permanent(errors.New("400")) }
		db := openDir(t, dir, &Options{
			Triggers: []TriggerSpec{emitEach("x")},
			Sinks: []SinkSpec{{Name: "dead", Sink: SinkFunc(refuse)}, {Name: "s", Sink: SinkFunc(func(ctx context.Context, events []Event) error {
				if events[0].Time.Equal(ns(1)) {
					return refuse(ctx, events)
				}
				return errors.New("down")
			})}},
			ContinuousQueries: []CQSpec{{Name: "own", Every: time.Second, Query: cqFunc(func(context.Context, *CQRun) error { return nil })},
				{Name: "plain", Query: Query{Select: countEvery("n", time.Second).Query.(Query).Select, From: []string{"root.in.*"},
					GroupBy: GroupByTime{Interval: time.Second}, Into: []Target{{Device: "root.out", Columns: []string{"n"}}}}}},
		})
		for at := range int64(2) {
			must(t, db.Insert(t.Context(), "root.d", ns(at+1), Bool("v", true)))
			time.Sleep(time.Minute)
		}
		must(t, db.Close())
		var log bytes.Buffer
		opts := &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		db = openDir(t, dir, opts)
		must(t, db.Close())
		requireLines(t, &log,
			`INFO msg="trigger of an earlier start is not there yet" trigger=t err="it was made by value (tickwell.TriggerFunc): create it again, or give it a class"`,
			`INFO msg="continuous query of an earlier start is not there yet" cq=own err="`+errNotCreated.Error()+`"`,
			`INFO msg="sink of an earlier start is not there yet" sink=dead events=0 "dead letters"=2`,
			`INFO msg="sink of an earlier start is not there yet" sink=s events=1 "dead letters"=1`,
		)
		log.Reset()
		opts.ReadOnly = true
		db = openDir(t, dir, opts)
		must(t, db.Close())
		requireLines(t, &log)
	})
}

// hangingHandler is a logger that hangs at lines with some text until it is let go,
// and then ends the goroutine.
type hangingHandler struct {
	slog.Handler
	at    string
	hangs chan struct{}
}

func (h hangingHandler) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, h.at) {
		<-h.hangs
		defer runtime.Goexit()
	}
	return h.Handler.Handle(ctx, r)
}

// A logger that hangs holds up neither a sink nor its dead letters, nor does one
// that ends the goroutine keep later lines from the log; all are there when the
// store is closed.
func TestLogHangsForDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		release := make(chan struct{})
		db := openMem(t, &Options{
			Logger:   slog.New(hangingHandler{slog.NewTextHandler(&log, nil), "given up", release}),
			Triggers: []TriggerSpec{emitEach("x")},
			Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error {
				return deliver.Permanent(errors.New("400"))
			})}},
		})
		for i := range int64(3) {
			must(t, db.Insert(t.Context(), "root.d", ns(i), Bool("v", true)))
			must(t, db.Quiesce(t.Context()))
		}
		if !small {
			if log.Len() > 0 {
				t.Errorf("the logger that hangs has written %s", &log)
			}
		}
		if n := db.Stats().Sinks[0].DeadLetters; n != 3 {
			t.Errorf("%d dead letters, want 3", n)
		}
		close(release)
		must(t, db.Close())
		requireLines(t, &log,
			`WARN msg="events are given up, and kept as dead letters" sink=s events=1 reason=permanent cause="permanent: 400" id=t|root.d.v|0|0|0`,
			`WARN msg="events are given up, and kept as dead letters" sink=s events=2 reason=permanent cause="permanent: 400" id=t|root.d.v|2|0|0`,
		)
	})
}

// Nothing is written once a sink has stopped, whatever is under way.
func TestLogEndsWithSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		db := openMem(t, &Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		log.Reset()
		news := &deliveryNews{db: db, sink: "s"}
		news.dead(DeadLetter{Reason: "poison"})
		news.dead(DeadLetter{Reason: "poison"})
		news.health(deliver.Stopped, "")
		before := log.String()
		if small { // writes to the standard logger
			return
		}
		if !strings.HasSuffix(before, "msg=\"sink is stopped\" sink=s cause=\"\"\n") {
			t.Errorf("log:\n%s\nwant it to end with the stop", before)
		}
		news.dead(DeadLetter{})
		news.full(3)
		time.Sleep(3 * time.Minute)
		if log.String() != before {
			t.Errorf("written after the stop: %s", log.String()[len(before):])
		}
	})
}

// Lines that there is no room for while a logger hangs are counted, and the log is told
// how many they were.
func TestLogCountsLinesLeftOut(t *testing.T) {
	if small { // writes to the standard logger
		t.Skip("other lines")
	}
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		release := make(chan struct{})
		db := openMem(t, &Options{Logger: slog.New(hangingHandler{slog.NewTextHandler(&log, nil), "failing", release})})
		news := &deliveryNews{db: db, sink: "s"}
		news.health(deliver.Failing, "503")
		synctest.Wait() // the logger has it
		for range 200 {
			news.health(deliver.OK, "")
			news.health(deliver.Failing, "503")
		}
		close(release)
		news.health(deliver.Stopped, "")
		lines := logLines(&log)
		if want := `WARN msg="lines about a sink are left out: the logger was too slow" sink=s lines=145`; len(lines) != 258 || lines[257] != want {
			t.Errorf("%d lines, the last is\n%s, want 258 and\n%s", len(lines), lines[len(lines)-1], want)
		}
	})
}
