package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/window"
)

// rowSink journals events as a table would show them.
func rowSink(j *journal) Sink {
	return SinkFunc(func(_ context.Context, es []Event) error {
		for i := range es {
			var fields []string
			for _, f := range es[i].Fields {
				fields = append(fields, fmt.Sprintf("%s=%s(%s)", f.Name, f.Value, f.Value.Kind()))
			}
			j.add("%s %d %s", es[i].Series, es[i].Time.Unix(), strings.Join(fields, " "))
		}
		return nil
	})
}

// The query of the Timeplus page, over car_live_data: tumbling windows of two
// seconds, grouped by car and window end, which is the row's time; averages, a
// maximum, and minima over flags. Two cars and three windows give six rows. A
// sink is added to the running query and removed again without stopping it.
func TestTimeplusExampleQuery(t *testing.T) {
	ctx := t.Context()
	var kafka, slack journal
	db := openMem(t, &Options{Clock: newFake(), Sinks: []SinkSpec{{Name: "kafka", Sink: rowSink(&kafka)}}})
	col := expr.Col
	cars := CQSpec{Name: "cars", AtEnd: true, Sinks: []string{"kafka"}, Query: Query{
		Select: []expr.Expr{expr.Avg(col("speed_kmh")).As("speed_kmh"), expr.Max(col("total_km")).As("total_km"), expr.Avg(col("gas_percent")).As("gas_percent"),
			expr.Min(col("locked")).As("locked"), expr.Min(col("in_use")).As("in_use")},
		From: []string{"root.car_live_data.*"}, GroupBy: GroupByTime{Interval: 2 * time.Second}, AlignByDevice: true,
	}}
	must(t, db.CreateContinuousQuery(ctx, cars))
	drive := func(cid string, sec int64, speed, km, gas float64, locked, used bool) {
		must(t, db.Insert(ctx, "root.car_live_data."+cid, time.Unix(sec, 0), Float64("speed_kmh", speed), Float64("total_km", km), Float64("gas_percent", gas),
			Bool("locked", locked), Bool("in_use", used)))
	}
	step := func(sec int64) {
		for _, cid := range []string{"c1", "c2"} {
			drive(cid, sec, 40, 10, 50, true, true)
			drive(cid, sec+1, 60, 12, 48, false, true)
		}
	}
	row := func(cid string, end int64) string {
		return fmt.Sprintf("root.car_live_data.%s %d speed_kmh=50(float64) total_km=12(float64) gas_percent=49(float64) locked=false(bool) in_use=true(bool)", cid, end)
	}
	step(0)
	step(2) // ends the first window
	must(t, db.Quiesce(ctx))
	must(t, db.AddSink(ctx, SinkSpec{Name: "slack", Sink: rowSink(&slack)}))
	cars.Sinks = []string{"kafka", "slack"}
	must(t, db.AlterContinuousQuery(ctx, cars))
	step(4)
	must(t, db.Quiesce(ctx))
	must(t, db.DropSink(ctx, "slack"))
	step(6)
	must(t, db.Quiesce(ctx))
	sorted := func(j *journal) []string {
		l := j.take()
		slices.Sort(l)
		return l
	}
	want := []string{row("c1", 2), row("c1", 4), row("c1", 6), row("c2", 2), row("c2", 4), row("c2", 6)}
	if got := sorted(&kafka); !slices.Equal(got, want) {
		t.Errorf("rows\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	if got, want := sorted(&slack), []string{row("c1", 4), row("c2", 4)}; !slices.Equal(got, want) {
		t.Errorf("the sink that came and went got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	infos := db.Stats().Sinks
	if len(infos) != 1 || infos[0].Name != "kafka" || infos[0].Type != "tickwell.SinkFunc" {
		t.Errorf("sinks %+v", infos)
	}
}

// A window evaluator sends to two sinks; when one fails the other still gets the
// event, and the one that failed gets it later.
func TestEvaluatorWithTwoSinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		var mqtt, am journal
		fails := true
		db := openMem(t, &Options{
			Sinks: []SinkSpec{
				{Name: "mqtt", Sink: SinkFunc(func(ctx context.Context, es []Event) error {
					if fails {
						return deliver.NotConnected(errors.New("broker is gone"))
					}
					return rowSink(&mqtt).Handle(ctx, es)
				})},
				{Name: "alertmanager", Sink: rowSink(&am)},
			},
			Triggers: []TriggerSpec{{Name: "window-avg-alerter", Pattern: "root.sg1.d1.s1", Sinks: []string{"mqtt", "alertmanager"},
				Trigger: OnWindow(window.Count(5), &window.Options[float64]{Strict: true}, func(_ context.Context, f *Firing, series string, w window.Window[float64]) error {
					sum := 0.0
					for _, v := range w.All() {
						sum += v
					}
					if avg := sum / float64(w.Len()); avg > 10 {
						f.Emit(Event{Series: series, Time: time.Unix(w.Time(0), 0), Fields: []Field{Float64("avg", avg)}})
					}
					return nil
				})}},
		})
		for i := range 10 {
			must(t, db.Insert(ctx, "root.sg1.d1", ns(int64(i+1)), Float64("s1", float64(2*i))))
		}
		synctest.Wait()
		want := "root.sg1.d1.s1 6 avg=14(float64)"
		am.want(t, want)
		mqtt.want(t)
		if st := db.Stats().Sinks; st[0].Name != "alertmanager" || st[0].Health != "ok" || st[1].Health == "ok" || st[1].Backlog != 1 {
			t.Errorf("%+v", st)
		}
		fails = false
		must(t, db.Quiesce(ctx))
		am.want(t)
		mqtt.want(t, want)
		must(t, db.Close())
	})
}
