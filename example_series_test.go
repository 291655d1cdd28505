package tickwell_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
)

// Many points are read fastest by column: a block lends its times, in Unix
// nanoseconds, and its values until the next step.
func ExampleSeries_Blocks() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	temperature, err := tickwell.SeriesOf[float64](db, "root.ln.wf01.wt01.temperature")
	if err != nil {
		panic(err)
	}
	start := time.Unix(1_700_000_000, 0)
	for i := range 10_000 {
		if err := temperature.Insert(ctx, start.Add(time.Duration(i)*time.Second), 20+float64(i%8)/4); err != nil {
			panic(err)
		}
	}

	points, degreeSeconds := 0, 0.0
	last := int64(0)
	for b, err := range temperature.Blocks(ctx, start, start.Add(time.Hour)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for i, v := range b.Values {
			if last != 0 {
				degreeSeconds += v * float64(b.Times[i]-last) / 1e9
			}
			last = b.Times[i]
		}
		points += len(b.Times)
	}
	fmt.Println(points, "points,", degreeSeconds/3600, "degrees on average")
	// Output: 3600 points, 20.869444444444444 degrees on average
}
