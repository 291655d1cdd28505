package otel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/lostletters"
	"github.com/tickwell/tickwell/metrics/otel"
	"github.com/tickwell/tickwell/tickwelltest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// collected lists what a reader sees, a line for each point.
func collected(t *testing.T, r *metric.ManualReader) (lines []string) {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := r.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			var points []metricdata.DataPoint[int64]
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				points = d.DataPoints
				if !d.IsMonotonic {
					t.Errorf("%s is no counter", m.Name)
				}
			case metricdata.Gauge[int64]:
				points = d.DataPoints
			}
			for _, p := range points {
				var attrs []string
				for _, kv := range p.Attributes.ToSlice() {
					attrs = append(attrs, string(kv.Key)+"="+kv.Value.AsString())
				}
				lines = append(lines, fmt.Sprintf("%s{%s} %d %s", m.Name, strings.Join(attrs, ","), p.Value, m.Unit))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func TestRegister(t *testing.T) {
	s := tickwelltest.New(t, &tickwell.Options{Triggers: []tickwell.TriggerSpec{{Name: "fails", Pattern: "root.d.v",
		Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return errors.New("no") })}}})
	s.Sink("out")
	for range 3 {
		s.Put("root.d", tickwell.Float64("v", 1))
		s.Clock.Advance(1)
	}
	reader := metric.NewManualReader()
	meter := metric.NewMeterProvider(metric.WithReader(reader)).Meter("test")
	registration, err := otel.Register(meter, s.DB, attribute.String("store", "test"))
	if err != nil {
		t.Fatal(err)
	}
	got := collected(t, reader)
	for _, want := range []string{
		"tickwell.points{store=test} 3 {point}", "tickwell.series{store=test} 1 {series}",
		"tickwell.trigger.fired{store=test,trigger=fails} 3 {firing}", "tickwell.trigger.failures{store=test} 3 {firing}",
		"tickwell.sink.backlog{sink=out,store=test} 0 {event}",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if err := registration.Unregister(); err != nil {
		t.Error(err)
	}
	if got := collected(t, reader); len(got) != 0 {
		t.Errorf("after Unregister there is\n%s", strings.Join(got, "\n"))
	}
}

// TestDeadLetters holds that kept and lost dead letters are told apart.
func TestDeadLetters(t *testing.T) {
	s, st := lostletters.Store(t)
	reader := metric.NewManualReader()
	registration, err := otel.Register(metric.NewMeterProvider(metric.WithReader(reader)).Meter("test"), s.DB)
	if err != nil {
		t.Fatal(err)
	}
	defer registration.Unregister()
	got := collected(t, reader)
	for _, want := range []string{
		fmt.Sprintf("tickwell.sink.dead_dropped{sink=out} %d {event}", st.DeadDropped),
		fmt.Sprintf("tickwell.sink.dead_letters{sink=out} %d {event}", st.DeadLetters),
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}
