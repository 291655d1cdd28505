package tickwell

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestSinksPage holds the tables of docs/sinks.md to what a store really does.
func TestSinksPage(t *testing.T) {
	b, err := os.ReadFile("docs/sinks.md")
	must(t, err)
	page := string(b)
	db := openMem(t, &Options{})
	nothing := SinkFunc(func(context.Context, []Event) error { return nil })
	data, notify := db.pipeline(SinkSpec{Name: "a", Sink: nothing}).Options, db.pipeline(SinkSpec{Name: "b", Sink: nothing, Notify: true}).Options
	span := func(d time.Duration) string { // "72h", not "72h0m0s"
		s := d.String()
		for _, zero := range []string{"m0s", "h0m"} {
			if rest, ok := strings.CutSuffix(s, zero); ok {
				s = rest + zero[:1]
			}
		}
		return s
	}
	size := func(n int) string { return fmt.Sprintf("%d MiB", n>>20) }
	never := func(d time.Duration) string {
		if d == 0 {
			return "never"
		}
		return span(d)
	}
	for _, row := range []struct {
		name string
		a, b any
	}{
		{"`Batch`, events of one call", data.BatchEvents, fmt.Sprintf("%d; slack and smtp 20, alertmanager 64", notify.BatchEvents)},
		{"bytes of one call", size(data.BatchBytes), size(notify.BatchBytes)},
		{"`Linger`, wait for a batch to fill", span(data.Linger), span(notify.Linger)},
		{"`Timeout` of one call", span(data.AttemptTimeout), span(notify.AttemptTimeout)},
		{"`InFlight`, calls at a time", data.InFlight, notify.InFlight},
		{"wait after the first failure, at most", span(data.BackoffMin), span(notify.BackoffMin)},
		{"it doubles up to", span(data.BackoffMax), span(notify.BackoffMax)},
		{"given up after its first attempt by", never(data.MaxElapsed), never(notify.MaxElapsed)},
		{"`MaxAge`, given up at the age of", span(data.MaxAge), span(notify.MaxAge)},
		{"breaker opens after failures in a row", data.BreakerAfter, notify.BreakerAfter},
		{"given up after failures alone, others getting through, at least", data.PoisonAttempts, notify.PoisonAttempts},
		{"events in memory", data.Window, notify.Window},
		{"bytes in memory", size(data.WindowBytes), size(notify.WindowBytes)},
	} {
		if want := fmt.Sprintf("\n| %s | %v | %v |\n", row.name, row.a, row.b); !strings.Contains(page, want) {
			t.Errorf("docs/sinks.md has no row%s", want)
		}
	}
	words := strings.Join(strings.Fields(page), " ")
	for _, want := range []string{
		fmt.Sprintf("`Profile.OutboxBytes`: %d GiB, %d MiB in `Edge`", Server().OutboxBytes>>30, Edge().OutboxBytes>>20),
		fmt.Sprintf("default `%s`", "2006-01-02 15:04:05.000"),
	} {
		if !strings.Contains(words, want) {
			t.Errorf("docs/sinks.md does not say %q", want)
		}
	}
}
