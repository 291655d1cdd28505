package tickwell_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/tickwelltest"
	"github.com/tickwell/tickwell/window"
)

// journalled is a trigger that opens a file in OnCreate, writes to it in Fire
// and closes it in OnDrop, as the pages say a trigger may.
type journalled struct {
	name    string
	file    *os.File
	dropped *int
}

func (j *journalled) OnCreate(context.Context, tickwell.Env) (err error) {
	j.file, err = os.OpenFile(j.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

func (j *journalled) Fire(_ context.Context, f *tickwell.Firing) error {
	_, err := fmt.Fprintf(j.file, "%s %d\n", f.Device, f.Len())
	return err
}

func (j *journalled) OnDrop(context.Context) error {
	*j.dropped++
	return j.file.Close()
}

// What OnCreate opens is there in Fire, and OnDrop closes it, once, however the
// trigger goes: by its name, with its series, or with the database.
func TestTriggerResources(t *testing.T) {
	ctx := context.Background()
	for name, drop := range map[string]func(s *tickwelltest.Store) error{
		"by name":           func(s *tickwelltest.Store) error { return s.DropTrigger(ctx, "journal") },
		"with its series":   func(s *tickwelltest.Store) error { return s.DropSeries(ctx, "root.sg.d.v") },
		"with the database": func(s *tickwelltest.Store) error { return s.DropSeries(ctx, "root.sg.**") },
	} {
		dropped := 0
		j := &journalled{name: filepath.Join(t.TempDir(), "journal"), dropped: &dropped}
		s := tickwelltest.New(t, nil)
		s.Put("root.sg.d", tickwell.Int64("v", 0)) // the series of the 0.13 form exists
		s.Trigger(tickwell.TriggerSpec{Name: "journal", Series: "root.sg.d.v", Trigger: j})
		s.Clock.Advance(time.Second)
		s.Put("root.sg.d", tickwell.Int64("v", 1))
		if err := drop(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if dropped != 1 {
			t.Errorf("%s: OnDrop was called %d times, want once", name, dropped)
		}
		if _, err := j.file.WriteString("late"); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: writing to the file afterwards gives %v, want ErrClosed", name, err)
		}
		text, err := os.ReadFile(j.name)
		if err != nil || string(text) != "root.sg.d 1\n" {
			t.Errorf("%s: the file holds %q (%v)", name, text, err)
		}
		s.Clock.Advance(time.Second)
		s.Put("root.sg.d", tickwell.Int64("v", 2)) // nobody listens any more
	}
}

// link is a connection that a trigger opens itself.
type link struct {
	open bool
	got  []string
}

func (l *link) send(text string) error {
	if !l.open {
		return errors.New("link is closed")
	}
	l.got = append(l.got, text)
	return nil
}

// windowAverage is TriggerExample of the 0.13 page in Go: averages of five
// points outside [lo, hi] go out on two connections, which are open from
// OnCreate or OnStart to OnStop or OnDrop.
type windowAverage struct {
	lo, hi        float64
	local, remote *link
	closed        int
	handler       *window.Handler[float64]
}

func (w *windowAverage) OnCreate(_ context.Context, env tickwell.Env) (err error) {
	if w.lo, err = env.Params.Float64("lo"); err != nil {
		return err
	}
	if w.hi, err = env.Params.Float64("hi"); err != nil {
		return err
	}
	w.handler, err = window.NewSlidingSize(5, 5, w.evaluate, nil)
	return errors.Join(err, w.OnStart(context.Background()))
}

func (w *windowAverage) evaluate(win window.Window[float64]) error {
	sum := 0.0
	for _, v := range win.Values() {
		sum += v
	}
	if mean := sum / float64(win.Len()); mean < w.lo || mean > w.hi {
		text := fmt.Sprintf("%d %g", win.Time(0)/int64(time.Millisecond), mean)
		return errors.Join(w.local.send(text), w.remote.send(text))
	}
	return nil
}

func (w *windowAverage) Fire(_ context.Context, f *tickwell.Firing) error {
	_, err := w.handler.CollectBatch(f.Times, f.Float64s("s1"))
	return err
}

func (w *windowAverage) OnStart(context.Context) error {
	w.local.open, w.remote.open = true, true
	return nil
}

func (w *windowAverage) OnStop(context.Context) error {
	w.closed++
	w.local.open, w.remote.open = false, false
	return nil
}

func (w *windowAverage) OnDrop(ctx context.Context) error { return w.OnStop(ctx) }

// The full example of the 0.13 page, with START and STOP: attributes as
// numbers, windows of five, both connections get the average, nothing is sent
// while it is stopped, and dropping a stopped trigger closes twice without harm.
func TestTriggerPageFullExample(t *testing.T) {
	ctx := context.Background()
	w := &windowAverage{local: &link{}, remote: &link{}}
	s := tickwelltest.New(t, nil)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.CreateSeries(ctx, "root.sg1.d1.s1", tickwell.KindFloat64))
	s.Trigger(tickwell.TriggerSpec{Name: "window-avg-alerter", Series: "root.sg1.d1.s1", Stateful: true, Trigger: w,
		Params: tickwell.Params{"lo": "0", "hi": "10.0"}})
	at := int64(0)
	insert := func(n int) {
		t.Helper()
		for range n {
			at++
			check(s.Insert(ctx, "root.sg1.d1", time.UnixMilli(at), tickwell.Float64("s1", float64(2*(at-1)))))
		}
	}
	insert(10)
	want := []string{"6 14"}
	if !slices.Equal(w.local.got, want) || !slices.Equal(w.remote.got, want) {
		t.Errorf("local got %q, remote %q; want %q in both", w.local.got, w.remote.got, want)
	}
	check(s.StopTrigger(ctx, "window-avg-alerter"))
	insert(5) // not seen
	check(s.StartTrigger(ctx, "window-avg-alerter"))
	insert(5)
	want = append(want, "16 34")
	if !slices.Equal(w.local.got, want) || !slices.Equal(w.remote.got, want) {
		t.Errorf("after START local got %q, remote %q; want %q in both", w.local.got, w.remote.got, want)
	}
	check(s.StopTrigger(ctx, "window-avg-alerter"))
	check(s.DropTrigger(ctx, "window-avg-alerter"))
	if w.closed != 3 {
		t.Errorf("closed %d times, want 3: at both stops and at the drop", w.closed)
	}
	// An evaluation that comes when the connections are closed is a reported error.
	for i := range int64(5) {
		_, err := w.handler.Collect(1e18+i, 100)
		if i == 4 && (err == nil || !strings.Contains(err.Error(), "link is closed")) {
			t.Errorf("an evaluation after the drop gives %v, want the closed link", err)
		}
	}
}

// What Fire makes of its rows has no influence on what is stored.
func TestTriggerReturnsNothing(t *testing.T) {
	s := tickwelltest.New(t, &tickwell.Options{})
	s.Trigger(tickwell.TriggerSpec{Name: "double", Pattern: "root.d.v", When: tickwell.BeforeInsert,
		Trigger: tickwell.OnPoint(func(_ context.Context, _ *tickwell.Firing, _ string, p tickwell.Point[int64]) error {
			p.Value *= 2
			return nil
		})})
	s.Put("root.d", tickwell.Int64("v", 21))
	s.RequireWritten("root.d.v", "+0s 21")
}
