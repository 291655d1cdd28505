package alertmanager

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tickwell/tickwell"
)

// TestHandleTogether holds that calls may be under way at the same time, as they
// are with an InFlight of the SinkSpec above 1: each alert arrives.
func TestHandleTogether(t *testing.T) {
	srv := alertmanager(t)
	s := open(t, &Sink{URL: srv.URL})
	const callers, each = 4, 30
	errs := make(chan error)
	for c := range callers {
		go func() {
			for i := range each {
				label := map[string]string{"n": fmt.Sprintf("%d-%d", c, i)}
				if err := s.Handle(t.Context(), []tickwell.Event{{Source: "t", Labels: label}}); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	var want, got []string
	for c := range callers {
		for i := range each {
			want = append(want, fmt.Sprintf("%d-%d", c, i))
		}
	}
	for _, body := range srv.Bodies() {
		var alerts []struct{ Labels map[string]string }
		if err := json.Unmarshal([]byte(body), &alerts); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		for _, a := range alerts {
			got = append(got, a.Labels["n"])
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d alerts, want each of %d once: %.300q", len(got), len(want), got)
	}
}
