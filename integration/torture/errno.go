package torture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// fault is what goes wrong in a run of Errno.
type fault struct {
	name  string
	err   error
	short int // bytes that a failing write stores all the same
}

var faults = []fault{
	{"EIO", syscall.EIO, 0},
	{"ENOSPC", vfs.ErrNoSpace, 0},
	{"EACCES", fs.ErrPermission, 0},
	{"short write", vfs.ErrNoSpace, 7},
	{"short write, EIO", syscall.EIO, 60},
}

// Errno lets the n-th call of the file system fail, for every n, once and for
// good. What was acknowledged must be there in the end, what failed may be, in
// whole; and the store must come back when the fault is gone.
func Errno(o Options) *Report {
	r := newReport("errno", o.Seed)
	for i := uint64(0); !o.over(r) && i < uint64(max(1, o.Runs)); i++ {
		calls := errnoCalls(o.Seed + i)
		setup := Setup{Recycle: i%2 == 0, Many: true}
		total := countCalls(calls, setup)
		r.Counts["sites"] += int64(total)
		for n := 1; n <= total && !o.over(r); n += max(1, o.Length) {
			for _, f := range faults {
				for _, sticky := range []bool{false, true} {
					errnoOne(&o, r, o.Seed+i, calls, setup, f, n, sticky)
				}
			}
		}
	}
	return r.done()
}

// errnoCalls is a list with everything but the clock: a query that failed comes
// again at a time of its own.
func errnoCalls(seed uint64) (calls []oracle.Call) {
	g := newGenerator(seed)
	g.files = false
	for len(calls) < 16 {
		switch c := g.call(); {
		case c.Verb == oracle.Tick || c.Verb == oracle.Sync:
		default:
			calls = append(calls, c)
		}
		switch len(calls) {
		case 5, 10:
			calls = append(calls, oracle.Call{Verb: oracle.Flush})
		case 8, 13:
			calls = append(calls, oracle.Call{Verb: oracle.Reopen})
		}
	}
	return calls
}

func countCalls(calls []oracle.Call, setup Setup) (n int) {
	fsys := boxed()
	fsys.Inject(crashfs.Fault{Filter: func(crashfs.Op) bool { n++; return false }})
	e := newErrnoRun(fsys, setup)
	e.calls(calls)
	e.world.close()
	return n
}

// boxed is a disk on which the parent of the store is durable.
func boxed() *crashfs.FS {
	fsys := crashfs.New()
	fsys.MkdirAll("box")
	fsys.SyncDir("/")
	return fsys
}

// errnoRun is a store whose disk fails.
type errnoRun struct {
	fs     *crashfs.FS
	world  *World
	states *oracle.Possible
	failed int
	notes  []string // the calls that failed
}

func newErrnoRun(fsys *crashfs.FS, setup Setup) *errnoRun {
	e := &errnoRun{fs: fsys, world: newWorld(fsys, storeDir, setup), states: oracle.Only(oracle.Start(wallStart.UnixNano()))}
	e.world.roll = false
	return e
}

// calls makes calls, opening the store again whenever it is closed.
func (e *errnoRun) calls(calls []oracle.Call) Verdict {
	for i := range calls {
		c := &calls[i]
		if e.world.db == nil {
			if err := shielded(e.world.open); err != nil {
				if v := e.typed(err, "open"); v.Class != Fine {
					return v
				}
				e.fails(i, "open", err)
				continue
			}
		}
		err := e.world.do(c)
		outcome := oracle.Done
		switch {
		case errors.Is(err, tickwell.ErrRejected):
			outcome = oracle.Denied
		case err != nil:
			if v := e.typed(err, fmt.Sprint("call ", i+1, ", ", c)); v.Class != Fine {
				return v
			}
			outcome = oracle.Unsure
			e.fails(i, c, err)
			if c.Verb == oracle.Reopen && e.world.db != nil {
				e.world.close()
			}
		}
		if !e.states.Apply(c, outcome) {
			return verdict(Wrong, "call %d, %v: %v, which fits no state", i+1, c, err)
		}
		if e.states.Size() > 400 {
			return Verdict{Class: undecided}
		}
		if v := e.visible(i); v.Class != Fine {
			return v
		}
	}
	return Verdict{}
}

func (e *errnoRun) fails(i int, what any, err error) {
	e.failed++
	if len(e.notes) < 4 {
		e.notes = append(e.notes, fmt.Sprintf("call %d, %v: %v (stored: %v)", i+1, what, err, isStored(err)))
	}
}

// undecided ends a run in which too many calls failed to say what must be.
const undecided Class = "undecided"

// typed checks that an error is one to test for.
func (e *errnoRun) typed(err error, what string) Verdict {
	if p := (*errPanic)(nil); errors.As(err, &p) {
		return failedWith(err, "%s", what)
	}
	for _, known := range []error{tickwell.ErrNoSpace, tickwell.ErrStorageFailed, tickwell.ErrOverloaded, tickwell.ErrDamaged,
		vfs.ErrNoSpace, syscall.EIO, fs.ErrPermission} {
		if errors.Is(err, known) {
			return Verdict{}
		}
	}
	return failedWith(err, "%s: an error without a kind", what)
}

// visible reads while the fault may last: what can be read must be possible.
func (e *errnoRun) visible(i int) Verdict {
	if e.world.db == nil || i%4 != 0 {
		return Verdict{}
	}
	got, err := dumpRange(e.world.db)
	if err != nil {
		return e.typed(err, "read")
	}
	if e.states.Showing(got).Size() == 0 {
		return verdict(Wrong, "after call %d, while open: fits none of %d states; %s", i+1, e.states.Size(), oracle.Diff(e.states.Any().Dump(), got))
	}
	return Verdict{}
}

// recovered compares a store on a disk that works again.
func (e *errnoRun) recovered(disk vfs.FS, what string) Verdict {
	w := newWorld(disk, storeDir, e.world.setup)
	w.roll, w.never.all = false, true
	if err := shielded(w.open); err != nil {
		return failedWith(err, "%s: open", what)
	}
	defer w.close()
	if d := w.db.Recovery().Damage; len(d) > 0 {
		return verdict(Alarm, "%s: %v", what, d)
	}
	got, err := dumpRange(w.db)
	if err != nil {
		return failedWith(err, "%s: read", what)
	}
	left := e.states.Showing(got)
	if left.Size() == 0 {
		return verdict(Lost, "%s: fits none of %d states; %s", what, e.states.Size(), oracle.Diff(e.states.Any().Dump(), got))
	}
	if err := w.db.Quiesce(context.Background()); err != nil {
		return failedWith(err, "%s: quiesce", what)
	}
	left = left.With(func(s *oracle.State) bool {
		return s.Kept("guard") == w.kept["guard"] && s.Kept("tally") == w.kept["tally"] && slices.Equal(s.Events(), w.never.accepted())
	})
	if left.Size() == 0 {
		return verdict(Wrong, "%s: state of triggers (%v) or events (%v) do not go with the points", what, w.kept, w.never.accepted())
	}
	s := left.Any()
	if t := checkPaths(w.db, s.Dump()); t != "" {
		return verdict(Wrong, "%s: %s", what, t)
	}
	c := alphabet[0].make(12345)
	if err := w.do(&c); err != nil {
		return failedWith(err, "%s: insert", what)
	}
	if err := w.db.Flush(context.Background()); err != nil {
		return failedWith(err, "%s: flush", what)
	}
	if got, err = dumpRange(w.db); err != nil {
		return failedWith(err, "%s: read after flush", what)
	}
	if diff := oracle.Diff(c.Final(s).Dump(), got); diff != "" {
		return verdict(Wrong, "%s: after an insert and a flush: %s", what, diff)
	}
	return Verdict{}
}

func errnoOne(o *Options, r *Report, seed uint64, calls []oracle.Call, setup Setup, f fault, n int, sticky bool) {
	fsys := boxed()
	var hit crashfs.Op
	count := 0
	fsys.Inject(crashfs.Fault{N: n, Err: f.err, Sticky: sticky, Short: f.short, Filter: func(op crashfs.Op) bool {
		if count++; count == n {
			hit = op
		}
		return true
	}})
	e := newErrnoRun(fsys, setup)
	defer func() { shielded(e.world.close) }()
	r.Runs++
	where := func() string {
		how := "once"
		if sticky {
			how = "for good"
		}
		return fmt.Sprintf("%s, %s, from call %d of the file system (%v)", f.name, how, n, hit)
	}
	v := e.calls(calls)
	if f.err == fs.ErrPermission && hit.Kind == crashfs.SyncDir && hit.Name == path.Dir("/"+storeDir) {
		return // a parent that may not be opened is taken as it is: nobody can sync it
	}
	r.Acked += int64(len(calls) - e.failed)
	if v.Class == Fine {
		v = e.after(f, hit)
	}
	switch {
	case v.Class == undecided:
		r.Counts["undecided"]++
		return
	case e.failed > 0:
		r.Counts["felt"]++
	}
	r.States++
	if v.Class != Fine {
		v.Text += "\nfailed: " + strings.Join(e.notes, "\n        ")
		r.fail(Failure{Verdict: v, Seed: seed, Where: where(), Setup: setup, Calls: calls, Cause: fmt.Sprint(v.Class, hit.Kind, hit.Site, hit.Name),
			Repeat: fmt.Sprintf("errno -seed %d -runs 1", seed)})
	}
}

// after heals the disk and looks at the store: in the same process, after power
// cuts, and after it was closed and opened again.
func (e *errnoRun) after(f fault, hit crashfs.Op) Verdict {
	e.fs.Heal()
	if e.world.db != nil {
		if v := e.resumes(f, hit); v.Class != Fine {
			return v
		}
	}
	for _, cut := range []crashfs.Cut{{Op: e.fs.Ops(), Mode: crashfs.None}, {Op: e.fs.Ops(), Mode: crashfs.All}, {Op: e.fs.Ops(), Mode: crashfs.Random, Seed: 5}} {
		if v := e.recovered(e.fs.Image(cut.Op, cut.Mode, cut.Seed), cut.String()); v.Class != Fine {
			return v
		}
	}
	if err := shielded(e.world.close); err != nil {
		if v := e.typed(err, "close"); v.Class != Fine {
			return v
		}
	}
	return e.recovered(e.fs, "opened again")
}

// resumes checks that a store that stayed open takes writes again, if nothing
// but space was missing, and refuses them with the right error if not.
func (e *errnoRun) resumes(f fault, hit crashfs.Op) Verdict {
	c := alphabet[0].make(777)
	err := e.world.do(&c)
	if err == nil {
		e.states.Apply(&c, oracle.Done)
		return Verdict{}
	}
	e.states.Apply(&c, oracle.Unsure)
	if v := e.typed(err, "insert when the fault is gone"); v.Class != Fine {
		return v
	}
	if errors.Is(f.err, vfs.ErrNoSpace) && (hit.Kind == crashfs.Write || hit.Kind == crashfs.Create) && !errors.Is(err, tickwell.ErrStorageFailed) {
		return failedWith(err, "insert when there is space again")
	}
	return Verdict{}
}
