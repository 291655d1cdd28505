package torture

import (
	"fmt"
	"strings"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// Flip flips bits of a store that has every kind of file, one at each byte of
// each file in turn: every one must be noticed or do no harm.
func Flip(o Options) *Report {
	r := newReport("flip", o.Seed)
	run, v := everyFile(o.Seed, 40)
	r.Runs, r.Acked = 1, int64(len(run.calls))
	if v.Class != Fine {
		r.fail(Failure{Verdict: v, Seed: o.Seed, Where: "making the store", Calls: run.calls})
		return r.done()
	}
	disk := run.fs.Image(run.fs.Ops(), crashfs.All, 0)
	all := files(disk, "/")
	for _, name := range sortedKeys(all) {
		if !strings.HasSuffix(name, o.only) {
			continue
		}
		r.Counts["files"]++
		r.Counts["bytes"] += int64(len(all[name]))
		for off := range all[name] {
			for bit := range o.Bits {
				if o.over(r) {
					r.Counts["cut_short"] = 1
					return r.done()
				}
				mask := byte(1) << ((int(mixed(int64(off)+int64(o.Seed)))&7 + bit) % 8)
				flipOne(&o, r, run, disk, name, all[name], off, mask)
			}
		}
	}
	return r.done()
}

func flipOne(o *Options, r *Report, run *Run, disk *vfs.Mem, name string, data []byte, off int, mask byte) {
	img := clone(disk)
	if err := patch(img, name, int64(off), []byte{data[off] ^ mask}); err != nil {
		r.fail(Failure{Verdict: failedWith(err, "flip")})
		return
	}
	var seen vfs.FS = img
	if o.wrap != nil {
		if err := write(img, "flipped", fmt.Appendf(nil, "%s %d", name, off)); err != nil {
			r.fail(Failure{Verdict: failedWith(err, "flip")})
			return
		}
		seen = o.wrap(img)
	}
	s := spoiled{run: run, fs: seen, file: name}
	v, reported := s.judge()
	r.States++
	switch {
	case reported:
		r.Counts["detected"]++
	case s.short:
		r.Counts["silent_tail"]++
	default:
		r.Counts["harmless"]++
	}
	if v.Class != Fine {
		r.fail(Failure{Verdict: v, Seed: o.Seed, Where: fmt.Sprintf("bits %02x of byte %d of %d of %s", mask, off, len(data), strings.TrimPrefix(name, "/")),
			Repeat: fmt.Sprintf("flip -seed %d", o.Seed)})
	}
}

func patch(m vfs.FS, name string, off int64, b []byte) error {
	f, err := m.OpenReadWrite(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(b, off)
	return err
}

func write(m vfs.FS, name string, b []byte) error {
	f, err := m.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(b)
	return err
}
