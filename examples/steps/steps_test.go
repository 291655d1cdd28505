// Code generated from README.md by go test ./internal/readme -run TestSteps -update. DO NOT EDIT.

package main

import (
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/tickwelltest"
)

// Test it.
func TestStep6(t *testing.T) {
	s := tickwelltest.New(t, nil)
	alerts := s.Sink("alerts")
	s.Trigger(alert.Rule{Name: "hot", Condition: alert.Above(90, 80), For: time.Minute}.Spec("root.plant.*.temp"))
	s.Put("root.plant.press1", tickwell.Float64("temp", 93))
	s.Advance(time.Minute)
	alerts.Require(t, "+1m0s root.plant.press1.temp firing value=93")
}
