package tickwelltest_test

import (
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/tickwelltest"
)

// A test of an alert rule: the clock moves when the test says so.
func ExampleNew() {
	_ = func(t *testing.T) { // func TestOverheat(t *testing.T)
		s := tickwelltest.New(t, nil)
		alerts := s.Sink("alerts")
		s.Trigger(alert.Rule{Name: "hot", Condition: alert.Above(90, 80), For: time.Minute}.Spec("root.plant.*.temp"))
		for _, temp := range []float64{71, 93, 95, 96, 79} {
			s.Put("root.plant.press1", tickwell.Float64("temp", temp))
			s.Advance(time.Minute)
		}
		alerts.Require(t,
			"+2m0s root.plant.press1.temp firing value=93",
			"+4m0s root.plant.press1.temp resolved value=79")
	}
}
