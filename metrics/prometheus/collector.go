// Package prometheus shows the counters of a tickwell store to Prometheus.
//
//	registry.MustRegister(prometheus.New(db, nil))
package prometheus

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tickwell/tickwell"
)

// Collector is a [prometheus.Collector] of one store. It asks the store when it
// is collected and keeps nothing; it is safe for concurrent use, also while the
// store is closed.
type Collector struct {
	db       *tickwell.DB
	store    []gauge
	sinks    []sinkGauge
	triggers []triggerGauge
	queries  []queryGauge
}

var _ prometheus.Collector = (*Collector)(nil)

type gauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(*tickwell.Stats) float64
}

type sinkGauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(*tickwell.SinkStats) float64
}

type triggerGauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(*tickwell.TriggerInfo) float64
}

type queryGauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(*tickwell.CQInfo) float64
}

// New returns a collector for db. labels are added to all metrics, which
// tells the stores of one process apart.
func New(db *tickwell.DB, labels prometheus.Labels) *Collector {
	desc := func(name, help string, by ...string) *prometheus.Desc {
		return prometheus.NewDesc("tickwell_"+name, help, by, labels)
	}
	const g, c = prometheus.GaugeValue, prometheus.CounterValue
	return &Collector{
		db: db,
		store: []gauge{
			{desc("series", "Series that exist."), g, func(s *tickwell.Stats) float64 { return float64(s.Series) }},
			{desc("points_total", "Cells stored since the store was opened, and those it found."), c, func(s *tickwell.Stats) float64 { return float64(s.Points) }},
			{desc("late_rows_total", "Rows that were not newer than all rows of their device in memory."), c, func(s *tickwell.Stats) float64 { return float64(s.LateRows) }},
			{desc("memtable_bytes", "Memory for points that are not in files yet."), g, func(s *tickwell.Stats) float64 { return float64(s.MemtableBytes) }},
			{desc("outbox_bytes", "Memory for events that wait."), g, func(s *tickwell.Stats) float64 { return float64(s.OutboxBytes) }},
			{desc("disk_bytes", "Size of the block files."), g, func(s *tickwell.Stats) float64 { return float64(s.DiskBytes) }},
			{desc("log_bytes", "Size of the log."), g, func(s *tickwell.Stats) float64 { return float64(s.LogBytes) }},
			{desc("written_bytes_total", "Bytes given to the store's files."), c, func(s *tickwell.Stats) float64 { return float64(s.WrittenBytes) }},
			{desc("files", "Block files."), g, func(s *tickwell.Stats) float64 { return float64(s.Files) }},
			{desc("flushes_total", "Flushes of memory to block files."), c, func(s *tickwell.Stats) float64 { return float64(s.Flushes) }},
			{desc("trigger_failures_total", "Firings that failed, of triggers dropped since too."), c, func(s *tickwell.Stats) float64 { return float64(s.TriggerFailures) }},
		},
		sinks: []sinkGauge{
			{desc("sink_backlog_events", "Events that wait for a sink.", "sink"), g, func(s *tickwell.SinkStats) float64 { return float64(s.Backlog) }},
			{desc("sink_backlog_bytes", "What those events take of the outbox's bound.", "sink"), g, func(s *tickwell.SinkStats) float64 { return float64(s.Bytes) }},
			{desc("sink_oldest_age_seconds", "How long the oldest event has been waiting for a sink.", "sink"), g, func(s *tickwell.SinkStats) float64 { return s.OldestAge.Seconds() }},
			{desc("sink_drain_seconds", "How long the backlog of a sink takes at its present pace; -1: nothing comes through.", "sink"), g, func(s *tickwell.SinkStats) float64 { return drain(s.Drain) }},
			{desc("sink_dead_letters", "Events given up that are kept.", "sink"), g, func(s *tickwell.SinkStats) float64 { return float64(s.DeadLetters) }},
			{desc("sink_delivered_total", "Events that the target has acknowledged.", "sink"), c, func(s *tickwell.SinkStats) float64 { return float64(s.Delivered) }},
			{desc("sink_retries_total", "Attempts that failed and were or will be repeated.", "sink"), c, func(s *tickwell.SinkStats) float64 { return float64(s.Retries) }},
			{desc("sink_dead_total", "Events that were given up.", "sink"), c, func(s *tickwell.SinkStats) float64 { return float64(s.Dead) }},
			{desc("sink_dropped_total", "Events lost to the limits of the outbox.", "sink"), c, func(s *tickwell.SinkStats) float64 { return float64(s.Dropped) }},
			{desc("sink_dead_dropped_total", "Dead letters lost to the limits of the outbox.", "sink"), c, func(s *tickwell.SinkStats) float64 { return float64(s.DeadDropped) }},
			{desc("sink_healthy", "1 if the last attempt went well.", "sink"), g, func(s *tickwell.SinkStats) float64 { return bit(s.Health == "ok") }},
			{desc("sink_last_success_timestamp_seconds", "When the target last answered; 0: never.", "sink"), g, func(s *tickwell.SinkStats) float64 { return unix(s.LastSuccess) }},
		},
		triggers: []triggerGauge{
			{desc("trigger_fired_total", "Calls of a trigger.", "trigger"), c, func(t *tickwell.TriggerInfo) float64 { return float64(t.Fired) }},
			{desc("trigger_failed_total", "Calls of a trigger that failed.", "trigger"), c, func(t *tickwell.TriggerInfo) float64 { return float64(t.Failed) }},
			{desc("trigger_dropped_total", "Firings that a full queue has dropped.", "trigger"), c, func(t *tickwell.TriggerInfo) float64 { return float64(t.Dropped) }},
			{desc("trigger_waiting", "Firings in the queue of a trigger.", "trigger"), g, func(t *tickwell.TriggerInfo) float64 { return float64(t.Waiting) }},
			{desc("trigger_active", "1 if the trigger fires.", "trigger"), g, func(t *tickwell.TriggerInfo) float64 { return bit(t.State == "ACTIVE") }},
		},
		queries: []queryGauge{
			{desc("cq_runs_total", "Runs of a continuous query.", "query"), c, func(q *tickwell.CQInfo) float64 { return float64(q.Runs) }},
			{desc("cq_failed_total", "Runs of a continuous query that failed.", "query"), c, func(q *tickwell.CQInfo) float64 { return float64(q.Failed) }},
			{desc("cq_skipped_total", "Runs of a continuous query that were left out.", "query"), c, func(q *tickwell.CQInfo) float64 { return float64(q.Skipped) }},
			{desc("cq_lag_seconds", "How far a continuous query is behind.", "query"), g, func(q *tickwell.CQInfo) float64 { return q.Lag.Seconds() }},
			{desc("cq_dirty_windows", "Windows that a continuous query has yet to compute again.", "query"), g, func(q *tickwell.CQInfo) float64 { return float64(q.Dirty) }},
		},
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// drain is an estimate in seconds, -1 if there is none.
func drain(d time.Duration) float64 {
	if d < 0 {
		return -1
	}
	return d.Seconds()
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}

// Describe is part of [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.store {
		ch <- m.desc
	}
	for _, m := range c.sinks {
		ch <- m.desc
	}
	for _, m := range c.triggers {
		ch <- m.desc
	}
	for _, m := range c.queries {
		ch <- m.desc
	}
}

// Collect is part of [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	stats := c.db.Stats()
	for _, m := range c.store {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.get(&stats))
	}
	for i := range stats.Sinks {
		for _, m := range c.sinks {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.get(&stats.Sinks[i]), stats.Sinks[i].Name)
		}
	}
	for t := range c.db.Triggers() {
		for _, m := range c.triggers {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.get(&t), t.Spec.Name)
		}
	}
	queries, err := c.db.ContinuousQueries(context.Background())
	if err != nil {
		return // closed, or forbidden: the rest stands
	}
	for q := range queries {
		for _, m := range c.queries {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.get(&q), q.Spec.Name)
		}
	}
}
