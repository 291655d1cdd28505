package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

func send(t testing.TB, e *Engine, payload string, sinks ...string) Pos {
	t.Helper()
	lsn, err := e.Commit(bg, &Batch{Events: []Event{{Sinks: sinks, Key: "k" + payload, Payload: []byte(payload)}}}, false)
	require.NoError(t, err)
	return Pos{LSN: lsn}
}

func waitingOf(t testing.TB, o *Outbox, sink string, after Pos) (out []string) {
	t.Helper()
	entries, err := o.Next(sink, after, 1000)
	require.NoError(t, err)
	for _, e := range entries {
		require.Equal(t, "k"+string(e.Payload), e.Key)
		out = append(out, string(e.Payload))
	}
	return out
}

func TestOutboxQueues(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		o := e.Outbox()
		_, err := o.Next("a", Pos{}, 1)
		require.ErrorIs(t, err, errs.NotFound)
		require.Equal(t, Pos{}, o.Attach("a"))
		p1 := send(t, e, "1", "a", "b")
		p2 := send(t, e, "2", "b", "b")
		p3 := send(t, e, "3", "a")
		<-o.Notify("a")
		require.Equal(t, []string{"1", "3"}, waitingOf(t, o, "a", Pos{}))
		require.Equal(t, []string{"3"}, waitingOf(t, o, "a", p1))
		require.Equal(t, []string{"1", "2"}, waitingOf(t, o, "b", Pos{}), "kept before its sink is attached")
		one, err := o.Next("b", Pos{}, 1)
		require.NoError(t, err)
		require.Len(t, one, 1)
		o.Ack("b", p2)
		o.Ack("b", p1) // goes back: ignored
		require.Equal(t, p2, o.Cursor("b"))
		n, bytes := o.Backlog("b")
		require.Zero(t, n+bytes)
		n, bytes = o.Backlog("a")
		require.Equal(t, [2]int64{2, 2 * entryBytes("k1", []byte("1"))}, [2]int64{n, bytes})
		require.Equal(t, []SinkInfo{
			{Name: "a", Attached: true, Events: 2, Bytes: bytes},
			{Name: "b", Cursor: p2},
		}, o.Sinks())
		require.Equal(t, 2, o.Detach("a"))
		require.Empty(t, waitingOf(t, o, "a", Pos{}))
		require.False(t, o.Cursor("a").Less(p3))
		p4 := send(t, e, "4", "a")
		require.Equal(t, []string{"4"}, waitingOf(t, o, "a", Pos{}))
		o.Ack("a", p4)
		require.Zero(t, e.Stats().OutboxBytes)
	})
}

func TestOutboxSurvives(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	var pos []Pos
	for i := range 20 {
		pos = append(pos, send(t, e, fmt.Sprint(i), "a", "b"))
		if i%6 == 5 {
			require.NoError(t, e.Flush(bg))
		}
	}
	e.Outbox().Ack("a", pos[9])
	require.NoError(t, e.Close())
	for range 3 {
		e = open(t, diskConfig(fs))
		require.Equal(t, pos[9], e.Outbox().Attach("a"))
		require.Equal(t, []string{"10", "11", "12", "13", "14", "15", "16", "17", "18", "19"}, waitingOf(t, e.Outbox(), "a", Pos{}))
		require.Len(t, waitingOf(t, e.Outbox(), "b", Pos{}), 20)
		require.NoError(t, e.Flush(bg))
		require.NoError(t, e.Close())
	}
	e = open(t, diskConfig(fs))
	e.Outbox().Ack("a", pos[19])
	e.Outbox().Ack("b", pos[19])
	send(t, e, "x", "c")
	require.NoError(t, e.Flush(bg))
	names, err := fs.List("db/outbox")
	require.NoError(t, err)
	require.Len(t, names, 1, "segments whose events are all acknowledged stay: %v", names)
	require.NoError(t, e.Close())
}

func TestOutboxBound(t *testing.T) {
	cfg := memConfig()
	cfg.OutboxBytes = 5 * entryBytes("k0", []byte("0"))
	e := open(t, cfg)
	defer e.Close()
	for i := range 9 {
		send(t, e, fmt.Sprint(i), "a")
	}
	require.Equal(t, []string{"4", "5", "6", "7", "8"}, waitingOf(t, e.Outbox(), "a", Pos{}))
	require.Equal(t, int64(4), e.Outbox().Sinks()[0].Dropped)
	require.LessOrEqual(t, e.Stats().OutboxBytes, cfg.OutboxBytes)
}

// Events that the bound drops between being read and being handed out are counted
// once: by who has them.
func TestOutboxDropsWhileRead(t *testing.T) {
	cfg := memConfig()
	cfg.OutboxBytes = 5 * entryBytes("k0", []byte("0"))
	e := open(t, cfg)
	defer e.Close()
	o := e.Outbox()
	for i := range 5 {
		send(t, e, fmt.Sprint(i), "a")
	}
	read, err := o.Peek("a", Pos{}, 3)
	require.NoError(t, err)
	for i := range 4 { // drops 0 to 3
		send(t, e, fmt.Sprint(5+i), "a")
	}
	o.handed("a", read)
	require.Equal(t, read[2].Pos, o.sinks["a"].handed)
	require.Equal(t, int64(1), o.Sinks()[0].Dropped, "of 0 to 3 only 3 was not handed out")
}
