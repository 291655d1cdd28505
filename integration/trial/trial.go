// Package trial puts a sink through what a real server and a real process can do
// to it: above all, our own process killed while events are on their way. The
// tests of each sink against its server use it.
package trial

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/sink"
)

// Build makes a sink of settings, in the process that is going to be killed.
type Build func(settings map[string]string) (tickwell.Sink, error)

// variable tells a test program that it is the process to be killed.
const variable = "TICKWELL_TRIAL"

// order is what the process is told to do.
type order struct {
	Dir      string
	From, To int  // rows to insert
	Hold     bool // then wait to be killed
	Settings map[string]string
}

// Main is for TestMain: it runs the tests, or the process to be killed.
func Main(m *testing.M, build Build) {
	Child(build)
	os.Exit(m.Run())
}

// Child is for a TestMain that has more to do than Main: in the process to be
// killed it does that one's work and does not return.
func Child(build Build) {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	if err := child(text, build, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Patience is how long anything may take before a test gives it up: a sink that
// has met a server that was away for a while waits up to half a minute before
// it tries again, and the machine may be busy.
const Patience = 3 * time.Minute

// Within returns a context that ends with Patience, or with the test.
func Within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// devices is how many devices the rows belong to, in turn.
const devices = 3

// ID is the id of the event of row i.
func ID(i int) string { return fmt.Sprintf("t|root.d%d|%d|0|0", i%devices, i) }

// Options are those of a store whose trigger sends one event for each row to the
// sink.
func Options(s tickwell.Sink) *tickwell.Options {
	return &tickwell.Options{
		Seed: 1, Logger: slog.New(slog.DiscardHandler),
		Sinks: []tickwell.SinkSpec{{Name: "sink", Sink: s}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.*.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("v") {
				f.Emit(tickwell.Event{
					Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Float64("v", v)},
					Labels: map[string]string{"alertname": "trial", "row": fmt.Sprint(f.Times[i])},
				})
			}
			return nil
		})}},
	}
}

// Insert stores row i.
func Insert(ctx context.Context, db *tickwell.DB, i int) error {
	return db.Insert(ctx, fmt.Sprintf("root.d%d", i%devices), time.Unix(0, int64(i)), tickwell.Float64("v", float64(i)))
}

// child inserts rows, tells of each when it is stored, and ends when all events
// are delivered.
func child(text string, build Build, out io.Writer) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	s, err := build(o.Settings)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	db, err := tickwell.Open(ctx, o.Dir, Options(s))
	if err != nil {
		return err
	}
	for i := o.From; i < o.To; i++ {
		if err := Insert(ctx, db, i); err != nil {
			return err
		}
		fmt.Fprintln(out, i)
		// From here on rows come as fast as they can, and what a killed process
		// had under way is under way: the sink is open and has delivered.
		if i == o.From {
			if err := db.Quiesce(ctx); err != nil {
				return fmt.Errorf("%w; %+v", err, db.Stats().Sinks)
			}
		}
	}
	if o.Hold {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := db.Quiesce(ctx); err != nil {
		return fmt.Errorf("%w; %+v", err, db.Stats().Sinks)
	}
	return db.Close()
}

// Kill has a process of its own insert n rows, kills it rounds times meanwhile,
// and checks that every row that was acknowledged has arrived, in order for each
// device. received returns the ids of what has arrived so far.
func Kill(t *testing.T, settings map[string]string, n, rounds int, received func(t *testing.T) []string) {
	t.Helper()
	o := order{Dir: t.TempDir(), Hold: true, Settings: settings}
	rng := rand.New(rand.NewPCG(uint64(n), uint64(rounds)))
	killed := 0
	for round := range rounds {
		if o.From >= n { // it was quicker than the last kill
			break
		}
		killed++
		step := max((n-o.From)/(rounds-round+1), 1)
		until := o.From + rng.IntN(step)
		o.To = min(until+step, n) // it goes on while it is being killed
		acked, err := run(t, o, until)
		if err != nil {
			t.Fatal(err)
		}
		o.From = acked + 1
	}
	o.To, o.Hold = n, false
	if _, err := run(t, o, -1); err != nil {
		t.Fatal(err)
	}
	again := Check(t, n, received(t))
	t.Logf("killed %d times within %d rows: all arrived in order, %d of them more than once", killed, n, again)
}

// run runs the process. It kills it when row until is acknowledged, or lets it
// end if that is -1, and returns the last row that was.
func run(t *testing.T, o order, until int) (acked int, err error) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), variable+"="+string(text))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	acked, err = follow(out, o.From-1, until, cmd.Process.Kill)
	if err != nil {
		cmd.Process.Kill()
	}
	ended := cmd.Wait()
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w; the process: %v: %s", err, ended, complaints.String()) //nolint:errorlint // ended may be nil
	case until < 0 && ended != nil:
		return 0, fmt.Errorf("the process: %w: %s", ended, complaints.String())
	case acked < until:
		return 0, fmt.Errorf("the process ended before row %d: %v: %s", until, ended, complaints.String()) //nolint:errorlint // ended may be nil
	}
	return acked, nil
}

// follow reads the numbers of the rows that a process says it has stored, one a
// line, until it has nothing more to say, and returns the last. When row until is
// told of, it calls kill; what was said until the process is dead counts as well,
// for those rows are acknowledged. A line without its end does not.
func follow(out io.Reader, acked, until int, kill func() error) (int, error) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return acked, nil
		}
		if err != nil {
			return acked, err
		}
		i, err := strconv.Atoi(strings.TrimSuffix(line, "\n"))
		if err != nil || i != acked+1 {
			return acked, fmt.Errorf("after row %d the process says %q", acked, line)
		}
		if acked = i; i == until {
			if err := kill(); err != nil {
				return acked, err
			}
		}
	}
}

// Wrong is a sink that has a wrong password at first, for WrongCredentials.
type Wrong struct {
	Sink tickwell.Sink
	// Says is what its error has to say, in lower case; what it must never say is
	// the password.
	Says, Password string
	// Right puts the password right.
	Right func()
	// Received returns the ids of what has arrived.
	Received func(t *testing.T) []string
}

// WrongCredentials holds that a wrong password is told as such, without the
// password, that the events wait until it is put right, and that each arrives
// once then.
func WrongCredentials(t *testing.T, w Wrong) {
	t.Helper()
	const n = 30
	var log strings.Builder
	o := Options(w.Sink)
	o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := tickwell.Open(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range n {
		if err := Insert(t.Context(), db, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Poll(Within(t), func() (bool, error) { return db.Stats().Sinks[0].LastError != "", nil }); err != nil {
		t.Fatal(err)
	}
	stats := db.Stats().Sinks[0]
	if stats.Backlog != n || stats.Delivered != 0 || stats.Dead != 0 || !strings.Contains(strings.ToLower(stats.LastError), w.Says) {
		t.Errorf("%+v, want that all %d events wait, and %q", stats, n, w.Says)
	}
	t.Log(stats.LastError)
	w.Right()
	if err := db.EnableSink("sink"); err != nil { // if it was suspended
		t.Fatal(err)
	}
	if err := db.Quiesce(Within(t)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	if again := Check(t, n, w.Received(t)); again != 0 {
		t.Errorf("%d came again", again)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%s %+v", log.String(), stats); strings.Contains(text, w.Password) {
		t.Error("the password is in the log or the statistics")
	}
}

// Secret is a password that is wrong until right is called.
func Secret(wrong, password string) (s sink.Secret, right func()) {
	var ok atomic.Bool
	return sink.SecretFunc(func() (string, error) {
		if ok.Load() {
			return password, nil
		}
		return wrong, nil
	}), func() { ok.Store(true) }
}

// Check compares what has arrived with rows 0 to n-1: each at least once, and the
// first of each in order for its device. It returns how many came again.
func Check(t *testing.T, n int, ids []string) (again int) {
	t.Helper()
	known := make(map[string]int, n)
	for i := range n {
		known[ID(i)] = i
	}
	seen := make(map[string]bool, n)
	next := make([]int, devices)
	for d := range next {
		next[d] = d
	}
	for _, id := range ids {
		i, ok := known[id]
		switch {
		case !ok:
			t.Errorf("id %q is none of ours", id)
		case seen[id]:
			again++
		default:
			seen[id] = true
			if want := next[i%devices]; want != i {
				t.Errorf("device %d: row %d came where row %d was due", i%devices, i, want)
			}
			next[i%devices] = i + devices
		}
	}
	for i := range n {
		if !seen[ID(i)] {
			t.Errorf("row %d did not arrive", i)
		}
	}
	return again
}
