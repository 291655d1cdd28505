package udflib

import (
	"fmt"
	"math"

	"github.com/tickwell/tickwell"
)

// modelled is what mastertrain and masterdetect share: rows that are taken for
// right if a master row is near, and a vector autoregressive model of them. It
// speaks of columns less their means, in standard deviations, both those of the
// master data.
type modelled struct {
	master
	order int
	eta   float64 // 0: by the rule of three standard deviations
	means []float64
	z     [][]float64 // the rows
	zm    [][]float64 // the master rows
	right []bool
}

func (f *modelled) params(a *args) {
	a.need("p")
	f.order = a.integer("p", 1, 1, 1<<10)
	f.eta = a.number("eta", 0, func(v float64) bool { return v > 0 }, "a positive distance")
}

// standardise computes z, zm and right.
func (f *modelled) standardise() error {
	if err := f.prepare(); err != nil {
		return err
	}
	// By the master data, which wrong rows do not move.
	f.means = make([]float64, f.width)
	for c := range f.width {
		xs := make([]float64, len(f.master.master))
		for i, r := range f.master.master {
			xs[i] = r[c]
		}
		f.means[c] = mean(xs)
		if f.scale[c] = math.Sqrt(variance(xs)); f.scale[c] == 0 {
			f.scale[c] = 1
		}
	}
	standard := func(rows [][]float64) [][]float64 {
		out := make([][]float64, len(rows))
		for i, r := range rows {
			out[i] = make([]float64, f.width)
			for c, v := range r {
				out[i][c] = (v - f.means[c]) / f.scale[c]
			}
		}
		return out
	}
	f.z, f.zm = standard(f.rows), standard(f.master.master)
	off := make([]float64, len(f.z))
	for i, r := range f.rows {
		off[i] = f.near(r, 1)[0].d
	}
	if f.eta == 0 {
		f.eta = threeSigma(off)
	}
	f.right = make([]bool, len(off))
	for i, d := range off {
		f.right[i] = d <= f.eta
	}
	return nil
}

// threeSigma is the mean and three standard deviations more.
func threeSigma(xs []float64) float64 { return mean(xs) + 3*math.Sqrt(variance(xs)) }

// before gives the values of the p rows before i, the last one first.
func (f *modelled) before(rows [][]float64, i int) []float64 {
	x := make([]float64, 0, f.order*f.width)
	for j := 1; j <= f.order; j++ {
		x = append(x, rows[i-j]...)
	}
	return x
}

type masterTrain struct{ modelled }

func (f *masterTrain) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := readBetween(in, 2, math.MaxInt32)
	a.require(len(in.Inputs)%2 == 0, "the inputs are columns and as many columns of master data: their number must be even")
	f.width = len(in.Inputs) / 2
	f.params(a)
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *masterTrain) Terminate(out *tickwell.Collector) error {
	if len(f.rows) == 0 {
		return nil
	}
	if err := f.standardise(); err != nil {
		return err
	}
	n := f.order * f.width
	xx := make([][]float64, n) // products of what is known with itself …
	xy := make([][]float64, n) // … and with what follows
	for i := range n {
		xx[i], xy[i] = make([]float64, n), make([]float64, f.width)
	}
	samples, run := 0, 0
	for i, ok := range f.right {
		if run++; !ok {
			run = 0
		}
		if run <= f.order {
			continue
		}
		samples++
		for a, x := range f.before(f.z, i) {
			for b, y := range f.before(f.z, i) {
				xx[a][b] += x * y
			}
			for c, y := range f.z[i] {
				xy[a][c] += x * y
			}
		}
	}
	if samples < n {
		return fmt.Errorf("a model of order %d of %d columns needs %d runs of %d right rows, there are %d: %w",
			f.order, f.width, n, f.order+1, samples, tickwell.ErrBadInput)
	}
	solve(xx, xy)
	var all []float64
	for c := range f.width {
		for a := range n {
			all = append(all, xy[a][c])
		}
	}
	return emitIndexed(out, 1, all)
}

// solve replaces b by the solution of a·x = b, by elimination with the largest
// pivot. a is a matrix of products; what it does not determine becomes 0.
func solve(a, b [][]float64) {
	n := len(a)
	size := 0.0
	for i := range n {
		size = max(size, math.Abs(a[i][i]))
	}
	dead := make([]bool, n)
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[p][k]) {
				p = i
			}
		}
		a[k], a[p], b[k], b[p] = a[p], a[k], b[p], b[k]
		if dead[k] = math.Abs(a[k][k]) <= 1e-12*size; dead[k] {
			continue
		}
		for i := k + 1; i < n; i++ {
			f := a[i][k] / a[k][k]
			for j := k; j < n; j++ {
				a[i][j] -= f * a[k][j]
			}
			for c := range b[i] {
				b[i][c] -= f * b[k][c]
			}
		}
	}
	for k := n - 1; k >= 0; k-- {
		for c := range b[k] {
			v := b[k][c]
			for j := k + 1; j < n; j++ {
				v -= a[k][j] * b[j][c]
			}
			if b[k][c] = v / a[k][k]; dead[k] {
				b[k][c] = 0
			}
		}
	}
}

type masterDetect struct {
	modelled
	repair  bool
	k, col  int
	beta    float64
	kind    tickwell.Kind
	weights []float64
}

func (f *masterDetect) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := readBetween(in, 3, math.MaxInt32)
	a.require(len(in.Inputs)%2 == 1, "the inputs are columns, as many columns of master data, and the model: their number must be odd")
	f.width = len(in.Inputs) / 2
	f.params(a)
	f.repair = a.oneOf("output_type", "repair", "anomaly") == "repair"
	f.k = a.integer("k", 3, 1, 1<<15)
	f.beta = a.number("beta", 0, func(v float64) bool { return v > 0 }, "a positive distance")
	f.col = a.integer("output_column", 1, 1, max(1, f.width)) - 1
	if a.err == nil {
		if f.kind = in.Inputs[f.col].Kind; !f.repair {
			f.kind = tickwell.KindBool
		}
		cfg.Output(f.kind)
	}
	return a.done()
}

func (f *masterDetect) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if v := row.Float64(2 * f.width); finite(v) {
		f.weights = append(f.weights, v)
	}
	return f.master.TransformRow(row, out)
}

// predict is what the model says of the row after x.
func (f *masterDetect) predict(x []float64) []float64 {
	out := make([]float64, f.width)
	for c := range out {
		for i, v := range x {
			out[c] += f.weights[c*len(x)+i] * v
		}
	}
	return out
}

func (f *masterDetect) Terminate(out *tickwell.Collector) error {
	if len(f.rows) == 0 {
		return nil
	}
	if want := f.width * f.width * f.order; len(f.weights) != want {
		return fmt.Errorf("a model of order %d of %d columns has %d coefficients, the last input has %d: %w",
			f.order, f.width, want, len(f.weights), tickwell.ErrBadInput)
	}
	if err := f.standardise(); err != nil {
		return err
	}
	off := f.repairRows()
	if f.beta == 0 {
		f.beta = threeSigma(off)
	}
	for i, at := range f.times {
		var err error
		if f.repair {
			err = put(out, f.kind, at, f.rows[i][f.col])
		} else {
			err = out.PutBool(at, off[i] > f.beta)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// repairRows replaces the rows that no master row is near, and returns how far
// each row then is from what the model says. Of the k master rows nearest to
// that, the one is taken from which the model also leads to the next row, if
// that is right.
func (f *masterDetect) repairRows() []float64 {
	off := make([]float64, len(f.z))
	for i := range f.z {
		said := f.z[i]
		if i >= f.order {
			said = f.predict(f.before(f.z, i))
		}
		if !f.right[i] {
			var near []neighbour
			for m, r := range f.zm {
				near = nearest(near, f.k, neighbour{m, distance(said, r)})
			}
			best, least := near[0].i, math.Inf(1)
			for _, c := range near {
				loss := c.d
				if i >= f.order && i+1 < len(f.z) && f.right[i+1] {
					f.z[i] = f.zm[c.i]
					loss += distance(f.predict(f.before(f.z, i+1)), f.z[i+1])
				}
				if loss < least {
					best, least = c.i, loss
				}
			}
			f.z[i], f.rows[i] = f.zm[best], f.master.master[best]
		}
		if i >= f.order {
			off[i] = distance(said, f.z[i])
		}
	}
	return off
}
