package tickwell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/tickwell/tickwell/internal/crashfs"
)

// durableTrigger writes a row and emits an event for each row it sees, and
// keeps how many it has seen.
func durableTrigger(queue int) TriggerSpec {
	return TriggerSpec{Name: "dur", Pattern: "root.a.s", Stateful: true, Durable: true, Queue: queue, WhenFull: 1, Trigger: &tally{}}
}

type tally struct{ n int64 }

func (s *tally) Restore(_ context.Context, env Env) error {
	s.n = 0
	if b, ok := env.Get("n"); ok {
		_, err := fmt.Sscan(string(b), &s.n)
		return err
	}
	return nil
}

func (s *tally) Fire(_ context.Context, f *Firing) error {
	for row := range f.Rows() {
		s.n++
		f.Emit(Event{Series: "root.a.s", Time: row.Time(), Fields: []Field{Int64("n", s.n)}})
		if err := f.Write(tab("root.out", row.UnixNano(), "n", Int64s{s.n})); err != nil {
			return err
		}
	}
	f.Put("n", strconv.AppendInt(nil, s.n, 10))
	return nil
}

// checkDurable wants that exactly the effects of the stored rows are there, in
// order, each once.
func checkDurable(t *testing.T, what string, db *DB) int {
	t.Helper()
	in, out := dump(t, db, "root.a.s"), dump(t, db, "root.out.n")
	if len(in) != len(out) {
		t.Fatalf("%s: %d rows, %d results", what, len(in), len(out))
	}
	for i := range in {
		if want := fmt.Sprintf("root.out.n@%d=%d", i+1, i+1); out[i] != want {
			t.Fatalf("%s: result %d is %s, want %s", what, i, out[i], want)
		}
	}
	must(t, db.Sync(context.Background())) // events leave only when durable
	entries, err := db.eng.Outbox().Next("box", db.eng.Outbox().Cursor("box"), 2*len(in)+1)
	must(t, err)
	for i, en := range entries {
		e, err := decodeEvent(en.Payload)
		must(t, err)
		if i >= len(in) || e.Time.UnixNano() != int64(i+1) || e.Get("n").Int64() != int64(i+1) {
			t.Fatalf("%s: event %d is %+v", what, i, e)
		}
	}
	if len(entries) != len(in) {
		t.Fatalf("%s: %d rows, %d events", what, len(in), len(entries))
	}
	for key := range db.eng.Scan("todo/") {
		t.Fatalf("%s: promise %s is left", what, key)
	}
	return len(in)
}

// Power is cut after any one change of the disk: after reopening, the effects of
// a durable trigger are there exactly once, synchronous or queued.
func TestTriggerDurablePowerCut(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		queue int
		apart bool // the rows are on the disk before their effects are stored
	}{{0, false}, {0, true}, {8, false}} {
		queue := c.queue
		fs := crashfs.New()
		var db *DB
		opts := func(f *crashfs.FS) *Options {
			p := Edge()
			p.SegmentBytes = 4 << 10
			tr := durableTrigger(queue)
			if c.apart {
				tr.Trigger = syncing{tr.Trigger.(*tally), &db}
			}
			return &Options{FS: f, Sync: SyncAlways(), Profile: p, Sinks: []SinkSpec{killSink("")}, Triggers: []TriggerSpec{tr}}
		}
		db = openDir(t, "data", opts(fs))
		acked := []int{}
		for i := int64(1); i <= 25; i++ {
			must(t, db.InsertTablet(ctx, tab("root.a", i, "s", Int64s{i})))
			acked = append(acked, fs.Ops())
			if i == 12 {
				must(t, db.Flush(ctx))
			}
		}
		waitQueues(t, db)
		must(t, db.Close())
		db = nil
		step := 1
		if testing.Short() {
			step = 7
		}
		made := 0
		for at := 0; at <= fs.Ops(); at += step {
			for _, mode := range []crashfs.Mode{crashfs.None, crashfs.All, crashfs.Random} {
				img := fs.Image(at, mode, 1)
				db := openDir(t, "data", opts(crashfs.From(img)))
				waitQueues(t, db)
				n := checkDurable(t, fmt.Sprintf("queue %d, cut after %d", queue, at), db)
				want := 0
				for want < len(acked) && acked[want] <= at {
					want++
				}
				if n < want {
					t.Fatalf("cut after %d: %d rows, %d were acknowledged", at, n, want)
				}
				made++
				must(t, db.Close())
			}
		}
		t.Logf("queue %d, apart %v: %d images", queue, c.apart, made)
	}
}

// syncing syncs the store, when there is one, in the middle of each firing.
type syncing struct {
	*tally
	db **DB
}

func (s syncing) Fire(ctx context.Context, f *Firing) error {
	if err := s.tally.Fire(ctx, f); err != nil || *s.db == nil {
		return err
	}
	return (*s.db).Sync(ctx)
}

func waitQueues(t *testing.T, db *DB) {
	t.Helper()
	must(t, db.drainTriggers(context.Background()))
}

// A firing that failed before the crash is not made up for; one whose insert was
// stored but that never ran is, also when its class comes later.
func TestTriggerDurableMakesUp(t *testing.T) {
	ctx := context.Background()
	fs := memFS()
	fires := make(chan struct{}, 1)
	var j journal
	block := true
	class := func() Trigger {
		return TriggerFunc(func(ctx context.Context, f *Firing) error {
			if block { // until Close, which has then left what waits behind it
				fires <- struct{}{}
				<-ctx.Done()
				return errBoom
			}
			j.add("%s", render(f.Tablet))
			return nil
		})
	}
	sp := TriggerSpec{Name: "d/x`y", Pattern: "root.d.*", Stateful: true, Durable: true, Queue: 10, Class: "C"}
	db := openDir(t, "data", &Options{FS: fs, Classes: map[string]func() Trigger{"C": class}})
	must(t, db.CreateTrigger(ctx, sp))
	a := Column{Name: "t", Data: Texts{"x", ""}}
	a.Nulls.Set(1)
	must(t, db.InsertTablet(ctx, tab("root.d", 1, "first", Bools{true})))
	<-fires
	must(t, db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{5, 6}, Columns: []Column{a, {Name: "f", Data: Float32s{1, 2}}}}))
	must(t, db.InsertTablet(ctx, tab("root.d", 7, "i", Int32s{7})))
	must(t, db.Close()) // the first fails or is left; the others wait
	block = false

	db = openDir(t, "data", &Options{FS: fs}) // without the class they go on waiting
	j.want(t)
	must(t, db.RegisterClass(ctx, "C", class))
	waitQueues(t, db)
	got := j.take()
	if len(got) > 0 && got[0] == "root.d [1] first:true" {
		got = got[1:]
	}
	if want := []string{"root.d [5 6] t:x,null f:1,2", "root.d [7] i:7"}; !slices.Equal(got, want) {
		t.Errorf("made up for %q, want %q", got, want)
	}
	must(t, db.Close())
	db = openDir(t, "data", &Options{FS: fs, Classes: map[string]func() Trigger{"C": class}})
	waitQueues(t, db)
	j.want(t) // once
	must(t, db.DropTrigger(ctx, "d/x`y"))
}

func TestTriggerDurableKill(t *testing.T) {
	if dir := os.Getenv("TICKWELL_DURABLE_DIR"); dir != "" {
		durableWorker(dir)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skip("no executable to start again:", err)
	}
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	acked := 0
	for round := range rounds {
		cmd := exec.Command(exe, "-test.run=^TestTriggerDurableKill$")
		cmd.Env = append(os.Environ(), "TICKWELL_DURABLE_DIR="+dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines, n := bufio.NewScanner(out), 150+97*round
		for lines.Scan() {
			v, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("worker says %q", lines.Text())
			}
			acked = v
			if n--; n == 0 {
				must(t, cmd.Process.Kill())
			}
		}
		cmd.Wait() // killed: its error is the signal
		db := openDir(t, dir, &Options{Sinks: []SinkSpec{killSink("")}, Triggers: []TriggerSpec{durableTrigger(16)}})
		waitQueues(t, db)
		stored := checkDurable(t, fmt.Sprintf("round %d", round), db)
		if stored < acked {
			t.Fatalf("round %d: %d rows, %d were acknowledged", round, stored, acked)
		}
		t.Logf("round %d: %d acknowledged, %d stored", round, acked, stored)
		must(t, db.Close())
	}
}

func durableWorker(dir string) {
	ctx := context.Background()
	db, err := Open(ctx, dir, &Options{Logger: openMemLogger(), Profile: killProfile(), Sinks: []SinkSpec{killSink("")}, Triggers: []TriggerSpec{durableTrigger(16)}})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	last, err := db.Last(ctx, "root.a.s")
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	i := int64(1)
	if len(last) > 0 {
		i = last[0].Time.UnixNano() + 1
	}
	w := bufio.NewWriterSize(os.Stdout, 0)
	for ; ; i++ {
		if err := db.InsertTablet(ctx, tab("root.a", i, "s", Int64s{i})); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Fprintln(w, i)
		w.Flush()
	}
}

func TestTabletCodec(t *testing.T) {
	a := Column{Name: "t", Data: Texts{"x", "", "grüß"}}
	a.Nulls.Set(1)
	in := &Tablet{Device: "root.`a b`.c", Times: []int64{3, 1, -2}, Columns: []Column{a, {Name: "b", Data: Bools{true, false, true}}, {Name: "f", Data: Float32s{1, 2, 3}}}}
	b := appendTablet(nil, in)
	out, err := decodeTablet(b)
	must(t, err)
	if !sameTablet(in, out) {
		t.Errorf("got %s, want %s", render(out), render(in))
	}
	for i := range b {
		if _, err := decodeTablet(b[:i]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut after %d of %d bytes: got %v, want ErrCorrupt", i, len(b), err)
		}
		for _, bit := range []byte{1, 0x80} {
			c := slices.Clone(b)
			c[i] ^= bit
			decodeTablet(c) // must not panic
		}
	}
}

// Power is cut after any one change of the disk: what a durable trigger has written
// fires another, with a queue or without, exactly once and in order.
func TestTriggerDurableChain(t *testing.T) {
	ctx := context.Background()
	for _, queues := range [][2]int{{0, 0}, {8, 0}, {0, 64}, {8, 64}} {
		fs := crashfs.New()
		opts := func(f *crashfs.FS) *Options {
			p := Edge()
			p.SegmentBytes = 4 << 10
			first, second := durableTrigger(queues[0]), durableTrigger(queues[1])
			second.Name, second.Pattern = "then", "root.out.n"
			second.Trigger = TriggerFunc(func(_ context.Context, f *Firing) error {
				for row := range f.Rows() {
					f.Emit(Event{Series: "root.out", Time: row.Time(), Fields: []Field{Int64("n", row.Get("n").Int64())}})
				}
				return nil
			})
			return &Options{FS: f, Sync: SyncAlways(), Profile: p, Sinks: []SinkSpec{killSink("")}, Triggers: []TriggerSpec{first, second}}
		}
		db := openDir(t, "data", opts(fs))
		for i := int64(1); i <= 15; i++ {
			must(t, db.InsertTablet(ctx, tab("root.a", i, "s", Int64s{i})))
		}
		waitQueues(t, db)
		must(t, db.Close())
		step := 1
		if testing.Short() {
			step = 7
		}
		for at := 0; at <= fs.Ops(); at += step {
			for _, mode := range []crashfs.Mode{crashfs.None, crashfs.Random} {
				db := openOnly(t, "data", opts(crashfs.From(fs.Image(at, mode, 1))))
				waitQueues(t, db)
				must(t, db.Sync(ctx))
				var got, want []int64
				for range dump(t, db, "root.a.s") {
					want = append(want, int64(len(want)+1))
				}
				for e, err := range db.Waiting("box") {
					must(t, err)
					if e.Source == "then" {
						got = append(got, e.Time.UnixNano())
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("queues %v, cut after %d of %d, %v: events of the second are %v, want %v", queues, at, fs.Ops(), mode, got, want)
				}
				must(t, db.Close())
			}
		}
	}
}
