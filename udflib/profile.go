package udflib

import "github.com/tickwell/tickwell"

// udtf and udaf make makers.
func udtf[T any, P interface {
	*T
	tickwell.UDTF
}]() func() tickwell.UDTF {
	return func() tickwell.UDTF { return P(new(T)) }
}

func udaf[T any, P interface {
	*T
	tickwell.UDAF
}]() func() tickwell.UDAF {
	return func() tickwell.UDAF { return P(new(T)) }
}

func profileFunctions() []Function {
	const as0 = "null: no row; NaN and infinities count as 0"
	rankError := Param{"error", "0", "error of rank, in [0, 1): above 0 a sketch answers, within it in 99 of 100 cases"}
	compute := Param{"compute", "batch", "batch: of the whole input; stream: of the two values given"}
	return []Function{
		{Name: "acf", Does: "cross correlation of the series with itself, 2n-1 points numbered from 1", Inputs: 1, Nulls: as0, udtf: udtf[acf]()},
		{Name: "distinct", Does: "each value once, in the order of their first points, numbered from 1", Inputs: 1, Nulls: "left out; NaN is one value", udtf: udtf[distinct]()},
		{Name: "histogram", Does: "number of values in each of count equal ranges, numbered from 0; values outside count in the first or the last", Inputs: 1,
			Params: []Param{{"min", "-1.7976931348623157e+308", "begin of the first range"}, {"max", "1.7976931348623157e+308", "end of the last range"}, {"count", "1", "number of ranges"}}, udtf: udtf[histogram]()},
		{Name: "integral", Does: "area below the line through the points", Inputs: 1, Params: []Param{{"unit", "1s", "duration that counts as 1"}}, BuiltIn: "integral"},
		{Name: "integralavg", Does: "area below the line through the points by its duration; of one point its value, of none 0", Inputs: 1, udaf: udaf[integralAvg]()},
		{Name: "mad", Does: "median distance from the median", Inputs: 1, Params: []Param{{"error", "0", "relative error that is allowed, in [0, 1); the answer is exact whatever it is"}}, udaf: udaf[mad]()},
		{Name: "median", Does: "middle value, or the mean of the two in the middle", Inputs: 1, Params: []Param{rankError},
			udaf: func() tickwell.UDAF { return &ranked{middle: true} }},
		{Name: "minmax", Does: "values as share of the way from the least to the greatest one", Inputs: 1,
			Params: []Param{compute, {"min", "", "least value, for stream"}, {"max", "", "greatest value, for stream"}}, udtf: udtf[standard]()},
		{Name: "mode", Does: "most frequent value, of several the one seen first", Inputs: 1, Nulls: "left out; NaN is one value", BuiltIn: "mode"},
		{Name: "mvavg", Does: "mean of the last points, once there are as many", Inputs: 1, Params: []Param{{"window", "10", "number of points"}}, udtf: udtf[mvavg]()},
		{Name: "pacf", Does: "partial autocorrelation by the equations of Yule and Walker, from lag 0, at the times of the input; NaN where they have no solution", Inputs: 1, Nulls: as0,
			Params: []Param{{"lag", "10·log10(n)", "greatest lag, at most n-1"}}, udtf: udtf[pacf]()},
		{Name: "percentile", Does: "least value that a share rank of all does not exceed", Inputs: 1, Params: []Param{{"rank", "0.5", "share, in (0, 1]"}, rankError},
			udaf: func() tickwell.UDAF { return &ranked{} }},
		{Name: "period", Does: "number of points after which the series repeats itself; 0 if it does not", Inputs: 1, udaf: udaf[period]()},
		{Name: "qlb", Does: "p-value of the test of Ljung and Box for autocorrelation up to each lag, numbered by it", Inputs: 1, Nulls: as0,
			Params: []Param{{"lag", "n-2", "greatest lag, at most n-2"}}, udtf: udtf[qlb]()},
		{Name: "quantile", Does: "value of rank ⌊rank·n⌋, by a KLL sketch; exact for up to K values", Inputs: 1,
			Params: []Param{{"rank", "0.5", "share, in (0, 1]"}, {"K", "800", "size of the sketch, at least 100: with 800 the rank is within 1 % in 99 of 100 cases"}},
			udaf:   func() tickwell.UDAF { return &ranked{lower: true} }},
		{Name: "resample", Does: "a value for each step of an even grid, aggregated from its points or interpolated", Inputs: 1,
			Params: []Param{{"every", "", "step, as a number with unit"}, {"interp", "nan", "value of steps without points: nan, ffill, bfill or linear"},
				{"aggr", "mean", "value of steps with points: mean, max, min, first, last or median"},
				{"start", "first point", "begin as yyyy-MM-dd HH:mm:ss in UTC"}, {"end", "after the last point", "end, outside"}}, udtf: udtf[resample]()},
		{Name: "sample", Does: "k points of the input", Inputs: 1, Nulls: "left out; NaN is a value",
			Params: []Param{{"method", "reservoir", "reservoir: by chance; isometric: evenly by number; triangle: what shapes the line most"}, {"k", "1", "number of points"},
				{"seed", "0", "of the chance: the same gives the same points"}}, udtf: udtf[sampled]()},
		{Name: "segment", Does: "the series as lines: the first point of each, or all", Inputs: 1,
			Params: []Param{{"output", "first", "first or all"}, {"error", "0.1", "mean distance from its line that a piece stays below"}}, udtf: udtf[segment]()},
		{Name: "skew", Does: "skewness of a population", Inputs: 1, udaf: udaf[skew]()},
		{Name: "spline", Does: "smooth line through at least 4 points at even times, a cubic spline after Akima", Inputs: 1, Params: []Param{{"points", "", "number of points to give, at least 2"}}, udtf: udtf[spline]()},
		{Name: "spread", Does: "greatest value less the least", Inputs: 1, udaf: udaf[spread]()},
		{Name: "stddev", Does: "standard deviation of a population", Inputs: 1, BuiltIn: "stddev_pop"},
		{Name: "zscore", Does: "values less their mean, by their standard deviation", Inputs: 1,
			Params: []Param{compute, {"avg", "", "mean, for stream"}, {"sd", "", "standard deviation, for stream"}},
			udtf:   func() tickwell.UDTF { return &standard{zscore: true} }},
	}
}
