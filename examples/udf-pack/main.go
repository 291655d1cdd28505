// Command udf-pack shows functions of one's own in each of their forms: a row
// function and an aggregate from closures, a UDTF that keeps state and takes
// parameters, and a UDAF that continuous queries and GROUP BY can merge. A pack
// is a slice that any program registers at Open.
//
//	go run ./examples/udf-pack
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// Pack is what a package of functions would export.
func Pack() []tickwell.FunctionSpec {
	return []tickwell.FunctionSpec{
		tickwell.RowFunc1("fahrenheit", func(c float64) float64 { return c*9/5 + 32 }),
		tickwell.RowFunc2("dew_point", dewPoint),
		tickwell.AggregateFunc("rms",
			func(s *sums, v float64) { s.n++; s.squares += v * v },
			func(s, other *sums) { s.n += other.n; s.squares += other.squares },
			func(s *sums) float64 { return math.Sqrt(s.squares / s.n) }),
		{Name: "smooth", UDTF: func() tickwell.UDTF { return new(smooth) }},
	}
}

type sums struct{ n, squares float64 }

// dewPoint is Magnus's formula: degrees Celsius and percent.
func dewPoint(c, humidity float64) float64 {
	const b, d = 17.62, 243.12
	g := math.Log(humidity/100) + b*c/(d+c)
	return d * g / (b - g)
}

// smooth is an exponential moving average with the parameter "alpha".
type smooth struct {
	alpha, value float64
	begun        bool
}

func (s *smooth) Validate(in *tickwell.UDFInput) error {
	if err := in.RequireInputs(1); err != nil {
		return err
	}
	return in.RequireKind(0, tickwell.KindFloat64, tickwell.KindInt64)
}

func (s *smooth) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	alpha, err := in.Params.Float64Or("alpha", 0.5)
	if err != nil {
		return err
	}
	s.alpha = alpha
	if !(s.alpha > 0 && s.alpha <= 1) {
		return fmt.Errorf("smooth: alpha is %v, it must be above 0 and at most 1", s.alpha)
	}
	cfg.Output(tickwell.KindFloat64)
	return nil
}

func (s *smooth) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if v := row.Float64(0); s.begun {
		s.value += s.alpha * (v - s.value)
	} else {
		s.value, s.begun = v, true
	}
	return out.PutFloat64(row.UnixNano(), s.value)
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal("udf-pack: ", err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	db, err := tickwell.Open(ctx, "", &tickwell.Options{Functions: Pack()})
	if err != nil {
		return err
	}
	defer db.Close()
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for i := range 6 {
		err := db.Insert(ctx, "root.garden", start.Add(time.Duration(i)*10*time.Minute),
			tickwell.Float64("temp", 20+3*math.Sin(float64(i))), tickwell.Float64("humidity", 60-2*float64(i)))
		if err != nil {
			return err
		}
	}
	temp, humidity := expr.Col("temp"), expr.Col("humidity")
	fmt.Fprintln(out, "time      temp    °F   dew point  smooth")
	err = each(ctx, db, tickwell.Query{From: []string{"root.garden"}, Select: []expr.Expr{
		temp, expr.Call("fahrenheit", temp), expr.Call("dew_point", temp, humidity), expr.Call("smooth", temp).With("alpha", "0.3"),
	}}, func(row tickwell.Row) {
		fmt.Fprintf(out, "%s %6.2f %6.2f %9.2f %8.2f\n", row.Time().UTC().Format("15:04"), row.Float64(0), row.Float64(1), row.Float64(2), row.Float64(3))
	})
	if err != nil {
		return err
	}
	err = each(ctx, db, tickwell.Query{From: []string{"root.garden"}, Select: []expr.Expr{expr.Call("rms", temp)},
		Start: start, End: start.Add(time.Hour), GroupBy: tickwell.GroupByTime{Interval: 30 * time.Minute}},
		func(row tickwell.Row) {
			fmt.Fprintf(out, "rms from %s: %.3f\n", row.Time().UTC().Format("15:04"), row.Float64(0))
		})
	if err != nil {
		return err
	}
	_, err = db.Query(ctx, tickwell.Query{From: []string{"root.garden"}, Select: []expr.Expr{expr.Call("smooth", temp).With("alpha", "2")}})
	fmt.Fprintln(out, "a wrong parameter:", err)
	return nil
}

func each(ctx context.Context, db *tickwell.DB, q tickwell.Query, f func(tickwell.Row)) error {
	r, err := db.Query(ctx, q)
	if err != nil {
		return err
	}
	for row, err := range r.Rows() {
		if err != nil {
			return err
		}
		f(row)
	}
	return nil
}
