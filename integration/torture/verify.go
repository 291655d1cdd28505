package torture

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/vfs"
)

// Class is what is wrong with a store that was opened after a fault.
type Class string

// The classes.
const (
	Fine    Class = ""
	Lost    Class = "lost"    // an acknowledged call is gone
	Wrong   Class = "wrong"   // contents that no prefix of the calls gives
	Refusal Class = "refused" // the store does not open, or a call fails
	Panics  Class = "panics"
	Alarm   Class = "alarm" // a mere crash is reported as damage
)

// Verdict is the outcome of a check.
type Verdict struct {
	Class Class
	Text  string
	Found int // the state of the history that the store holds
}

func verdict(c Class, format string, args ...any) Verdict {
	return Verdict{Class: c, Text: fmt.Sprintf(format, args...)}
}

func failedWith(err error, format string, args ...any) Verdict {
	class := Refusal
	if p := (*errPanic)(nil); errors.As(err, &p) {
		class = Panics
	}
	return Verdict{Class: class, Text: fmt.Sprintf(format, args...) + ": " + err.Error()}
}

// check is what to compare a store with that lost its power or its process.
type check struct {
	setup  Setup
	hist   *oracle.History
	lo, hi int
	deep   bool              // read through all paths, flush, reopen
	keep   bool              // take no events, so that the store stays as it is
	handed map[string][2]ids // what the sinks had been handed, and had accepted, before the cut
}

type ids = []string

// verify opens the store on an image, which it uses up, and compares.
func (k *check) verify(fs vfs.FS, dir string) (v Verdict) {
	err := shielded(func() error { v = k.compare(fs, dir); return nil })
	if err != nil {
		return failedWith(err, "verify")
	}
	return v
}

func (k *check) compare(fs vfs.FS, dir string) Verdict {
	w := newWorld(fs, dir, k.setup)
	w.roll = false
	w.never.all = !k.keep
	if w.some != nil {
		w.some.all = true
	}
	if err := w.open(); err != nil {
		return failedWith(err, "open")
	}
	defer func() { w.close() }()
	if d := w.db.Recovery().Damage; len(d) > 0 {
		return verdict(Alarm, "a crash is reported as damage: %v", d)
	}
	got, err := dumpRange(w.db)
	if err != nil {
		return failedWith(err, "read")
	}
	found := k.hist.Find(got, k.lo, k.hi)
	if len(found) == 0 {
		return k.missing(got)
	}
	points := found
	found = slices.DeleteFunc(slices.Clone(found), func(i int) bool {
		s := k.hist.State(i)
		return s.Kept("guard") != w.kept["guard"] || s.Kept("tally") != w.kept["tally"]
	})
	if len(found) == 0 {
		s := k.hist.State(points[0])
		return verdict(Wrong, "points of state %v, but triggers keep guard %d, tally %d; want %d, %d", points, w.kept["guard"], w.kept["tally"], s.Kept("guard"), s.Kept("tally"))
	}
	if k.keep {
		return Verdict{Found: found[len(found)-1]}
	}
	if err := w.db.Quiesce(context.Background()); err != nil {
		return failedWith(err, "quiesce")
	}
	var text string
	found = slices.DeleteFunc(found, func(i int) bool {
		t := k.events(w, k.hist.State(i))
		if t != "" {
			text = t
		}
		return t != ""
	})
	if len(found) == 0 {
		return verdict(Wrong, "points of state %v, but events: %s", points, text)
	}
	state := k.hist.State(found[len(found)-1])
	if k.deep {
		if v := k.further(w, state); v.Class != Fine {
			return v
		}
	}
	return Verdict{Found: found[len(found)-1]}
}

// missing tells what contents are that fit no state in bounds.
func (k *check) missing(got oracle.Dump) Verdict {
	if early := k.hist.Find(got, 0, k.lo-1); len(early) > 0 {
		return verdict(Lost, "holds state %d, want %d to %d: %s", early[len(early)-1], k.lo, k.hi, oracle.Diff(k.hist.State(k.lo).Dump(), got))
	}
	if late := k.hist.Find(got, k.hi+1, k.hist.Len()-1); len(late) > 0 {
		return verdict(Wrong, "holds state %d of the future, want %d to %d", late[0], k.lo, k.hi)
	}
	return verdict(Wrong, "fits no state; against %d: %s; against %d: %s", k.lo, oracle.Diff(k.hist.State(k.lo).Dump(), got), k.hi, oracle.Diff(k.hist.State(k.hi).Dump(), got))
}

// events compares what the sinks got with what a state has emitted.
func (k *check) events(w *World, s *oracle.State) string {
	want := s.Events()
	if got := w.never.accepted(); !slices.Equal(got, want) {
		return fmt.Sprintf("sink never got %s", diffIDs(want, got))
	}
	emitted := map[string]bool{}
	for _, id := range want {
		emitted[id] = true
	}
	for name, h := range k.handed {
		for _, id := range h[0] {
			if !emitted[id] {
				return fmt.Sprintf("sink %s was handed %s before the cut, which is not there any more", name, id)
			}
		}
	}
	if w.some == nil {
		return ""
	}
	before := map[string]bool{}
	for _, id := range k.handed["some"][1] {
		before[id] = true
	}
	var must ids
	for _, id := range want {
		if !before[id] {
			must = append(must, id)
		}
	}
	got := w.some.accepted()
	rest := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return before[id] && emitted[id] })
	if !slices.Equal(rest, must) {
		return fmt.Sprintf("sink some got, beside repeats, %s", diffIDs(must, rest))
	}
	return ""
}

func diffIDs(want, got ids) string {
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	at := func(l ids) string {
		if i < len(l) {
			return l[i]
		}
		return "no more"
	}
	return fmt.Sprintf("%d events, want %d; number %d is %s, want %s", len(got), len(want), i, at(got), at(want))
}

// further reads through the other paths, after a flush, and after a reopening in
// which the continuous query catches up.
func (k *check) further(w *World, s *oracle.State) Verdict {
	want := s.Dump()
	if t := checkPaths(w.db, want); t != "" {
		return verdict(Wrong, "%s", t)
	}
	if err := w.db.Flush(context.Background()); err != nil {
		return failedWith(err, "flush")
	}
	got, err := dumpRange(w.db)
	if err != nil {
		return failedWith(err, "read after flush")
	}
	if diff := oracle.Diff(want, got); diff != "" {
		return verdict(Wrong, "after flush: %s", diff)
	}
	if t := checkPaths(w.db, want); t != "" {
		return verdict(Wrong, "after flush: %s", t)
	}
	if err := w.close(); err != nil {
		return failedWith(err, "close")
	}
	if due := s.Due(); len(due) > 0 {
		s = due[len(due)-1]
	}
	w.roll = true
	w.clock.Set(timeOf(s.Now()))
	if err := w.open(); err != nil {
		return failedWith(err, "open again")
	}
	if d := w.db.Recovery().Damage; len(d) > 0 {
		return verdict(Alarm, "after a clean close: %v", d)
	}
	if got, err = dumpRange(w.db); err != nil {
		return failedWith(err, "read after reopening")
	}
	if diff := oracle.Diff(s.Dump(), got); diff != "" {
		return verdict(Wrong, "after reopening, the query having caught up: %s", diff)
	}
	if last := w.lastRun(); last != s.LastRun() {
		return verdict(Wrong, "the query ran last at %d, want %d", last, s.LastRun())
	}
	if t := checkPaths(w.db, s.Dump()); t != "" {
		return verdict(Wrong, "after reopening: %s", t)
	}
	return Verdict{}
}

// isDamage reports whether an error says that bytes are damaged.
func isDamage(err error) bool {
	return errors.Is(err, tickwell.ErrDamaged) || errors.Is(err, tickwell.ErrCorrupt)
}
