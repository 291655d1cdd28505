package webhook

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/standin"
)

// TestHandleTogether holds that calls may be under way at the same time, as they
// are with an InFlight of the SinkSpec above 1: each request has the id, the body
// and the secret that belong together, also while secrets are read anew.
func TestHandleTogether(t *testing.T) {
	for _, array := range []bool{false, true} {
		t.Run(fmt.Sprint("array ", array), func(t *testing.T) {
			srv := server(t)
			var steps []standin.Step
			for range 8 {
				steps = append(steps, standin.Answer(http.StatusOK, ""), standin.Answer(http.StatusUnauthorized, ""))
			}
			srv.Script(steps...)
			s := open(t, &Sink{URL: srv.URL, Array: array, Whole: true, Token: sink.NewSecret("s3cret")})
			const callers, each = 4, 30
			errs := make(chan error)
			for c := range callers {
				go func() {
					for i := range each {
						event := []tickwell.Event{row(fmt.Sprintf("%d-%d", c, i), tickwell.Int64("n", int64(i)))}
						for tries := 0; ; tries++ {
							err := s.Handle(t.Context(), event)
							if err == nil {
								break
							}
							if tries > 8 {
								errs <- err
								return
							}
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
					want = append(want, string(sink.AppendJSON(nil, &tickwell.Event{
						ID: fmt.Sprintf("%d-%d", c, i), Source: "t", Series: "root.d", Time: at, Fields: []tickwell.Field{tickwell.Int64("n", int64(i))},
					})))
				}
			}
			for _, r := range srv.Requests() {
				body := r.Body
				if array {
					body = body[1 : len(body)-1]
				}
				got = append(got, body)
				if a := r.Header.Get("Authorization"); a != "Bearer s3cret" {
					t.Errorf("authorization %q", a)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("%d different bodies arrived, want each of %d: %.300q", len(got), len(want), got)
			}
		})
	}
}
