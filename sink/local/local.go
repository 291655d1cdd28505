// Package local has a sink that writes events into series, of the same store or
// of another (LocalIoTDBSink of the IoTDB 0.13 trigger page).
package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
)

// Sink writes each event as a row of Device at the event's time: for each of
// Columns the field of that name, null if the event has none. Series are made
// if they do not exist. Rows are inserts like any other and fire triggers.
//
// The device may be one that the trigger whose events it takes listens to (the
// page forbids that): an event that has come round MaxHops times is given up, so
// that the loop ends. One that leads through a continuous query is not seen.
//
// A row with the time of an older one replaces its cells: an event that is
// delivered twice is stored once, and two events of one time are one row. Keep
// it in mind when events of several series go to one device.
type Sink struct {
	// DB is the store to write to. Nil: the store that the sink belongs to.
	DB *tickwell.DB
	// Device gets the rows. Required.
	Device string
	// Columns are its measurements that are written, at least one. An event that
	// has none of them, or one of another kind, is given up.
	Columns []tickwell.ColumnInfo
	// MaxHops is how many sinks like this one an event may pass. Default 8.
	MaxHops int
}

// Bind is called by the store when the sink is added to it.
func (s *Sink) Bind(db *tickwell.DB) {
	if s.DB == nil {
		s.DB = db
	}
}

// Validate makes the series. One that exists with another kind is an error, and
// then none is made. The store calls it when the sink is added.
func (s *Sink) Validate() error {
	err := s.create(context.Background())
	if errors.Is(err, tickwell.ErrClosed) {
		return nil // another store, which may be opened again: Open will see
	}
	return err
}

// Open makes the series again if they were dropped meanwhile.
func (s *Sink) Open(ctx context.Context) error {
	if err := s.create(ctx); err != nil {
		return classify(err)
	}
	return nil
}

func (s *Sink) create(ctx context.Context) error {
	if s.DB == nil || s.Device == "" || len(s.Columns) == 0 {
		return fmt.Errorf("local: a sink needs a store, a device and columns: %w", tickwell.ErrBadInput)
	}
	if s.MaxHops < 0 {
		return fmt.Errorf("local: negative MaxHops: %w", tickwell.ErrBadInput)
	}
	seen := make(map[string]bool)
	for _, c := range s.Columns {
		if seen[c.Name] {
			return fmt.Errorf("local: column %q twice: %w", c.Name, tickwell.ErrBadInput)
		}
		seen[c.Name] = true
		if err := s.compare(ctx, c); err != nil {
			return err
		}
	}
	for _, c := range s.Columns {
		if err := s.DB.CreateSeries(ctx, s.Device+"."+c.Name, c.Kind); err != nil {
			return fmt.Errorf("local: %w", err)
		}
	}
	return nil
}

// compare returns an error if the series of c exists with another kind.
func (s *Sink) compare(ctx context.Context, c tickwell.ColumnInfo) error {
	list, err := s.DB.ListSeries(ctx, s.Device+"."+c.Name)
	if err != nil {
		return fmt.Errorf("local: %w", err)
	}
	for have := range list {
		if have.Kind != c.Kind {
			return fmt.Errorf("local: series %s is %s, not %s: %w", have.Path(), have.Kind, c.Kind, tickwell.ErrKindMismatch)
		}
	}
	return nil
}

// Handle inserts the events as one tablet.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	t := &tickwell.Tablet{Device: s.Device}
	var bad []int
	causes := make(map[int]error)
	hops := 0
	for i := range events {
		fields, err := s.row(&events[i])
		if most := s.maxHops(); events[i].Hops >= most {
			err = fmt.Errorf("local: event %q has come through %d local sinks: a loop: %w", events[i].ID, most, tickwell.ErrLimit)
		}
		if err == nil {
			err = t.Append(events[i].Time, fields...)
			hops = max(hops, events[i].Hops)
		}
		if err != nil {
			bad = append(bad, i)
			causes[i] = err
		}
	}
	if t.Len() > 0 {
		if err := s.DB.InsertTablet(deliver.WithHops(ctx, hops+1), t); err != nil {
			return classify(err)
		}
	}
	if bad != nil {
		return sink.Partial(len(events), bad, causes)
	}
	return nil
}

func (s *Sink) row(e *tickwell.Event) ([]tickwell.Field, error) {
	fields := make([]tickwell.Field, 0, len(s.Columns))
	for _, c := range s.Columns {
		v := e.Get(c.Name)
		if v.IsNull() {
			continue
		}
		if v.Kind() != c.Kind {
			return nil, fmt.Errorf("local: field %q is %s, the column is %s: %w", c.Name, v.Kind(), c.Kind, tickwell.ErrKindMismatch)
		}
		fields = append(fields, tickwell.Field{Name: c.Name, Value: v})
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("local: event %q has none of the columns of %s: %w", e.ID, s.Device, tickwell.ErrBadInput)
	}
	return fields, nil
}

func (s *Sink) maxHops() int {
	if s.MaxHops > 0 {
		return s.MaxHops
	}
	return 8
}

// classify tells what can never work from what may work later.
func classify(err error) error {
	for _, never := range []error{tickwell.ErrKindMismatch, tickwell.ErrBadInput, tickwell.ErrLimit, tickwell.ErrReadOnly, tickwell.ErrTooLate} {
		if errors.Is(err, never) {
			return sink.Permanent(err)
		}
	}
	return err
}
