package dispatch

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

type rudeStringer struct{}

func (rudeStringer) String() string { panic("again") }

func TestCall(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name string
		f    func() error
		want string // "" = nil
	}{
		{"nil", func() error { return nil }, ""},
		{"error", func() error { return boom }, "boom"},
		{"panic text", func() error { panic("ouch") }, "tr: panic: ouch"},
		{"panic error", func() error { panic(boom) }, "tr: panic: boom"},
		{"panic runtime", func() error { var m map[int]int; m[1] = 1; return nil }, "tr: panic: assignment to entry in nil map"},
		{"panic nil", func() error { panic(nil) }, "tr: panic: panic called with nil argument"},
		{"panic rude", func() error { panic(rudeStringer{}) }, "tr: panic: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Call("tr", tt.f)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestPanicErrorKeepsValueAndStackButHidesTheKind(t *testing.T) {
	boom := errors.New("boom")
	err := Call("tr", func() error { panic(boom) })
	var p *PanicError
	require.ErrorAs(t, err, &p)
	require.Equal(t, "tr", p.Name)
	require.Same(t, boom, p.Value)
	require.Contains(t, string(p.Stack), "panic_test.go")
	require.NotErrorIs(t, err, boom)
}

func TestGuardReportsOnce(t *testing.T) {
	tests := []struct {
		name string
		f    func() error
		want string
	}{
		{"nil", func() error { return nil }, "<nil>"},
		{"panic", func() error { panic("x") }, "g: panic: x"},
		{"goexit", func() error { runtime.Goexit(); return nil }, "g: goroutine ended by runtime.Goexit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan error, 2)
			go guard("g", tt.f, func(err error) { got <- err })
			err := <-got
			if tt.want == "<nil>" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.want)
			}
			require.Empty(t, got)
		})
	}
}

func TestCallAllocatesNothing(t *testing.T) {
	f := func() error { return nil }
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = Call("x", f) }))
}
