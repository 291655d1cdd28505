package sink

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
)

var boom = errors.New("boom")

func TestVerdicts(t *testing.T) {
	retry, later, lost, off := Retry(boom, 0), Retry(boom, time.Hour), NotConnected(boom), Disabled(boom)
	for _, c := range []struct {
		name     string
		in       []error
		class    deliver.Class
		done     []int
		rejected []int
		rest     error
	}{
		{"none", nil, deliver.Delivered, nil, nil, nil},
		{"all accepted", []error{nil, nil}, deliver.Delivered, nil, nil, nil},
		{"all to be retried", []error{boom, retry}, deliver.ClassRetry, nil, nil, nil},
		{"all disabled", []error{boom, off, lost}, deliver.ClassDisabled, nil, nil, nil},
		{"rejected", []error{nil, Permanent(boom), TooLarge(boom)}, deliver.ClassPartial, []int{0}, []int{1, 2}, nil},
		{"all rejected", []error{Permanent(boom), Permanent(boom)}, deliver.ClassPartial, nil, []int{0, 1}, nil},
		{"mixed", []error{nil, boom, Permanent(boom)}, deliver.ClassPartial, []int{0}, []int{2}, boom},
		{"longest wait", []error{nil, later, retry}, deliver.ClassPartial, []int{0}, nil, later},
		{"lost beats wait", []error{nil, later, lost}, deliver.ClassPartial, []int{0}, nil, lost},
		{"disabled beats lost", []error{nil, off, lost}, deliver.ClassPartial, []int{0}, nil, off},
	} {
		err := Verdicts(c.in)
		if class, _ := deliver.Classify(err); class != c.class {
			t.Errorf("%s: class %v of %v, want %v", c.name, class, err, c.class)
		}
		var p *deliver.Partial
		if !errors.As(err, &p) {
			continue
		}
		if !slices.Equal(p.Done, c.done) || !slices.Equal(p.Rejected, c.rejected) || !errors.Is(p.Rest, c.rest) {
			t.Errorf("%s: %+v, want done %v, rejected %v, rest %v", c.name, p, c.done, c.rejected, c.rest)
		}
		for _, i := range p.Rejected {
			if !errors.Is(p.Causes[i], c.in[i]) {
				t.Errorf("%s: cause of %d is %v", c.name, i, p.Causes[i])
			}
		}
	}
}

func TestPartial(t *testing.T) {
	if err := Partial(3, nil, nil); err != nil {
		t.Errorf("nothing rejected: %v, want nil", err)
	}
	var p *deliver.Partial
	if err := Partial(3, []int{1}, map[int]error{1: boom}); !errors.As(err, &p) || !slices.Equal(p.Done, []int{0, 2}) || !errors.Is(p.Causes[1], boom) {
		t.Errorf("%+v, want 0 and 2 done", p)
	}
}

func TestEach(t *testing.T) {
	events := make([]tickwell.Event, 4)
	for i := range events {
		events[i].ID = string(rune('a' + i))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		script map[string]error
		sent   string
		done   []int
	}{
		{"all", t.Context(), nil, "abcd", nil},
		{"goes on after what is given up", t.Context(), map[string]error{"b": Permanent(boom)}, "abcd", []int{0, 2, 3}},
		{"stops at what is retried", t.Context(), map[string]error{"b": boom}, "ab", []int{0}},
		{"context over", ended, nil, "", nil},
	} {
		sent := ""
		err := Each(c.ctx, events, func(_ context.Context, e *tickwell.Event) error {
			sent += e.ID
			return c.script[e.ID]
		})
		var p *deliver.Partial
		if errors.As(err, &p); p == nil {
			p = &deliver.Partial{}
		}
		if sent != c.sent || !slices.Equal(p.Done, c.done) {
			t.Errorf("%s: sent %q, done %v (%v), want %q, %v", c.name, sent, p.Done, err, c.sent, c.done)
		}
	}
}

func TestErrorsOfNilAreNil(t *testing.T) {
	for i, err := range []error{Retry(nil, 1), NotConnected(nil), Permanent(nil), TooLarge(nil), Disabled(nil)} {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := Retry(boom, time.Second); !errors.Is(err, boom) || !strings.Contains(err.Error(), "1s") {
		t.Errorf("%v, want boom after 1s", err)
	}
}
