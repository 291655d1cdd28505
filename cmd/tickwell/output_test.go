package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fullDisk takes the first bytes written to it and no more.
type fullDisk struct{ room int }

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	if d.room -= n; n < len(b) {
		return n, errFull
	}
	return n, nil
}

// A command whose output cannot be written says so and fails, wherever in the
// output that is; with room for all of it, it succeeds.
func TestOutputIsLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	do(t, "sql", "-dir", dir, "-e", "INSERT INTO root.plant.press(time, temperature) VALUES (1, 20.5), (2, 21), (3, 22.5)")
	query := func(flags ...string) []string {
		return append(append([]string{"sql", "-dir", dir}, flags...), "-e", "SELECT temperature FROM root.plant.press")
	}
	for _, args := range [][]string{
		{"help"},
		{"inspect", "-h"},
		{"version"},
		{"inspect", dir},
		{"verify", dir},
		{"plot", dir, "root.plant.press.temperature"},
		{"outbox", dir},
		{"export", "-format", "csv", dir},
		{"export", "-format", "jsonl", dir},
		query("-format", "csv"),
		query("-format", "csv", "-times", "iso"),
		query("-format", "json"),
		query("-format", "table"),
	} {
		name := strings.Join(args, " ")
		whole := do(t, args...)
		require.NotEmpty(t, whole, name)
		for _, room := range []int{0, len(whole) / 2, len(whole) - 1, len(whole)} {
			var said bytes.Buffer
			code := run(context.Background(), args, strings.NewReader(""), &fullDisk{room}, &said)
			if room == len(whole) {
				require.Equal(t, exitOK, code, "%s: %s", name, said.String())
				continue
			}
			require.Equal(t, exitFailed, code, "%s: room for %d of %d bytes: %s", name, room, len(whole), said.String())
			require.Contains(t, said.String(), errFull.Error(), name)
		}
	}
}
