//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package main

import (
	"errors"
	"os"
)

// isTerminal reports whether a reader or writer is a terminal.
func isTerminal(v any) bool {
	f, ok := fileOf(v)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// terminalWidth returns the columns of a terminal.
func terminalWidth(any) int { return 80 }

// rawMode does not exist here: lines are edited by the terminal itself.
func rawMode(*os.File) (restore func(), err error) { return nil, errors.ErrUnsupported }
