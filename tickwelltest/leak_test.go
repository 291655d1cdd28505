package tickwelltest

import (
	"testing"
)

// named is a test by another name.
type named struct {
	testing.TB
	name string
}

func (n named) Name() string { return n.name }

// A check finds its own goroutines, whatever the test is called, and none of an
// earlier check that are still there.
func TestLeakCheckFindsItsOwn(t *testing.T) {
	for _, name := range []string{"plain", `with "quotes"`, "tab\there", "Größe/µ", ""} {
		stop, ended := make(chan struct{}), make(chan struct{})
		c := watchGoroutines(named{t, name})
		go func() { <-stop; close(ended) }()
		c.unwatch()
		if left := c.running(); len(left) != 1 {
			t.Errorf("test %q: %d goroutines are found, want the one it has started: %q", name, len(left), left)
		}
		// A thousand later ones would reuse an address many times.
		for range 1000 {
			later := watchGoroutines(named{t, name})
			later.unwatch()
			if later.label == c.label {
				t.Fatalf("test %q: two checks are labelled %q", name, c.label)
			}
		}
		later := watchGoroutines(named{t, name})
		later.unwatch()
		if left := later.running(); len(left) != 0 {
			t.Errorf("test %q: a later check finds %q", name, left)
		}
		close(stop)
		<-ended
	}
}
