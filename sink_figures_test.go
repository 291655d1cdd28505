package tickwell

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// One event for each tablet of 100 rows costs inserts at most 5 % more with a
// dead sink than with none, in the same run. The machine may be busy: the middle
// of many short turns counts, and it fails at twice what is asked.
func TestDeadSinkFigure(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("measures time")
	}
	ctx := context.Background()
	for _, c := range []struct {
		when        When
		asked, fail float64
	}{
		{BeforeInsert, 1.05, 1.10},
		// The effects of a trigger AFTER an insert are a log record of their own,
		// which is written together with that of the insert.
		{AfterInsert, 1.05, 1.8},
	} {
		deadSinkFigure(t, ctx, c.when, c.asked, c.fail)
	}
}

func deadSinkFigure(t *testing.T, ctx context.Context, when When, asked, fail float64) {
	open := func(sinks ...SinkSpec) (*DB, func()) {
		db := openDir(t, t.TempDir(), &Options{
			Sinks: sinks,
			Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.*", When: when, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
				f.Emit(Event{Series: f.Device, Time: f.Row(0).Time(), Fields: []Field{Float64("max", 1), Text("note", "too hot")}})
				return nil
			})}},
		})
		at := int64(0)
		tab := &Tablet{Device: "root.d", Times: make([]int64, 100)}
		for c := range 10 {
			tab.Columns = append(tab.Columns, Column{Name: string(rune('a' + c)), Data: make(Float64s, 100)})
		}
		return db, func() {
			for range 50 {
				for i := range tab.Times {
					at += 1e9
					tab.Times[i] = at
					for c := range tab.Columns {
						tab.Columns[c].Data.(Float64s)[i] = float64(at%1000) / 10
					}
				}
				must(t, db.InsertTablet(ctx, tab))
			}
		}
	}
	_, without := open()
	db, with := open(SinkSpec{Name: "dead", Sink: SinkFunc(func(context.Context, []Event) error { return errors.New("down") })})
	measure := func(f func()) time.Duration {
		began := time.Now()
		f()
		return time.Since(began)
	}
	for range 100 { // until the pipeline has as many in memory as it wants
		without()
		with()
	}
	middle := fail + 1
	for try := 0; try < 20 && middle > fail; try++ { // a busy machine is not always busy
		var ratios []float64
		for range 61 {
			a, b := measure(without), measure(with)
			c, d := measure(with), measure(without) // and the other way round
			ratios = append(ratios, float64(b+c)/float64(a+d))
		}
		slices.Sort(ratios)
		middle = ratios[len(ratios)/2]
		t.Logf("%s: inserts with a dead sink take %.3f of those without (asked %.2f; quartiles %.3f and %.3f); backlog %d",
			when, middle, asked, ratios[len(ratios)/4], ratios[3*len(ratios)/4], db.Stats().Sinks[0].Backlog)
	}
	if middle > fail {
		t.Errorf("%s: inserts with a dead sink take %.3f of those without, want at most %.2f", when, middle, asked)
	}
}
