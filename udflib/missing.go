package udflib

import (
	"math"

	"github.com/tickwell/tickwell"
)

// missDetect finds points that were filled in by lines.
type missDetect struct {
	points
	least int
}

func (f *missDetect) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.least = a.integer("minlen", a.integer("error", 10, 10, 1<<24), 10, 1<<24)
	cfg.Output(tickwell.KindBool)
	return a.done()
}

// A line is fitted to points whose times are counted from the first of them.
type line struct {
	n, sx, sy, sxx, sxy, syy float64
	same                     bool    // all values are
	value                    float64 // the first
}

func (l *line) add(x, y float64) {
	if l.n == 0 {
		l.same, l.value = true, y
	}
	l.same = l.same && y == l.value
	l.n++
	y -= l.value // so that the sums cancel less
	l.sx, l.sy = l.sx+x, l.sy+y
	l.sxx, l.sxy, l.syy = l.sxx+x*x, l.sxy+x*y, l.syy+y*y
}

// straight is the share of the variance that the line explains; all of it if
// there is none.
func (l *line) straight() float64 {
	if l.same {
		return 1
	}
	xx, xy, yy := l.sxx-l.sx*l.sx/l.n, l.sxy-l.sx*l.sy/l.n, l.syy-l.sy*l.sy/l.n
	return xy * xy / (xx * yy)
}

// enough is how straight a line must be, and mostly from which mean of all
// windows on a series is made of lines by nature.
const (
	enough = 0.9999
	mostly = 0.6
)

func (f *missDetect) Terminate(out *tickwell.Collector) error {
	for i, is := range f.lines() {
		if err := out.PutBool(f.times[i], is); err != nil {
			return err
		}
	}
	return nil
}

func (f *missDetect) lines() []bool {
	n, size := len(f.values), f.least/2
	found := make([]bool, n)
	sum, windows := 0.0, 0.0
	type run struct{ lo, hi int }
	var runs []run
	for i := 0; i+size < n; {
		var l line
		// Seconds from the begin of the window.
		x := func(j int) float64 { return float64(f.times[j]-f.times[i]) / 1e9 }
		for j := i; j < i+size; j++ {
			l.add(x(j), f.values[j])
		}
		sum, windows = sum+l.straight(), windows+1
		if l.straight() < enough {
			i += size
			continue
		}
		horizontal := l.same
		lo, hi := i, i+size
		for try := l; lo > 0; lo-- {
			if try.add(x(lo-1), f.values[lo-1]); try.straight() < enough || horizontal != try.same {
				break
			}
			l = try
		}
		for try := l; hi < n; hi++ {
			if try.add(x(hi), f.values[hi]); try.straight() < enough || horizontal != try.same {
				break
			}
		}
		// A fill has a value on either side.
		if lo > 0 && hi < n && hi-lo >= f.least {
			runs = append(runs, run{lo, hi})
		}
		i = max(hi, i+size)
	}
	if math.IsNaN(sum) || sum/windows >= mostly {
		return found
	}
	for _, r := range runs {
		for i := r.lo; i < r.hi; i++ {
			found[i] = true
		}
	}
	return found
}
