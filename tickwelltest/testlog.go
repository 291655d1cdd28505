package tickwelltest

import (
	"io"
	"log/slog"
	"sync"
	"testing"
)

// testLog writes what a store logs to the log of its test, which is shown if the
// test fails, until the test is over.
type testLog struct {
	mu sync.Mutex
	to io.Writer // nil: none, or over
}

// logTo returns a logger for a store of t, without the times: they are of the
// machine's clock.
func logTo(t testing.TB) (*slog.Logger, *testLog) {
	l := &testLog{to: output(t)}
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), l
}

// output is where t shows what it is told. A stand-in for a test may have none: its
// TB is nil but for the methods of its own.
func output(t testing.TB) (to io.Writer) {
	defer func() { _ = recover() }()
	return t.Output()
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to == nil {
		return len(p), nil
	}
	return l.to.Write(p)
}

// end keeps what a store that does not close goes on to say from a test that is over.
func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = nil
}
