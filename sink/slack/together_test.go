package slack

import (
	"fmt"
	"slices"
	"testing"
)

// TestHandleTogether holds that calls may be under way at the same time, as they
// are with an InFlight of the SinkSpec above 1: each event is one message.
func TestHandleTogether(t *testing.T) {
	srv := channel(t)
	s := open(t, &Sink{URL: hook(srv), Text: "event {{.n}}"})
	const callers, each = 4, 30
	events := numbered(callers * each)
	errs := make(chan error)
	for c := range callers {
		go func() { errs <- s.Handle(t.Context(), events[c*each:(c+1)*each]) }()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	var want []string
	for i := range events {
		want = append(want, fmt.Sprint("event ", i))
	}
	got := texts(srv)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d messages, want each of %d once: %.300q", len(got), len(want), got)
	}
}
