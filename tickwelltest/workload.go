package tickwelltest

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/tickwell/tickwell"
)

// Workload makes rows as sensors do: random walks on hundredths, one row of
// each device a period, some late. The same Workload always makes the same
// rows. The zero value is one device with one measurement at 1 Hz.
type Workload struct {
	Device       string        // prefix of the devices' names: "root.load.d" gives root.load.d0 …; default "root.load.d"
	Devices      int           // default 1
	Measurements int           // m0 …, kind Float64; default 1
	Start        time.Time     // of the first row; default [Start]
	Every        time.Duration // default 1 s
	Late         float64       // share of rows that come up to 30 periods late, 0 to 1
	Nulls        float64       // share of cells without a value, 0 to 1
	Seed         uint64        // another seed makes other rows
}

// Tablets yields n periods of rows as tablets of one row each, in order of
// arrival. A tablet is the caller's to keep. Rows that are late at the end come
// last.
func (w Workload) Tablets(n int) iter.Seq[*tickwell.Tablet] {
	if w.Device == "" {
		w.Device = "root.load.d"
	}
	w.Devices, w.Measurements = max(w.Devices, 1), max(w.Measurements, 1)
	if w.Start.IsZero() {
		w.Start = Start
	}
	if w.Every == 0 {
		w.Every = time.Second
	}
	return func(yield func(*tickwell.Tablet) bool) {
		rng := rand.New(rand.NewPCG(w.Seed, 1))
		level := make([]int, w.Devices*w.Measurements)
		for i := range level {
			level[i] = 5000 + rng.IntN(1000)
		}
		const delay = 30
		var held [delay + 1][]*tickwell.Tablet
		for i := range n + delay {
			for d := range w.Devices {
				if i >= n {
					break
				}
				t := &tickwell.Tablet{Device: fmt.Sprint(w.Device, d), Times: []int64{w.Start.Add(time.Duration(i) * w.Every).UnixNano()}}
				for m := range w.Measurements {
					v := &level[d*w.Measurements+m]
					*v += rng.IntN(256) - 128
					col := tickwell.Column{Name: fmt.Sprint("m", m), Data: tickwell.Float64s{float64(*v) / 100}}
					if rng.Float64() < w.Nulls {
						col.Nulls.Set(0)
					}
					t.Columns = append(t.Columns, col)
				}
				if rng.Float64() < w.Late {
					at := (i + 1 + rng.IntN(delay)) % len(held)
					held[at] = append(held[at], t)
				} else if !yield(t) {
					return
				}
			}
			now := i % len(held)
			for _, t := range held[now] {
				if !yield(t) {
					return
				}
			}
			held[now] = nil
		}
	}
}
