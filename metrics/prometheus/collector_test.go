package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/lostletters"
	"github.com/tickwell/tickwell/metrics/prometheus"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestCollector(t *testing.T) {
	s := tickwelltest.New(t, &tickwell.Options{
		Triggers: []tickwell.TriggerSpec{
			{Name: "tell", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
				f.Emit(tickwell.Event{Series: "root.d.v", Time: f.Row(0).Time()})
				return nil
			})},
			{Name: "fails", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return errors.New("no") })},
		},
		ContinuousQueries: []tickwell.CQSpec{{Name: "mean", Every: time.Minute, Query: tickwell.Query{
			Select: []expr.Expr{expr.Avg(expr.Col("v"))}, From: []string{"root.d"}, GroupBy: tickwell.GroupByTime{Interval: time.Minute},
			Into: []tickwell.Target{{Device: "root.m", Columns: []string{"v"}}}}}},
	})
	s.Sink("out")
	for range 3 {
		s.Put("root.d", tickwell.Float64("v", 1))
		s.Advance(20 * time.Second)
	}
	c := prometheus.New(s.DB, prom.Labels{"store": "test"})
	want := `
# HELP tickwell_points_total Cells stored since the store was opened, and those it found.
# TYPE tickwell_points_total counter
tickwell_points_total{store="test"} 4
# HELP tickwell_trigger_fired_total Calls of a trigger.
# TYPE tickwell_trigger_fired_total counter
tickwell_trigger_fired_total{store="test",trigger="fails"} 3
tickwell_trigger_fired_total{store="test",trigger="tell"} 3
# HELP tickwell_trigger_failures_total Firings that failed, of triggers dropped since too.
# TYPE tickwell_trigger_failures_total counter
tickwell_trigger_failures_total{store="test"} 3
# HELP tickwell_sink_delivered_total Events that the target has acknowledged.
# TYPE tickwell_sink_delivered_total counter
tickwell_sink_delivered_total{sink="out",store="test"} 3
# HELP tickwell_cq_runs_total Runs of a continuous query.
# TYPE tickwell_cq_runs_total counter
tickwell_cq_runs_total{query="mean",store="test"} 2
`
	names := []string{"tickwell_points_total", "tickwell_trigger_fired_total", "tickwell_trigger_failures_total", "tickwell_sink_delivered_total", "tickwell_cq_runs_total"}
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	// The rules of `promtool check metrics`.
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

// A closed store has numbers, too, and breaks no scrape.
func TestCollectorClosed(t *testing.T) {
	db, err := tickwell.Open(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	registry := prom.NewPedanticRegistry()
	registry.MustRegister(prometheus.New(db, nil))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}

// TestDeadLetters holds that kept and lost dead letters are told apart.
func TestDeadLetters(t *testing.T) {
	s, st := lostletters.Store(t)
	want := fmt.Sprintf(`
# HELP tickwell_sink_dead_dropped_total Dead letters lost to the limits of the outbox.
# TYPE tickwell_sink_dead_dropped_total counter
tickwell_sink_dead_dropped_total{sink="out"} %d
# HELP tickwell_sink_dead_letters Events given up that are kept.
# TYPE tickwell_sink_dead_letters gauge
tickwell_sink_dead_letters{sink="out"} %d
# HELP tickwell_sink_dropped_total Events lost to the limits of the outbox.
# TYPE tickwell_sink_dropped_total counter
tickwell_sink_dropped_total{sink="out"} 0
`, st.DeadDropped, st.DeadLetters)
	if err := testutil.CollectAndCompare(prometheus.New(s.DB, nil), strings.NewReader(want), "tickwell_sink_dead_dropped_total", "tickwell_sink_dead_letters", "tickwell_sink_dropped_total"); err != nil {
		t.Error(err)
	}
}
