package jsonl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/vfs"
)

func event(i int) tickwell.Event {
	return tickwell.Event{ID: fmt.Sprint(i), Time: time.Unix(int64(i), 0), Fields: []tickwell.Field{tickwell.Int64("v", int64(i))}}
}

func events(from, to int) (list []tickwell.Event) {
	for i := from; i < to; i++ {
		list = append(list, event(i))
	}
	return list
}

// contents returns the files of a directory, "name: ids".
func contents(t *testing.T, fs vfs.FS, dir string) (list []string) {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := vfs.ReadFile(fs, dir+"/"+name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, name+":"+ids(t, b))
	}
	return list
}

// ids returns the ids in lines, each with a blank before it.
func ids(t *testing.T, lines []byte) (list string) {
	t.Helper()
	if len(lines) > 0 && lines[len(lines)-1] != '\n' {
		t.Errorf("ends in half a line: %q", lines)
	}
	for line := range bytes.Lines(lines) {
		var e struct{ ID string }
		if err := json.Unmarshal(line, &e); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		list += " " + e.ID
	}
	return list
}

// tape is a writer with a Sync that counts, and that fails when told to.
type tape struct {
	bytes.Buffer
	writes, syncs int
	fail          error
}

func (w *tape) Write(b []byte) (int, error) {
	w.writes++
	if w.fail != nil {
		return 0, w.fail
	}
	return w.Buffer.Write(b)
}

func (w *tape) Sync() error { w.syncs++; return w.fail }

func TestWriter(t *testing.T) {
	w := &tape{}
	s := &Sink{W: w}
	if err := errors.Join(s.Validate(), s.Open(t.Context()), s.Handle(t.Context(), events(0, 2))); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"0","source":"","series":"","time":"1970-01-01T00:00:00Z","fields":{"v":0}}` + "\n" +
		`{"id":"1","source":"","series":"","time":"1970-01-01T00:00:01Z","fields":{"v":1}}` + "\n"
	if w.String() != want || w.writes != 1 || w.syncs != 1 {
		t.Errorf("%s in %d writes, %d syncs; want one each of\n%s", w, w.writes, w.syncs, want)
	}
	w.fail = errors.New("full")
	err := s.Handle(t.Context(), events(2, 3))
	if class, _ := deliver.Classify(err); class != deliver.ClassRetry || !errors.Is(err, w.fail) {
		t.Errorf("%v, want to be retried", err)
	}
	w.fail = nil
	s.Rows = true
	w.Reset()
	if err := errors.Join(s.Handle(t.Context(), events(2, 3)), s.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if want := `{"time":"1970-01-01T00:00:02Z","v":2}` + "\n"; w.String() != want {
		t.Errorf("%s, want %s", w, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Handle(ended, events(0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
}

func TestSettings(t *testing.T) {
	for name, s := range map[string]*Sink{"nothing": {}, "both": {W: &tape{}, Path: "x"}, "size": {Path: "x", MaxBytes: -1}, "keep": {Path: "x", Keep: -1},
		"size of a writer": {W: &tape{}, MaxBytes: 1}, "keep of a writer": {W: &tape{}, Keep: 1}, "file system of a writer": {W: &tape{}, FS: vfs.NewMem()}} {
		if err := s.Validate(); !errors.Is(err, tickwell.ErrBadInput) {
			t.Errorf("%s: %v, want ErrBadInput", name, err)
		}
		if err := s.Open(t.Context()); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}

func TestRotation(t *testing.T) {
	line := int64(len(`{"id":"0","source":"","series":"","time":"1970-01-01T00:00:00Z","fields":{"v":0}}`) + 1)
	for _, c := range []struct {
		name    string
		sink    Sink
		batches []int
		want    []string
	}{
		{"one file", Sink{}, []int{3, 3}, []string{"e.jsonl: 0 1 2 3 4 5"}},
		{"two lines a file", Sink{MaxBytes: 2 * line}, []int{1, 1, 1, 1, 1}, []string{"e-000001.jsonl: 0 1", "e-000002.jsonl: 2 3", "e.jsonl: 4"}},
		{"no batch is divided", Sink{MaxBytes: 2 * line}, []int{1, 3, 1}, []string{"e-000001.jsonl: 0", "e-000002.jsonl: 1 2 3", "e.jsonl: 4"}},
		{"the newest are kept", Sink{MaxBytes: line, Keep: 2}, []int{1, 1, 1, 1, 1, 1}, []string{"e-000004.jsonl: 3", "e-000005.jsonl: 4", "e.jsonl: 5"}},
		{"tiny", Sink{MaxBytes: 1}, []int{1, 1}, []string{"e-000001.jsonl: 0", "e.jsonl: 1"}},
	} {
		for _, reopen := range []bool{false, true} {
			fs := vfs.NewMem()
			s := c.sink
			s.FS, s.Path = fs, "out/e.jsonl"
			if err := s.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			at := 0
			for _, n := range c.batches {
				if err := s.Handle(t.Context(), events(at, at+n)); err != nil {
					t.Fatal(err)
				}
				at += n
				if !reopen {
					continue
				}
				if err := errors.Join(s.Close(t.Context()), s.Close(t.Context()), s.Open(t.Context())); err != nil {
					t.Fatal(err)
				}
			}
			if got := contents(t, fs, "out"); !slices.Equal(got, c.want) {
				t.Errorf("%s, opened again %v: %q, want %q", c.name, reopen, got, c.want)
			}
		}
	}
}

// TestOtherFilesStay holds that only what was put aside is counted and removed.
func TestOtherFilesStay(t *testing.T) {
	fs := vfs.NewMem()
	if err := fs.MkdirAll("out"); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"e-1.jsonl", "e-000007.jsonl", "e-000007.txt", "e-x.jsonl", "f-000001.jsonl", "e-0000008.jsonl"} {
		f, err := fs.Create("out/" + name)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if name != "e-000007.jsonl" {
			want = append(want, name+":")
		}
	}
	s := &Sink{FS: fs, Path: "out/e.jsonl", MaxBytes: 1, Keep: 1}
	if err := errors.Join(s.Open(t.Context()), s.Handle(t.Context(), events(0, 1)), s.Handle(t.Context(), events(1, 2)), s.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	want = append(want, "e-000008.jsonl: 0", "e.jsonl: 1")
	slices.Sort(want)
	if got := contents(t, fs, "out"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestFaults makes each file operation fail once: the batch is not accepted, and
// after another attempt every line is there once and whole.
func TestFaults(t *testing.T) {
	run := func(fs *crashfs.FS) (failed int) {
		s := &Sink{FS: fs, Path: "out/e.jsonl", MaxBytes: 200}
		for i := 0; i < 6; {
			err := s.Handle(t.Context(), events(i, i+1))
			switch class, _ := deliver.Classify(err); class {
			case deliver.Delivered:
				i++
			case deliver.ClassRetry:
				failed++
			default:
				t.Fatalf("%v of class %v, want retry", err, class)
			}
			if failed > 3 {
				t.Fatalf("still failing: %v", err)
			}
		}
		_ = s.Close(t.Context())
		return failed
	}
	clean := crashfs.New()
	run(clean)
	seen := 0
	for n := 1; n <= clean.Ops()+20; n++ {
		fs := crashfs.New()
		fs.Fail(n, errors.New("disk trouble"), false, nil)
		seen += run(fs)
		fs.Heal()
		all := strings.Join(contents(t, fs, "out"), "\n")
		for i := range 6 {
			if c := strings.Count(all+" ", fmt.Sprintf(" %d", i)); c != 1 {
				t.Errorf("fault %d: event %d is there %d times in\n%s", n, i, c, all)
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d faults were noticed: the test does not test", seen)
	}
}

// TestPowerCut cuts the power after every operation and in every manner: what
// was accepted is there in whole lines, and the file goes on.
func TestPowerCut(t *testing.T) {
	fs := crashfs.New()
	s := &Sink{FS: fs, Path: "out/e.jsonl", MaxBytes: 300}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepted := map[int]int{} // events by the operation after which they were
	for i := range 5 {
		if err := s.Handle(t.Context(), events(3*i, 3*i+3)); err != nil {
			t.Fatal(err)
		}
		accepted[3*i] = fs.Ops()
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for cut, image := range fs.Sweep(0, 3) {
		again := &Sink{FS: image, Path: "out/e.jsonl", MaxBytes: 300}
		err := errors.Join(again.Open(t.Context()), again.Handle(t.Context(), events(90, 92)), again.Close(t.Context()))
		if err != nil {
			t.Fatalf("%v: %v", cut, err)
		}
		all := strings.Join(contents(t, image, "out"), "\n") + "\n"
		for first, op := range accepted {
			for i := first; i < first+3 && op <= cut.Op; i++ {
				if !strings.Contains(strings.ReplaceAll(all, "\n", " "), fmt.Sprintf(" %d ", i)) {
					t.Errorf("%v: event %d was accepted and is gone from\n%s", cut, i, all)
				}
			}
		}
		if !strings.Contains(all, " 90 91\n") {
			t.Errorf("%v: what came after is not there:\n%s", cut, all)
		}
	}
}

// TestThroughTheStore holds that a full disk only delays.
func TestThroughTheStore(t *testing.T) {
	fs := crashfs.New()
	fs.Budget(150)
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler), Seed: 1,
		Sinks: []tickwell.SinkSpec{{Name: "lines", Sink: &Sink{FS: fs, Path: "out/e.jsonl", Rows: true}, Batch: 2}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, at := range f.Times {
				f.Emit(tickwell.Event{Time: time.Unix(0, at), Fields: []tickwell.Field{{Name: "v", Value: f.Columns[0].Data.Value(i)}}})
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tab := &tickwell.Tablet{Device: "root.d", Times: []int64{1, 2, 3, 4, 5}, Columns: []tickwell.Column{{Name: "v", Data: tickwell.Int64s{1, 2, 3, 4, 5}}}}
	if err := db.InsertTablet(t.Context(), tab); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := db.Quiesce(ctx); err == nil {
		t.Fatal("the disk is not full: the test does not test")
	}
	if s := db.Stats().Sinks[0]; !strings.Contains(s.LastError, "no space") || s.Backlog == 0 || s.Backlog == 5 {
		t.Errorf("%+v, want some written and no space", s)
	}
	fs.Heal()
	if err := db.Quiesce(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := vfs.ReadFile(fs, "out/e.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var want string
	for i := 1; i <= 5; i++ {
		want += fmt.Sprintf("{\"time\":\"1970-01-01T00:00:00.00000000%dZ\",\"v\":%d}\n", i, i)
	}
	if string(b) != want {
		t.Errorf("%s\nwant\n%s", b, want)
	}
}

// TestEmptiedFile holds that no line is lost when another program empties the
// file while it is written, as tools that put logs aside do.
func TestEmptiedFile(t *testing.T) {
	fs := vfs.NewMem()
	s := &Sink{Path: "dir/x.jsonl", FS: fs}
	ctx := t.Context()
	if err := s.Handle(ctx, events(0, 3)); err != nil {
		t.Fatal(err)
	}
	f, err := fs.OpenReadWrite("dir/x.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(0), f.Close()); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < 6; {
		if err := s.Handle(ctx, events(i, i+1)); err == nil {
			i++
		}
	}
	if err := errors.Join(s.Open(ctx), s.Close(ctx)); err != nil { // the program is started again
		t.Fatal(err)
	}
	if got := contents(t, fs, "dir"); !slices.Equal(got, []string{"x.jsonl: 3 4 5"}) {
		t.Errorf("%q", got)
	}
}
