package tickwelltest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// leakCheck finds goroutines that a test has started and that run code of
// tickwell when it is over. They carry a label that they inherit from the
// goroutine of the test, so that tests may run side by side.
type leakCheck struct{ label string }

const labelKey = "tickwelltest"

// watches numbers the checks of a process: an address would come again, beside
// goroutines that an earlier check has found and that are still there.
var watches atomic.Int64

func watchGoroutines(t testing.TB) *leakCheck {
	c := &leakCheck{label: fmt.Sprintf("%d %s", watches.Add(1), t.Name())}
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelKey, c.label)))
	return c
}

// check gives goroutines that are about to end the time to do so.
func (c *leakCheck) check(t testing.TB) {
	t.Helper()
	c.unwatch()
	if left := c.settle(clock.System()); len(left) > 0 {
		t.Errorf("tickwelltest: goroutines are left:\n%s", strings.Join(left, "\n"))
	}
}

// unwatch takes the label off the goroutine of the test.
func (c *leakCheck) unwatch() { pprof.SetGoroutineLabels(context.Background()) }

// settle waits until no goroutine is left, or for a second.
func (c *leakCheck) settle(clk clock.Clock) (left []string) {
	wait := make(chan struct{}, 1)
	for range 200 {
		if left = c.running(); len(left) == 0 {
			return nil
		}
		clk.AfterFunc(5*time.Millisecond, func() { wait <- struct{}{} })
		<-wait
	}
	return left
}

func (c *leakCheck) running() (left []string) {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return nil
	}
	mine := fmt.Sprintf("%q:%q", labelKey, c.label) // as the profile shows it
	for part := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(part, mine) && strings.Contains(part, "github.com/tickwell/tickwell") {
			left = append(left, part)
		}
	}
	return left
}
