package udflib

import "math"

// upperGamma is the regularised upper incomplete gamma function Q(a, x), by its
// series for small x and its continued fraction for others (Abramowitz and
// Stegun 6.5.29 and 6.5.31).
func upperGamma(a, x float64) float64 {
	switch {
	case math.IsNaN(x) || x < 0 || a <= 0:
		return math.NaN()
	case x == 0:
		return 1
	case math.IsInf(x, 1):
		return 0
	}
	lg, _ := math.Lgamma(a)
	scale := math.Exp(a*math.Log(x) - x - lg)
	if x < a+1 {
		term := 1 / a
		sum := term
		for n := 1; n < 10000 && term > sum*1e-17; n++ {
			term *= x / (a + float64(n))
			sum += term
		}
		return 1 - sum*scale
	}
	// The fraction from the front, by the ratios of its approximants (Lentz).
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	f := d
	for n := 1; n < 10000; n++ {
		k := float64(n)
		num := -k * (k - a)
		b += 2
		d = 1 / orTiny(num*d+b, tiny)
		c = orTiny(b+num/c, tiny)
		f *= c * d
		if math.Abs(c*d-1) < 1e-16 {
			break
		}
	}
	return f * scale
}

func orTiny(x, tiny float64) float64 {
	if math.Abs(x) < tiny {
		return tiny
	}
	return x
}

// chiSquareTail is the probability that a chi-square of k degrees of freedom
// exceeds x.
func chiSquareTail(x float64, k int) float64 { return upperGamma(float64(k)/2, x/2) }
