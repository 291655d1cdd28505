package engine

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/vfs"
)

// TestLargeFrames holds that what a log record can carry survives being moved
// out of the log: an event that waits and a value of the durable state.
func TestLargeFrames(t *testing.T) {
	large := bytes.Repeat([]byte("large "), 3<<20) // more than 16 MiB
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	_, err := e.Commit(bg, &Batch{
		Puts: []Put{{Key: "before", Value: []byte("1")}, {Key: "large", Value: large}, {Key: "later", Value: []byte("2")}},
		Events: []Event{
			{Sinks: []string{"a"}, Key: "before", Payload: []byte("1")},
			{Sinks: []string{"a"}, Key: "large", Payload: large},
			{Sinks: []string{"a"}, Key: "later", Payload: []byte("2")},
		},
	}, true)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, e.Flush(bg))
		var keys []string
		for _, en := range all(t, e.Outbox(), "a", 10) {
			keys = append(keys, en.Key)
			require.True(t, en.Key != "large" || bytes.Equal(large, en.Payload))
		}
		require.Equal(t, []string{"before", "large", "later"}, keys)
		for key, want := range map[string][]byte{"before": []byte("1"), "large": large, "later": []byte("2")} {
			got, ok := e.Get(key)
			require.True(t, ok && bytes.Equal(want, got), key)
		}
		require.NoError(t, e.Close())
		e = open(t, diskConfig(fs))
		require.Empty(t, e.Report().Quarantined)
	}
	require.NoError(t, e.Close())
}
