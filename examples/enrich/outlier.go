package main

import (
	"context"
	"encoding/json"
	"math"

	"github.com/tickwell/tickwell"
)

// outliers sends amounts that are more than three standard deviations from the
// mean of the amounts before, once it has seen enough of them.
type outliers struct{}

// past is the count, mean and sum of squared differences so far (Welford).
type past struct{ N, Mean, M2 float64 }

const enough = 20

// Fire is called with new amounts of one till.
func (o *outliers) Fire(_ context.Context, f *tickwell.Firing) error {
	var p past
	if b, ok := f.Get(f.Device); ok {
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
	}
	for row := range f.Rows() {
		x := row.Get("amount").Float64()
		if deviation := math.Sqrt(p.M2 / max(p.N, 1)); p.N >= enough && math.Abs(x-p.Mean) > 3*deviation {
			f.Emit(tickwell.Event{Series: f.Device, Time: row.Time(), Fields: []tickwell.Field{
				tickwell.Float64("amount", x), tickwell.Float64("mean", math.Round(p.Mean*100)/100), tickwell.Float64("deviation", math.Round(deviation*100)/100),
			}})
			continue // it is not what is usual
		}
		p.N++
		d := x - p.Mean
		p.Mean += d / p.N
		p.M2 += d * (x - p.Mean)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f.Put(f.Device, b)
	return nil
}
