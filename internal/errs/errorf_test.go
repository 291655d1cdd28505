package errs

import (
	"errors"
	"testing"
)

// TestBadf: what is bad is said first, and the causes are found behind it.
func TestBadf(t *testing.T) {
	inner := errors.New("inner")
	for _, c := range []struct {
		err   error
		text  string
		inner bool
	}{
		{Badf("no name"), "no name: bad input", false},
		{Badf("100%% of %d rows", 3), "100% of 3 rows: bad input", false},
		{Badf("row %d: %w", 7, inner), "row 7: inner: bad input", true},
	} {
		if c.err.Error() != c.text || !errors.Is(c.err, BadInput) || errors.Is(c.err, inner) != c.inner {
			t.Errorf("got %q, bad input %t, inner %t; want %q, true, %t",
				c.err, errors.Is(c.err, BadInput), errors.Is(c.err, inner), c.text, c.inner)
		}
	}
	args := make([]any, 1, 2) // of a caller that goes on using it
	args[0] = "a"
	if _ = Badf("%s", args...); args[:2][1] != nil {
		t.Errorf("the caller's memory has become %v", args[:2])
	}
}

// TestJoin: it is errors.Join, without a trace of calls that did not fail.
func TestJoin(t *testing.T) {
	for _, c := range []struct {
		all  []error
		text string // "": nil
	}{
		{nil, ""},
		{[]error{nil, nil}, ""},
		{[]error{nil, Closed}, "closed"},
		{[]error{NotFound, nil, Closed}, "not found\nclosed"},
	} {
		err := Join(c.all...)
		if c.text == "" {
			if err != nil {
				t.Errorf("Join(%v) is %v, want nil", c.all, err)
			}
			continue
		}
		if err == nil || err.Error() != c.text {
			t.Errorf("Join(%v) is %v, want %q", c.all, err, c.text)
		}
		for _, part := range c.all {
			if part != nil && !errors.Is(err, part) {
				t.Errorf("Join(%v) does not wrap %v", c.all, part)
			}
		}
	}
}
