package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/window"
)

// heapAlert is a trigger: it cuts the heap into windows of one second that
// slide by a quarter, and tells when their average passes high, and again when
// it is back below low.
type heapAlert struct {
	high, low float64
	firing    bool
	handler   *window.Handler[float64]
	now       *tickwell.Firing // the call that windows close in
}

// OnCreate makes the window handler.
func (a *heapAlert) OnCreate(context.Context, tickwell.Env) (err error) {
	a.handler, err = window.New(window.Sliding(time.Second, time.Second/4), a.evaluate, nil)
	return err
}

// Fire gives the new rows to the window handler.
func (a *heapAlert) Fire(_ context.Context, f *tickwell.Firing) error {
	a.now = f
	defer func() { a.now = nil }()
	_, err := a.handler.CollectBatch(f.Times, f.Float64s("heap_mib"))
	return err
}

func (a *heapAlert) evaluate(w window.Window[float64]) error {
	var sum float64
	for _, v := range w.Values() {
		sum += v
	}
	avg := sum / float64(w.Len())
	e := tickwell.Event{
		Series: heap + ".heap_mib", Time: time.Unix(0, w.End()),
		Fields: []tickwell.Field{tickwell.Float64("average", avg)},
		Labels: map[string]string{"alertname": "heap-high"},
	}
	switch {
	case !a.firing && avg > a.high:
		a.firing, e.Status = true, tickwell.StatusFiring
		e.Notes = map[string]string{"summary": fmt.Sprintf("heap averages %.1f MiB, above %.0f", avg, a.high)}
	case a.firing && avg < a.low:
		a.firing, e.Status = false, tickwell.StatusResolved
		e.Notes = map[string]string{"summary": fmt.Sprintf("heap averages %.1f MiB, below %.0f again", avg, a.low)}
	default:
		return nil
	}
	a.now.Emit(e)
	return nil
}

// growth is a UDTF: for each window it gives the slope from the first to the
// last value, per second.
type growth struct{}

// BeforeStart reads the window length from the call.
func (growth) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	d, err := time.ParseDuration(in.Params.TextOr("window", "1s"))
	if err != nil {
		return err
	}
	cfg.Output(tickwell.KindFloat64).SlidingTime(d, d/5)
	return nil
}

// TransformWindow gives the slope of one window at its first instant.
func (growth) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	if w.Len() < 2 {
		return nil
	}
	first, last := w.Row(0), w.Row(w.Len()-1)
	took := last.Time().Sub(first.Time()).Seconds()
	return out.PutFloat64(w.Start(), (last.Float64(0)-first.Float64(0))/took)
}
