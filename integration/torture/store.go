package torture

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// everyFile makes a store that has every kind of file, closed cleanly: blocks of
// several flushes, state, catalogue, outbox, and a log of several segments.
func everyFile(seed uint64, calls int) (*Run, Verdict) { return everyFileOf(seed, calls, 7) }

// everyFileOf is everyFile of a store made with its own seed.
func everyFileOf(seed uint64, calls int, store uint64) (*Run, Verdict) {
	g := newGenerator(seed)
	g.files = false
	var list []oracle.Call
	for i := range calls {
		c := g.call()
		if c.Verb == oracle.Drop {
			continue // a dropped series' points may come back with a lost log, which is no wrong value
		}
		list = append(list, c)
		if i == calls/3 || i == calls/2 {
			list = append(list, oracle.Call{Verb: oracle.Flush})
		}
	}
	return replay(list, Setup{Store: store}, nil, nil)
}

// clone copies a file system, so that one copy can be spoiled.
func clone(m *vfs.Mem) *vfs.Mem {
	c := crashfs.From(m)
	return c.Image(0, crashfs.All, 0)
}

// spoiled is a store one of whose files was changed behind its back.
type spoiled struct {
	run  *Run
	fs   vfs.FS
	file string
	tail bool // the end of the log was taken away, as by a crash: calls at its end may be gone

	short bool // found: they are, without a word
}

// judge opens the spoiled store and compares. What it shows must have been
// written, at that place, some time; what it does not show must be reported, by
// Open or by the read. The one exception is the last call when the change is
// in the log: a record that ends wrong is what a crash leaves; and more calls if
// the end of the log was taken away.
func (s *spoiled) judge() (v Verdict, reported bool) {
	err := shielded(func() error { v, reported = s.compare(); return nil })
	if err != nil {
		return failedWith(err, "judge"), false
	}
	return v, reported
}

func (s *spoiled) compare() (Verdict, bool) {
	w := newWorld(s.fs, storeDir, s.run.world.setup)
	w.roll = false
	w.never.all = true
	if err := w.open(); err != nil {
		return failedWith(err, "open"), false
	}
	defer w.close()
	damage := w.db.Recovery().Damage
	reported := len(damage) > 0
	got, readErrs := dumpDamaged(w.db)
	for path, err := range readErrs {
		if !isDamage(err) {
			return failedWith(err, "read %s: want ErrDamaged", path), reported
		}
		reported = true
	}
	if v := s.genuine(got); v.Class != Fine {
		return v, reported
	}
	if err := w.db.Quiesce(context.Background()); err != nil {
		return failedWith(err, "quiesce"), reported
	}
	final := s.run.hist.Now()
	events, emitted := w.never.accepted(), final.Events()
	for _, id := range events {
		if !slices.Contains(emitted, id) {
			return verdict(Wrong, "event %s was never emitted", id), reported
		}
	}
	diff := oracle.Diff(final.Dump(), got)
	switch {
	case diff != "":
	case w.kept["guard"] != final.Kept("guard") || w.kept["tally"] != final.Kept("tally"):
		diff = fmt.Sprintf("triggers keep guard %d, tally %d; want %d, %d", w.kept["guard"], w.kept["tally"], final.Kept("guard"), final.Kept("tally"))
	case !slices.Equal(events, emitted):
		diff = diffIDs(emitted, events)
	default:
		return Verdict{}, reported
	}
	if reported {
		return Verdict{}, true
	}
	if strings.HasSuffix(s.file, ".wal") {
		h := s.run.hist
		from := h.BeforeLast()
		if s.tail {
			from = 0
		}
		for _, i := range h.Find(got, from, h.Len()-1) {
			was := h.State(i)
			if w.kept["guard"] == was.Kept("guard") && w.kept["tally"] == was.Kept("tally") && slices.Equal(events, was.Events()) {
				s.short = true
				return Verdict{}, false
			}
		}
	}
	return verdict(Lost, "without a word: %s", diff), reported
}

// genuine checks that every point shown was written there some time.
func (s *spoiled) genuine(got oracle.Dump) Verdict {
	for _, path := range sortedKeys(got) {
		for _, at := range got[path].Times() {
			if c := got[path][at]; !s.run.hist.Wrote(path, at, c) {
				return verdict(Wrong, "%s@%d is %v, which was never written there", path, at, c)
			}
		}
	}
	return Verdict{}
}
