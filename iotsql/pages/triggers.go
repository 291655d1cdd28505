package pages

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
)

// size is how many points a window of TriggerExample has.
const size = 5

// windowAverage is TriggerExample of the 0.13 page: the average of each five
// points that follow one another; if it is below lo or above hi, it is written
// to root.alerting at the time of the first of them. The page writes it twice,
// to the store itself and by MQTT to the store; here both are the store. The
// points of a window that is not full are kept as state of the trigger.
type windowAverage struct{ lo, hi float64 }

func (a *windowAverage) OnCreate(_ context.Context, env tickwell.Env) error {
	var err, err2 error
	a.lo, err = env.Params.Float64Or("lo", math.Inf(-1))
	a.hi, err2 = env.Params.Float64Or("hi", math.Inf(1))
	return errors.Join(err, err2)
}

// A point of the window, as it is kept.
type point struct {
	Time  int64
	Value float64
}

func (a *windowAverage) Fire(_ context.Context, f *tickwell.Firing) error {
	for i := range f.Columns {
		c := &f.Columns[i]
		if c.Data.Kind() != tickwell.KindFloat64 {
			continue
		}
		series := f.Device + "." + c.Name
		var last int64
		var points []point
		if b, ok := f.Get(series); ok {
			last, points = decode(b)
		} else {
			last = math.MinInt64
		}
		for row, at := range f.Times {
			if c.Nulls.Get(row) || at <= last {
				continue
			}
			last = at
			points = append(points, point{at, f.Row(row).Float64(i)})
			if len(points) < size {
				continue
			}
			if err := a.evaluate(f, points); err != nil {
				return err
			}
			points = points[:0]
		}
		f.Put(series, encode(last, points))
	}
	return nil
}

func (a *windowAverage) evaluate(f *tickwell.Firing, points []point) error {
	sum := 0.0
	for _, p := range points {
		sum += p.Value
	}
	average := sum / size
	if average >= a.lo && average <= a.hi {
		return nil
	}
	t := &tickwell.Tablet{Device: "root.alerting"}
	at := time.Unix(0, points[0].Time)
	if err := t.Append(at, tickwell.Float64("remote", average), tickwell.Float64("local", average)); err != nil {
		return err
	}
	return f.Write(t)
}

func encode(last int64, points []point) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(last))
	for _, p := range points {
		b = binary.LittleEndian.AppendUint64(b, uint64(p.Time))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p.Value))
	}
	return b
}

func decode(b []byte) (last int64, points []point) {
	if len(b) < 8 {
		return math.MinInt64, nil
	}
	last = int64(binary.LittleEndian.Uint64(b))
	for b = b[8:]; len(b) >= 16; b = b[16:] {
		points = append(points, point{int64(binary.LittleEndian.Uint64(b)), math.Float64frombits(binary.LittleEndian.Uint64(b[8:]))})
	}
	return last, points
}

// alertListener sends an event for each value below lo or above hi.
type alertListener struct {
	name   string
	lo, hi float64
}

func (a *alertListener) OnCreate(_ context.Context, env tickwell.Env) error {
	var err, err2 error
	a.name = env.Name
	a.lo, err = env.Params.Float64Or("lo", math.Inf(-1))
	a.hi, err2 = env.Params.Float64Or("hi", math.Inf(1))
	return errors.Join(err, err2)
}

func (a *alertListener) Fire(_ context.Context, f *tickwell.Firing) error {
	for i, c := range f.Columns {
		for row, at := range f.Times {
			if v := f.Row(row).Float64(i); v < a.lo || v > a.hi {
				emit(f, at, f.Device+"."+c.Name, a.name, v, "warning", nil)
			}
		}
	}
	return nil
}

// clusterAlerting is ClusterAlertingExample of the 1.2 page: an alert for each
// DOUBLE above 50, a critical one above 100.
type clusterAlerting struct{}

func (clusterAlerting) Fire(_ context.Context, f *tickwell.Firing) error {
	for _, c := range f.Columns {
		values, ok := c.Data.(tickwell.Float64s)
		if !ok {
			continue
		}
		for i, v := range values {
			severity := "warning"
			switch {
			case c.Nulls.Get(i) || !(v > 50):
				continue
			case v > 100:
				severity = "critical"
			}
			emit(f, f.Times[i], "root.ln.wf01.wt01.temperature", "alert_test", v, severity, map[string]string{
				"summary": "high temperature", "description": "{{.alertname}}: {{.series}} is {{.value}}",
			})
		}
	}
	return nil
}

func emit(f *tickwell.Firing, at int64, series, name string, v float64, severity string, notes map[string]string) {
	f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Notes: notes, Labels: map[string]string{
		"alertname": name, "series": series, "severity": severity, "value": strconv.FormatFloat(v, 'f', -1, 64),
	}})
}
