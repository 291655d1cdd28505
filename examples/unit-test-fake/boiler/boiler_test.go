package boiler_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/examples/unit-test-fake/boiler"
	"github.com/tickwell/tickwell/tickwelltest"
)

// The whole test of an alert: a store, a clock, what was sent.
func TestAlerts(t *testing.T) {
	s := tickwelltest.New(t, &tickwell.Options{Triggers: boiler.Rules()})
	alerts := s.Sink("alerts")
	b := &boiler.Boiler{DB: s.DB, Device: "root.boiler.b1"}
	for _, temp := range []float64{85, 95, 96, 70} {
		if err := b.Measured(t.Context(), s.Clock.Now(), temp); err != nil {
			t.Fatal(err)
		}
		s.Advance(time.Minute)
	}
	s.Advance(10 * time.Minute)
	alerts.Require(t,
		"+2m0s root.boiler.b1.temp firing value=95",
		"+3m0s root.boiler.b1.temp resolved value=70",
		"+13m0s root.boiler.b1.temp firing last=1767225780000000000")
}

func TestMean(t *testing.T) {
	s := tickwelltest.New(t, nil)
	b := &boiler.Boiler{DB: s.DB, Device: "root.boiler.b1"}
	s.Put(b.Device, tickwell.Float64("temp", 10))
	s.Clock.Advance(time.Second)
	s.Put(b.Device, tickwell.Float64("temp", 20))
	got, err := b.Mean(t.Context(), tickwelltest.Start, tickwelltest.Start.Add(time.Minute))
	if err != nil || got != 15 {
		t.Errorf("mean %v (%v), want 15", got, err)
	}
	if _, err := b.Mean(t.Context(), tickwelltest.Start.Add(time.Hour), tickwelltest.Start.Add(2*time.Hour)); !errors.Is(err, tickwell.ErrNotFound) {
		t.Errorf("mean of nothing: %v, want ErrNotFound", err)
	}
}

// A disk that fails: the error reaches the caller, nothing is hidden.
func TestDiskFails(t *testing.T) {
	disk := tickwelltest.NewDisk()
	s := tickwelltest.New(t, &tickwell.Options{FS: disk, Sync: tickwell.SyncAlways()})
	b := &boiler.Boiler{DB: s.DB, Device: "root.boiler.b1"}
	disk.Full(0)
	if err := b.Measured(t.Context(), s.Clock.Now(), 50); !errors.Is(err, tickwell.ErrNoSpace) {
		t.Errorf("a full disk gives %v, want ErrNoSpace", err)
	}
	disk.Heal()
	if err := b.Measured(t.Context(), s.Clock.Now().Add(time.Second), 51); err != nil {
		t.Errorf("after space was made: %v", err)
	}
}
