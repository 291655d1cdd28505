// Package otel gives the counters of a tickwell store to OpenTelemetry.
//
//	registration, err := otel.Register(meter, db)
//	defer registration.Unregister()
package otel

import (
	"context"
	"errors"

	"github.com/tickwell/tickwell"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// instrument is one observable of a thing T of the store.
type instrument[T any] struct {
	name, unit, help string
	total            bool // a counter, not a gauge
	get              func(*T) int64
	observable       metric.Int64Observable
}

var (
	store = []instrument[tickwell.Stats]{
		{name: "series", unit: "{series}", help: "Series that exist.", get: func(s *tickwell.Stats) int64 { return int64(s.Series) }},
		{name: "points", unit: "{point}", help: "Cells stored since the store was opened, and those it found.", total: true, get: func(s *tickwell.Stats) int64 { return s.Points }},
		{name: "late_rows", unit: "{row}", help: "Rows that were not newer than all rows of their device in memory.", total: true, get: func(s *tickwell.Stats) int64 { return s.LateRows }},
		{name: "memtable.size", unit: "By", help: "Memory for points that are not in files yet.", get: func(s *tickwell.Stats) int64 { return s.MemtableBytes }},
		{name: "outbox.size", unit: "By", help: "Memory for events that wait.", get: func(s *tickwell.Stats) int64 { return s.OutboxBytes }},
		{name: "disk.size", unit: "By", help: "Size of the block files.", get: func(s *tickwell.Stats) int64 { return s.DiskBytes }},
		{name: "log.size", unit: "By", help: "Size of the log.", get: func(s *tickwell.Stats) int64 { return s.LogBytes }},
		{name: "written", unit: "By", help: "Bytes given to the store's files.", total: true, get: func(s *tickwell.Stats) int64 { return s.WrittenBytes }},
		{name: "files", unit: "{file}", help: "Block files.", get: func(s *tickwell.Stats) int64 { return int64(s.Files) }},
		{name: "flushes", unit: "{flush}", help: "Flushes of memory to block files.", total: true, get: func(s *tickwell.Stats) int64 { return s.Flushes }},
		{name: "trigger.failures", unit: "{firing}", help: "Firings that failed.", total: true, get: func(s *tickwell.Stats) int64 { return s.TriggerFailures }},
	}
	sinks = []instrument[tickwell.SinkStats]{
		{name: "sink.backlog", unit: "{event}", help: "Events that wait for a sink.", get: func(s *tickwell.SinkStats) int64 { return s.Backlog }},
		{name: "sink.backlog.size", unit: "By", help: "What those events take of the outbox's bound.", get: func(s *tickwell.SinkStats) int64 { return s.Bytes }},
		{name: "sink.oldest.age", unit: "ms", help: "How long the oldest event has been waiting for a sink.", get: func(s *tickwell.SinkStats) int64 { return s.OldestAge.Milliseconds() }},
		{name: "sink.drain", unit: "ms", help: "How long the backlog of a sink takes at its present pace; -1: nothing comes through.", get: func(s *tickwell.SinkStats) int64 {
			if s.Drain < 0 {
				return -1
			}
			return s.Drain.Milliseconds()
		}},
		{name: "sink.dead_letters", unit: "{event}", help: "Events given up that are kept.", get: func(s *tickwell.SinkStats) int64 { return s.DeadLetters }},
		{name: "sink.delivered", unit: "{event}", help: "Events that the target has acknowledged.", total: true, get: func(s *tickwell.SinkStats) int64 { return s.Delivered }},
		{name: "sink.retries", unit: "{attempt}", help: "Attempts that failed and were or will be repeated.", total: true, get: func(s *tickwell.SinkStats) int64 { return s.Retries }},
		{name: "sink.dead", unit: "{event}", help: "Events that were given up.", total: true, get: func(s *tickwell.SinkStats) int64 { return s.Dead }},
		{name: "sink.dropped", unit: "{event}", help: "Events lost to the limits of the outbox.", total: true, get: func(s *tickwell.SinkStats) int64 { return s.Dropped }},
		{name: "sink.dead_dropped", unit: "{event}", help: "Dead letters lost to the limits of the outbox.", total: true, get: func(s *tickwell.SinkStats) int64 { return s.DeadDropped }},
	}
	triggers = []instrument[tickwell.TriggerInfo]{
		{name: "trigger.fired", unit: "{firing}", help: "Calls of a trigger.", total: true, get: func(t *tickwell.TriggerInfo) int64 { return t.Fired }},
		{name: "trigger.failed", unit: "{firing}", help: "Calls of a trigger that failed.", total: true, get: func(t *tickwell.TriggerInfo) int64 { return t.Failed }},
		{name: "trigger.waiting", unit: "{firing}", help: "Firings in the queue of a trigger.", get: func(t *tickwell.TriggerInfo) int64 { return int64(t.Waiting) }},
	}
	queries = []instrument[tickwell.CQInfo]{
		{name: "cq.runs", unit: "{run}", help: "Runs of a continuous query.", total: true, get: func(q *tickwell.CQInfo) int64 { return q.Runs }},
		{name: "cq.failed", unit: "{run}", help: "Runs of a continuous query that failed.", total: true, get: func(q *tickwell.CQInfo) int64 { return q.Failed }},
		{name: "cq.lag", unit: "ms", help: "How far a continuous query is behind.", get: func(q *tickwell.CQInfo) int64 { return q.Lag.Milliseconds() }},
	}
)

// Register makes the instruments of db, whose names begin with "tickwell.", with
// meter. They ask the store when they are collected, also while it is closed.
// attrs are added to all of them, which tells the stores of one process apart.
func Register(meter metric.Meter, db *tickwell.DB, attrs ...attribute.KeyValue) (metric.Registration, error) {
	var all []metric.Observable
	var failed []error
	ofStore := observables(meter, store, &all, &failed)
	ofSinks := observables(meter, sinks, &all, &failed)
	ofTriggers := observables(meter, triggers, &all, &failed)
	ofQueries := observables(meter, queries, &all, &failed)
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		st := db.Stats()
		observe(o, ofStore, &st, attrs)
		for i := range st.Sinks {
			observe(o, ofSinks, &st.Sinks[i], with(attrs, "sink", st.Sinks[i].Name))
		}
		for t := range db.Triggers() {
			observe(o, ofTriggers, &t, with(attrs, "trigger", t.Spec.Name))
		}
		all, err := db.ContinuousQueries(ctx)
		if err != nil {
			return nil // closed, or forbidden: the rest stands
		}
		for q := range all {
			observe(o, ofQueries, &q, with(attrs, "query", q.Spec.Name))
		}
		return nil
	}, all...)
}

// observables makes the instruments of one kind of thing.
func observables[T any](meter metric.Meter, of []instrument[T], all *[]metric.Observable, failed *[]error) []instrument[T] {
	made := make([]instrument[T], len(of))
	for i, in := range of {
		var err error
		if in.total {
			in.observable, err = meter.Int64ObservableCounter("tickwell."+in.name, metric.WithUnit(in.unit), metric.WithDescription(in.help))
		} else {
			in.observable, err = meter.Int64ObservableGauge("tickwell."+in.name, metric.WithUnit(in.unit), metric.WithDescription(in.help))
		}
		if err != nil {
			*failed = append(*failed, err)
			continue
		}
		made[i] = in
		*all = append(*all, in.observable)
	}
	return made
}

func observe[T any](o metric.Observer, of []instrument[T], v *T, attrs []attribute.KeyValue) {
	for _, in := range of {
		o.ObserveInt64(in.observable, in.get(v), metric.WithAttributes(attrs...))
	}
}

func with(attrs []attribute.KeyValue, key, value string) []attribute.KeyValue {
	return append(append([]attribute.KeyValue(nil), attrs...), attribute.String(key, value))
}
