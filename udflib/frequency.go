package udflib

import (
	"fmt"
	"math"
	"math/cmplx"

	"github.com/tickwell/tickwell"
)

func frequencyFunctions() []Function {
	wavelet := []Param{{"method", "haar", "wavelet: haar, which is also db2, db4, db6 or db8"}, {"coef", "", "an even number of filter coefficients separated by commas, instead of method"}, {"layer", "1", "how often the half of low frequency is transformed"}}
	pass := []Param{{"wpass", "", "cutoff in (0, 1), 1 being half the sampling frequency"}}
	return []Function{
		{Name: "conv", Does: "product of two series as polynomials, numbered from 0", Inputs: 2, udtf: udtf[conv]()},
		{Name: "deconv", Does: "quotient or remainder of the first series by the second as polynomials, lowest power first, numbered from 0", Inputs: 2,
			Params: []Param{{"result", "quotient", "quotient or remainder"}}, udtf: udtf[deconv]()},
		{Name: "dwt", Does: "discrete wavelet transform of 2^n points, at the times of the input", Inputs: 1, Params: wavelet, udtf: udtf[dwt]()},
		{Name: "envelope", Does: "spectrum of the envelope: the magnitude of the analytic signal, transformed; each up to half the sampling frequency, at its frequency in Hz times amplification as milliseconds", Inputs: 1,
			Params: []Param{{"frequency", "from the usual interval", "sampling frequency in Hz"}, {"amplification", "1", "factor of the frequencies, to tell apart those within 1 Hz"}}, udtf: udtf[envelope]()},
		{Name: "fft", Does: "discrete Fourier transform, numbered from 0", Inputs: 1,
			Params: []Param{{"method", "uniform", "uniform: times are ignored; nonuniform: they count, at the cost of n²"}, {"result", "abs", "real, imag, abs or angle"},
				{"compress", "1", "share of the energy to keep, in (0, 1]: the lowest frequencies that have it, and the last point for the length"}}, udtf: udtf[fft]()},
		{Name: "highpass", Does: "the series without the frequencies up to wpass", Inputs: 1, Params: pass, udtf: func() tickwell.UDTF { return &filter{high: true} }},
		{Name: "idwt", Does: "inverse of dwt with the same arguments", Inputs: 1, Params: wavelet, udtf: func() tickwell.UDTF { return &dwt{inverse: true} }},
		{Name: "ifft", Does: "real part of the inverse Fourier transform of a real and an imaginary part numbered from 0; those left out by compress are the conjugates of their counterparts", Inputs: 2,
			Nulls:  "rows with null, NaN or infinities are left out",
			Params: []Param{{"start", "1970-01-01 00:00:00", "time of the first point as yyyy-MM-dd HH:mm:ss in UTC"}, {"interval", "1s", "step, as a number with unit"}}, udtf: udtf[ifft]()},
		{Name: "lowpass", Does: "the series without the frequencies above wpass", Inputs: 1, Params: pass, udtf: udtf[filter]()},
		{Name: "stft", Does: "magnitudes of the Fourier transform of each nfft points by their number, at their times", Inputs: 1,
			Params: []Param{{"nfft", "all points", "points of a window; the last may be shorter"}, {"beta", "", "if given, magnitudes are rounded to multiples of 2^beta"}}, udtf: udtf[stft]()},
	}
}

// two is the part of a UDTF that holds two series apart.
type two struct{ a, b []float64 }

func (f *two) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	if v := row.Float64(0); finite(v) {
		f.a = append(f.a, v)
	}
	if v := row.Float64(1); finite(v) {
		f.b = append(f.b, v)
	}
	return nil
}

type conv struct{ two }

func (f *conv) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64)
	return read(in, 2).done()
}

func (f *conv) Terminate(out *tickwell.Collector) error {
	return emitIndexed(out, 0, convolve(f.a, f.b))
}

type deconv struct {
	two
	remainder bool
}

func (f *deconv) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 2)
	f.remainder = a.oneOf("result", "quotient", "remainder") == "remainder"
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *deconv) Terminate(out *tickwell.Collector) error {
	by := f.b
	for len(by) > 0 && by[len(by)-1] == 0 {
		by = by[:len(by)-1]
	}
	switch {
	case len(f.a) == 0:
		return nil
	case len(by) == 0:
		return fmt.Errorf("the second series is empty or zero: nothing can be divided by it: %w", tickwell.ErrBadInput)
	}
	quotient := make([]float64, max(1, len(f.a)-len(by)+1))
	for i := len(f.a) - len(by); i >= 0; i-- {
		q := f.a[i+len(by)-1] / by[len(by)-1]
		quotient[i] = q
		for j, b := range by {
			f.a[i+j] -= q * b
		}
		f.a[i+len(by)-1] = 0
	}
	if f.remainder {
		return emitIndexed(out, 0, f.a)
	}
	return emitIndexed(out, 0, quotient)
}

type fft struct {
	points
	uniform, compressed bool
	keep                float64
	part                func(complex128) float64
}

func (f *fft) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.uniform = a.oneOf("method", "uniform", "nonuniform") == "uniform"
	f.part = map[string]func(complex128) float64{
		"abs": cmplx.Abs, "angle": cmplx.Phase,
		"real": func(c complex128) float64 { return real(c) },
		"imag": func(c complex128) float64 { return imag(c) },
	}[a.oneOf("result", "abs", "angle", "real", "imag")]
	f.compressed = a.has("compress")
	f.keep = a.number("compress", 1, wantRank, "a share in (0, 1]")
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

// mostUneven is how many points a transform by time may have: it costs n².
const mostUneven = 1 << 14

// uneven is the transform of points at uneven times, each frequency summed over
// the points. The times are taken as parts of a period that is as much longer
// than their span as it would be if they were even.
func (f *fft) uneven() ([]complex128, error) {
	n := len(f.values)
	if n > mostUneven {
		return nil, fmt.Errorf("%d points are more than the %d of a nonuniform transform: %w", n, mostUneven, tickwell.ErrBadInput)
	}
	out := make([]complex128, n)
	if n < 2 {
		copy(out, spectrum(f.values))
		return out, nil
	}
	period := float64(f.times[n-1]-f.times[0]) * float64(n) / float64(n-1)
	for j, v := range f.values {
		at := float64(f.times[j]-f.times[0]) / period
		for k := range out {
			s, c := math.Sincos(-2 * math.Pi * math.Mod(float64(k)*at, 1))
			out[k] += complex(v*c, v*s)
		}
	}
	return out, nil
}

func energy(c complex128) float64 { return real(c)*real(c) + imag(c)*imag(c) }

func (f *fft) Terminate(out *tickwell.Collector) error {
	a := spectrum(f.values)
	if !f.uniform {
		var err error
		if a, err = f.uneven(); err != nil {
			return err
		}
	}
	n := len(a)
	last := n - 1 // the last of those from the front to be given
	if f.compressed && n > 0 {
		total := 0.0
		for _, c := range a {
			total += energy(c)
		}
		kept := energy(a[0])
		last = 0
		for last < n/2 && kept <= f.keep*total {
			last++
			kept += 2 * energy(a[last])
		}
	}
	for k, c := range a {
		if k > last && k < n-1 {
			continue
		}
		if err := out.PutFloat64(index(k), f.part(c)); err != nil {
			return err
		}
	}
	return nil
}

type ifft struct {
	bins            map[int]complex128
	last            int
	start, interval int64
}

// mostBins is how long a spectrum may be that is given by its times.
const mostBins = 1 << 24

func (f *ifft) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 2)
	f.start, _ = a.instant("start")
	f.interval = int64(a.duration("interval", 1e9))
	f.bins, f.last = map[int]complex128{}, -1
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *ifft) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	re, im := row.Float64(0), row.Float64(1)
	if !finite(re) || !finite(im) {
		return nil
	}
	at := row.UnixNano()
	if at < 0 || at%1e6 != 0 || at/1e6 >= mostBins {
		return fmt.Errorf("time %d is no number of a point: point i is at i milliseconds, with i below %d: %w", at, mostBins, tickwell.ErrBadInput)
	}
	f.last = int(at / 1e6)
	f.bins[f.last] = complex(re, im)
	return nil
}

func (f *ifft) Terminate(out *tickwell.Collector) error {
	n := f.last + 1
	a := make([]complex128, n)
	for k := range a {
		c, ok := f.bins[k]
		if !ok {
			c = cmplx.Conj(f.bins[n-k])
		}
		a[k] = c
	}
	transform(a, true)
	for i, c := range a {
		if err := out.PutFloat64(f.start+int64(i)*f.interval, real(c)); err != nil {
			return err
		}
	}
	return nil
}

// filter is highpass and lowpass.
type filter struct {
	points
	high  bool
	wpass float64
}

func (f *filter) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	a.need("wpass")
	f.wpass = a.number("wpass", 0.5, func(v float64) bool { return v > 0 && v < 1 }, "a frequency in (0, 1)")
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *filter) Terminate(out *tickwell.Collector) error {
	a := spectrum(f.values)
	n := len(a)
	for k := range a {
		if low := 2*float64(min(k, n-k)) <= f.wpass*float64(n); low == f.high {
			a[k] = 0
		}
	}
	transform(a, true)
	for i, c := range a {
		if err := out.PutFloat64(f.times[i], real(c)); err != nil {
			return err
		}
	}
	return nil
}

type stft struct {
	step float64 // 0: not rounded
}

func (f *stft) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	n := a.integer("nfft", math.MaxInt32, 1, math.MaxInt32)
	if a.has("beta") {
		f.step = math.Ldexp(1, a.integer("beta", 0, -1000, 1000))
	}
	cfg.Output(tickwell.KindFloat64).SlidingSize(n, n)
	return a.done()
}

func (f *stft) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	var p points
	for i := range w.Len() {
		if err := p.TransformRow(w.Row(i), out); err != nil {
			return err
		}
	}
	for i, c := range spectrum(p.values) {
		v := cmplx.Abs(c) / float64(len(p.values))
		if f.step > 0 {
			v = math.Round(v/f.step) * f.step
		}
		if err := out.PutFloat64(p.times[i], v); err != nil {
			return err
		}
	}
	return nil
}

type envelope struct {
	points
	frequency float64
	factor    float64
}

func (f *envelope) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.frequency = a.number("frequency", 0, func(v float64) bool { return v > 0 }, "a positive frequency")
	f.factor = float64(a.integer("amplification", 1, 1, math.MaxInt32))
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *envelope) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	if n < 2 {
		return nil
	}
	if f.frequency == 0 {
		f.frequency = 1e9 / float64(usual(f.times))
	}
	// The analytic signal has no negative frequencies.
	a := spectrum(f.values)
	for k := 1; k < n; k++ {
		switch {
		case 2*k < n:
			a[k] *= 2
		case 2*k > n:
			a[k] = 0
		}
	}
	transform(a, true)
	magnitude := make([]float64, n)
	for i, c := range a {
		magnitude[i] = cmplx.Abs(c)
	}
	last := int64(-1)
	for k, c := range spectrum(magnitude)[:n/2] {
		at := index(int(float64(k) * f.frequency / float64(n) * f.factor))
		if at <= last {
			return fmt.Errorf("frequencies %.3g Hz apart have no times of their own: a greater attribute \"amplification\" than %.0f tells them apart: %w",
				f.frequency/float64(n), f.factor, tickwell.ErrBadInput)
		}
		last = at
		if err := out.PutFloat64(at, cmplx.Abs(c)/float64(n)); err != nil {
			return err
		}
	}
	return nil
}

// usual is the most frequent difference of times, of several the first; 0 for
// fewer than two times.
func usual(times []int64) (gap int64) {
	counts, most := map[int64]int{}, 0
	for i := 1; i < len(times); i++ {
		counts[times[i]-times[i-1]]++
	}
	for i := 1; i < len(times); i++ {
		if d := times[i] - times[i-1]; counts[d] > most {
			gap, most = d, counts[d]
		}
	}
	return gap
}
