package tickwell

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killWorker is what the child process of TestKill does: it inserts rows with a
// trigger that counts them, keeps the count as state, writes it as a row and
// emits an event for each, and prints each acknowledged number.
func killWorker(dir string, from int64, policy SyncPolicy) {
	ctx := context.Background()
	db, err := Open(ctx, dir, &Options{Logger: openMemLogger(), Sync: policy, Profile: killProfile(), Sinks: []SinkSpec{killSink(filepath.Join(dir, "never"))}, Triggers: []TriggerSpec{killTrigger()}})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	w := bufio.NewWriterSize(os.Stdout, 0)
	for i := from; ; i++ {
		err := db.InsertTablets(ctx,
			&Tablet{Device: "root.a", Times: []int64{i}, Columns: []Column{{Name: "s", Data: Int64s{i}}}},
			&Tablet{Device: "root.b", Times: []int64{i}, Columns: []Column{{Name: "t", Data: Texts{strings.Repeat("x", int(i%50))}}}})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Fprintln(w, i)
		w.Flush()
		if i%200 == 0 {
			if err := db.Flush(ctx); err != nil {
				fmt.Println("error", err)
				os.Exit(1)
			}
		}
	}
}

func killProfile() Profile {
	p := Edge()
	p.SegmentBytes = 64 << 10
	p.BlockRows = 64
	return p
}

// killSink never accepts an event, so that all of them stay in the outbox.
func killSink(string) SinkSpec {
	return SinkSpec{Name: "box", Sink: SinkFunc(func(context.Context, []Event) error { return io.ErrClosedPipe })}
}

func killTrigger() TriggerSpec {
	return TriggerSpec{Name: "count", Pattern: "root.a.s", When: BeforeInsert, Stateful: true, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
		f.Put("count", strconv.AppendInt(nil, f.Row(0).Get("s").Int64(), 10))
		f.Emit(Event{Series: "root.a.s", Time: f.Row(0).Time()})
		return nil
	})}
}

// After kill -9 every acknowledged point, effect and event is there, and
// nothing else than what follows the last acknowledged number without a gap.
func TestKill(t *testing.T) {
	if dir := os.Getenv("TICKWELL_KILL_DIR"); dir != "" {
		from, _ := strconv.ParseInt(os.Getenv("TICKWELL_KILL_FROM"), 10, 64)
		policy := SyncInterval(time.Second)
		if os.Getenv("TICKWELL_KILL_SYNC") == "always" {
			policy = SyncAlways()
		}
		killWorker(dir, from, policy)
		return
	}
	if _, err := os.Executable(); err != nil {
		t.Skip("no executable to start again:", err)
	}
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for _, sync := range []string{"interval", "always"} {
		dir := t.TempDir()
		acked := int64(0)
		for round := range rounds {
			acked = max(acked, killOnce(t, dir, acked+1, sync, 100+137*round))
			stored := killCheck(t, dir, acked)
			t.Logf("%s, round %d: %d acknowledged, %d stored", sync, round, acked, stored)
			acked = stored
		}
	}
}

// killOnce starts a worker, kills it after it has acknowledged n numbers more,
// and returns the last it acknowledged.
func killOnce(t *testing.T, dir string, from int64, sync string, n int) int64 {
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe, "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), "TICKWELL_KILL_DIR="+dir, "TICKWELL_KILL_FROM="+strconv.FormatInt(from, 10), "TICKWELL_KILL_SYNC="+sync)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	last := from - 1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		v, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			t.Fatalf("worker says %q", lines.Text())
		}
		last = v
		if n--; n == 0 {
			must(t, cmd.Process.Kill())
		}
	}
	cmd.Wait() // killed: its error is the signal
	return last
}

// killCheck compares what is stored with what must be, and returns the largest
// number stored.
func killCheck(t *testing.T, dir string, acked int64) int64 {
	db := openDir(t, dir, &Options{Sinks: []SinkSpec{killSink("")}})
	defer db.Close()
	a, b := dump(t, db, "root.a.s"), dump(t, db, "root.b.t")
	if int64(len(a)) < acked || len(a) != len(b) {
		t.Fatalf("%d acknowledged, %d and %d rows stored", acked, len(a), len(b))
	}
	for i := range a {
		n := i + 1
		if want := fmt.Sprintf("root.a.s@%d=%d", n, n); a[i] != want {
			t.Fatalf("got %s, want %s", a[i], want)
		}
		if want := fmt.Sprintf("root.b.t@%d=%s", n, strings.Repeat("x", n%50)); b[i] != want {
			t.Fatalf("got %s, want %s", b[i], want)
		}
	}
	if state, _ := db.eng.Get("trigger/count/count"); string(state) != strconv.Itoa(len(a)) {
		t.Fatalf("trigger state is %s, want %d", state, len(a))
	}
	entries, err := db.eng.Outbox().Next("box", db.eng.Outbox().Cursor("box"), len(a)+1)
	must(t, err)
	for i, en := range entries {
		e, err := decodeEvent(en.Payload)
		if err != nil || e.Time.UnixNano() != int64(i+1) {
			t.Fatalf("event %d is of %d, %v", i+1, e.Time.UnixNano(), err)
		}
	}
	if len(entries) != len(a) {
		t.Fatalf("%d events for %d rows", len(entries), len(a))
	}
	return int64(len(a))
}
