package torture

import (
	"hash/fnv"
	"path"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// files returns the contents of all files below dir by name.
func files(fsys vfs.FS, dir string) map[string][]byte {
	out := map[string][]byte{}
	var walk func(dir string)
	walk = func(dir string) {
		names, err := fsys.List(dir)
		if err != nil {
			return
		}
		for _, n := range names {
			name := path.Join(dir, n)
			info, err := fsys.Stat(name)
			switch {
			case err != nil:
			case info.IsDir:
				walk(name)
			default:
				if b, err := vfs.ReadFile(fsys, name); err == nil {
					out[name] = b
				}
			}
		}
	}
	walk(dir)
	return out
}

// fingerprint is the hash of all files and of what a store on them must hold.
func fingerprint(fsys vfs.FS, salt ...int) uint64 {
	h := fnv.New64a()
	all := files(fsys, "/")
	for _, name := range sortedKeys(all) {
		h.Write([]byte(name))
		h.Write([]byte{0, byte(len(all[name])), byte(len(all[name]) >> 8), byte(len(all[name]) >> 16)})
		h.Write(all[name])
	}
	for _, s := range salt {
		h.Write([]byte{byte(s), byte(s >> 8), byte(s >> 16), 1})
	}
	return h.Sum64()
}

// cuts returns the manners of cutting the power after operation op, Random and
// Torn with so many seeds.
func cuts(fsys *crashfs.FS, op, seeds int) []crashfs.Cut {
	var list []crashfs.Cut
	for _, mode := range crashfs.Modes {
		switch mode {
		case crashfs.Random:
			for i := range seeds {
				list = append(list, crashfs.Cut{Op: op, Mode: mode, Seed: uint64(op)<<20 + uint64(i)})
			}
		case crashfs.Torn:
			n := fsys.TornLen(op)
			for i := range min(seeds, n) {
				list = append(list, crashfs.Cut{Op: op, Mode: mode, Seed: uint64((i*n + op) / min(seeds, n))})
			}
		default:
			list = append(list, crashfs.Cut{Op: op, Mode: mode})
		}
	}
	return list
}

// sweep checks images of the run and returns how the first bad one differs.
type sweep struct {
	run    *Run
	from   int // first operation
	every  int // of so many operations one
	phase  int
	seeds  int
	deep   int // of so many states one is read through all paths
	report *Report
	seen   map[uint64]bool
	limit  int64 // states of the report at which it ends; 0: none
}

func (s *sweep) check() (crashfs.Cut, Verdict) {
	if s.seen == nil {
		s.seen = map[uint64]bool{}
	}
	for op := s.from; op <= s.run.fs.Ops(); op++ {
		if s.every > 1 && op%s.every != s.phase%s.every {
			continue
		}
		for _, cut := range cuts(s.run.fs, op, s.seeds) {
			if s.limit > 0 && s.report.States >= s.limit {
				return cut, Verdict{}
			}
			img := s.run.fs.Image(cut.Op, cut.Mode, cut.Seed)
			k := s.run.check(cut, false)
			print := fingerprint(img, k.lo, k.hi)
			if s.seen[print] {
				s.report.Same++
				continue
			}
			s.seen[print] = true
			s.report.States++
			k.deep = s.deep > 0 && s.report.States%int64(s.deep) == 0
			if v := k.verify(img, storeDir); v.Class != Fine {
				return cut, v
			}
		}
	}
	return crashfs.Cut{}, Verdict{}
}

// replay makes a run of calls and says whether it fails as asked.
func replay(calls []oracle.Call, setup Setup, wrap func(vfs.FS) vfs.FS, prepare func(*crashfs.FS)) (*Run, Verdict) {
	fsys := crashfs.New()
	if prepare != nil {
		prepare(fsys)
	}
	r, v := newRun(fsys, setup, wrap)
	if v.Class == Fine {
		v = r.do(calls...)
	}
	if bad := closed(r); v.Class == Fine {
		v = bad
	}
	return r, v
}
