package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// all reads a sink's queue to the end, some at a time.
func all(t testing.TB, o *Outbox, sink string, step int) (out []Entry) {
	t.Helper()
	var after Pos
	for {
		part, err := o.Next(sink, after, step)
		require.NoError(t, err)
		if len(part) == 0 {
			return out
		}
		require.LessOrEqual(t, len(part), step)
		out = append(out, part...)
		after = part[len(part)-1].Pos
	}
}

// TestOutboxModel compares two queues with lists, over flushes, acknowledgements
// and restarts, with far more than is kept in memory.
func TestOutboxModel(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 3))
		fs := vfs.NewMem()
		cfg := diskConfig(fs)
		e := open(t, cfg)
		type sent struct {
			pos  Pos
			text string
		}
		model := map[string][]sent{"a": {}, "b": {}}
		n := 0
		for step := range 300 {
			switch k := rng.IntN(20); {
			case k < 14: // a record of some events, among others of rows
				b := &Batch{Puts: []Put{{Key: "fill", Value: make([]byte, rng.IntN(3000))}}}
				for range rng.IntN(4) {
					n++
					text := fmt.Sprintf("%d %s", n, strings.Repeat("x", rng.IntN(2000)))
					b.Events = append(b.Events, Event{Sinks: [][]string{{"a"}, {"b"}, {"b", "a"}}[rng.IntN(3)], Key: fmt.Sprint("k", n), Payload: []byte(text), At: int64(n)})
				}
				lsn, err := e.Commit(bg, b, false)
				require.NoError(t, err)
				for i := range b.Events {
					for _, s := range b.Events[i].Sinks {
						model[s] = append(model[s], sent{Pos{lsn, uint32(i)}, string(b.Events[i].Payload)})
					}
				}
			case k < 16:
				require.NoError(t, e.Flush(bg))
			case k < 18:
				for s, list := range model {
					if len(list) > 0 && rng.IntN(2) == 0 {
						i := rng.IntN(min(len(list), 1+rng.IntN(80)))
						e.Outbox().Ack(s, list[i].pos)
						model[s] = list[i+1:]
					}
				}
			case k < 19:
				require.NoError(t, e.Close())
				e = open(t, cfg)
				require.Empty(t, e.Report().Quarantined)
			default:
				for s, list := range model {
					if n := rng.IntN(len(list) + 1); n > 0 {
						got, err := e.Outbox().Next(s, list[n-1].pos, 1+rng.IntN(20))
						require.NoError(t, err)
						for i, ent := range got {
							require.Equal(t, sent{ent.Pos, string(ent.Payload)}, list[n+i])
						}
					}
				}
			}
			if step%60 != 59 {
				continue
			}
			o := e.Outbox()
			o.mu.Lock()
			require.LessOrEqual(t, o.tail.bytes, int64(recentMin+3*2100), "bytes of the newest events")
			o.mu.Unlock()
			bytes := int64(0)
			for s, list := range model {
				o.Attach(s)
				var got []sent
				for _, ent := range all(t, o, s, 1+rng.IntN(50)) {
					got = append(got, sent{ent.Pos, string(ent.Payload)})
					k, _, _ := strings.Cut(string(ent.Payload), " ")
					require.Equal(t, "k"+k, ent.Key)
					require.Equal(t, k, fmt.Sprint(ent.At))
					bytes += entryBytes(ent.Key, ent.Payload)
				}
				require.Equal(t, list, append([]sent{}, got...), "seed %d step %d sink %s", seed, step, s)
			}
			require.Equal(t, bytes, e.Stats().OutboxBytes)
		}
		require.NoError(t, e.Close())
	}
}

// TestOutboxBacklogMemory: a backlog takes a few bytes an event in memory, be it
// in the log or in segments, and after a restart.
func TestOutboxBacklogMemory(t *testing.T) {
	const n, payload = 20_000, 300
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	cfg.SegmentBytes = 1 << 20
	e := open(t, cfg)
	check := func(what string) {
		t.Helper()
		got := e.outbox.memoryBytes()
		t.Logf("%s: %d events take %d bytes in memory, %d on disk", what, n, got, e.Stats().OutboxBytes)
		require.LessOrEqual(t, got, int64(recentMax+8*n), what)
		require.Equal(t, int64(n*(payload+64)), e.Stats().OutboxBytes)
		e.Outbox().Attach("s")
		list := all(t, e.Outbox(), "s", 1000)
		require.Len(t, list, n)
		for i, ent := range list {
			require.Equal(t, fmt.Sprintf("%0*d", payload, i), string(ent.Payload))
		}
	}
	for i := range n {
		_, err := e.Commit(bg, &Batch{Events: []Event{{Sinks: []string{"s"}, Payload: fmt.Appendf(nil, "%0*d", payload, i)}}}, false)
		require.NoError(t, err)
		if i == n/2 {
			require.NoError(t, e.Flush(bg))
		}
	}
	check("half in a segment, half in the log")
	require.NoError(t, e.Close())
	e = open(t, cfg)
	check("opened again")
	require.NoError(t, e.Flush(bg))
	check("in segments")
	require.NoError(t, e.Close())
	e = open(t, cfg)
	check("opened again from segments")
	require.NoError(t, e.Close())
}

// TestOutboxDamage: an event that goes bad on disk is reported as lost, not
// delivered as something else, and those around it arrive.
func TestOutboxDamage(t *testing.T) {
	const n = 600
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	want := make([]string, n)
	for i := range n {
		want[i] = fmt.Sprintf("%d %s", i, strings.Repeat("x", 500))
		send(t, e, want[i], "s")
	}
	require.NoError(t, e.Flush(bg))
	require.NoError(t, e.Close())
	names, err := fs.List("db/outbox")
	require.NoError(t, err)
	require.Len(t, names, 1)
	b, err := vfs.ReadFile(fs, "db/outbox/"+names[0])
	require.NoError(t, err)
	at := strings.Index(string(b), "300 xxx")
	require.Positive(t, at)
	flip := func(fs vfs.FS) {
		f, err := fs.OpenReadWrite("db/outbox/" + names[0])
		require.NoError(t, err)
		_, err = f.WriteAt([]byte{b[at+20] ^ 1}, int64(at+20))
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	read := func(e *Engine) (good []string, lost int) {
		o := e.Outbox()
		o.Attach("s")
		var after Pos
		for fails := 0; ; {
			part, err := o.Next("s", after, 50)
			if err != nil {
				require.ErrorIs(t, err, errs.Corrupt)
				fails++
				require.Less(t, fails, 2000)
				continue
			}
			if len(part) == 0 {
				return good, lost
			}
			for _, ent := range part {
				if after = ent.Pos; ent.Lost != nil {
					require.ErrorIs(t, ent.Lost, errs.Corrupt)
					require.Empty(t, ent.Payload)
					lost++
					continue
				}
				good = append(good, string(ent.Payload))
			}
		}
	}
	subset := func(good []string) {
		t.Helper()
		k := 0
		for _, g := range good {
			for k < n && want[k] != g {
				k++
			}
			require.Less(t, k, n, "%.20q is not what was sent, or out of order", g)
		}
	}

	t.Run("since open", func(t *testing.T) {
		fs := copyOf(t, fs)
		e := open(t, diskConfig(fs))
		defer e.Close()
		flip(fs)
		good, lost := read(e)
		require.Equal(t, n, len(good)+lost)
		require.Positive(t, lost)
		require.Less(t, lost, n/3)
		subset(good)
	})
	t.Run("before open", func(t *testing.T) {
		fs := copyOf(t, fs)
		flip(fs)
		for range 3 {
			e := open(t, diskConfig(fs))
			require.Len(t, e.Report().Quarantined, 1)
			good, lost := read(e)
			require.Zero(t, lost)
			require.Greater(t, len(good), 2*n/3)
			subset(good)
			require.NoError(t, e.Close())
		}
	})
	t.Run("gone", func(t *testing.T) {
		fs := copyOf(t, fs)
		require.NoError(t, fs.Remove("db/outbox/"+names[0]))
		e := open(t, diskConfig(fs))
		defer e.Close()
		require.Len(t, e.Report().Quarantined, 1)
		good, lost := read(e)
		require.Empty(t, good)
		require.Zero(t, lost)
		send(t, e, "new", "s")
		require.Equal(t, []string{"new"}, waitingOf(t, e.Outbox(), "s", Pos{}))
	})
}

// TestOutboxReadErrors: what cannot be read for a while is not lost.
func TestOutboxReadErrors(t *testing.T) {
	fs := crashfs.New()
	e := open(t, crashConfig(fs))
	defer e.Close()
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf("%d %s", i, strings.Repeat("x", 900)))
		send(t, e, want[i], "s")
	}
	require.NoError(t, e.Flush(bg))
	e.Outbox().Attach("s")
	boom := fmt.Errorf("boom")
	fs.Fail(1, boom, true, func(op crashfs.Op) bool { return op.Kind == crashfs.Read && strings.Contains(op.Name, "outbox") })
	for range 20 {
		_, err := e.Outbox().Next("s", Pos{}, 10)
		require.ErrorIs(t, err, boom)
	}
	fs.Heal()
	var got []string
	for _, ent := range all(t, e.Outbox(), "s", 40) {
		got = append(got, string(ent.Payload))
	}
	require.Equal(t, want, got)
}

// TestOutboxRefused: an event whose record a full disk refused does not leave
// before it is durable with its batch, and is not lost.
func TestOutboxRefused(t *testing.T) {
	fs := crashfs.New()
	e := open(t, crashConfig(fs))
	e.Outbox().Attach("s")
	p1 := send(t, e, "1", "s")
	fs.Fail(1, vfs.ErrNoSpace, false, func(op crashfs.Op) bool { return op.Kind == crashfs.Write })
	_, err := e.Commit(bg, &Batch{Events: []Event{{Sinks: []string{"s"}, Key: "k2", Payload: []byte("2")}}}, false)
	require.ErrorIs(t, err, errs.NoSpace)
	require.Equal(t, []string{"1"}, waitingOf(t, e.Outbox(), "s", Pos{}), "not durable")
	fs.Heal()
	require.NoError(t, e.Flush(bg))
	require.Equal(t, []string{"2"}, waitingOf(t, e.Outbox(), "s", p1))
	send(t, e, "3", "s")
	img := fs.Image(fs.Ops(), crashfs.None, 0)
	require.NoError(t, e.Close())
	e = open(t, crashConfig(img))
	defer e.Close()
	e.Outbox().Attach("s")
	require.Equal(t, []string{"1", "2", "3"}, waitingOf(t, e.Outbox(), "s", Pos{}))
}

// TestOutboxReadsWhileFlushing reads, acknowledges, writes and flushes at once:
// each event comes once, in order.
func TestOutboxReadsWhileFlushing(t *testing.T) {
	const n = 3000
	cfg := diskConfig(vfs.NewMem())
	e := open(t, cfg)
	defer e.Close()
	o := e.Outbox()
	o.Attach("s")
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := e.Flush(bg); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Go(func() {
		for i := range n {
			_, err := e.Commit(bg, &Batch{Events: []Event{{Sinks: []string{"s", "other"}, Payload: fmt.Appendf(nil, "%0500d", i)}}}, false)
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	var after Pos
	for i := 0; i < n; {
		part, err := o.Next("s", after, 7)
		require.NoError(t, err)
		if len(part) == 0 {
			<-o.Notify("s")
			continue
		}
		for _, ent := range part {
			require.Equal(t, fmt.Sprintf("%0500d", i), string(ent.Payload))
			i++
		}
		after = part[len(part)-1].Pos
		if i%3 == 0 {
			o.Ack("s", after)
		}
	}
	cancel()
	wg.Wait()
	require.Len(t, all(t, o, "other", 500), n)
}

// TestOutboxFloor: events that are dropped after a sink was handed them are
// counted by whoever has them.
func TestOutboxFloor(t *testing.T) {
	cfg := memConfig()
	cfg.OutboxBytes = 5 * entryBytes("k0", []byte("0"))
	e := open(t, cfg)
	defer e.Close()
	o := e.Outbox()
	o.Attach("a")
	var pos []Pos
	for i := range 4 {
		pos = append(pos, send(t, e, fmt.Sprint(i), "a"))
	}
	_, err := o.Next("a", Pos{}, 2)
	require.NoError(t, err)
	require.Equal(t, Pos{}, o.Floor("a"))
	for i := 4; i < 9; i++ {
		send(t, e, fmt.Sprint(i), "a")
	}
	require.Equal(t, pos[3], o.Floor("a"))
	require.Equal(t, int64(2), o.Sinks()[0].Dropped, "0 and 1 were handed out")
}

// TestOutboxPrompt: a cursor is in the file after so many acknowledgements,
// before anything is waited for, and a little later after fewer.
func TestOutboxPrompt(t *testing.T) {
	fs := crashfs.New()
	cfg := crashConfig(fs)
	cfg.Sync = wal.Policy{Mode: wal.Never}
	clk := clock.NewFake(time.Unix(1_700_000_000, 0))
	cfg.Clock = clk
	e := open(t, cfg)
	o := e.Outbox()
	o.Attach("s")
	o.Prompt("s", 3)
	var pos []Pos
	for i := range 10 {
		pos = append(pos, send(t, e, fmt.Sprint(i), "s"))
	}
	cursor := func() Pos { // of a process that is killed now
		e := open(t, crashConfig(fs.Image(fs.Ops(), crashfs.All, 0)))
		defer e.Close()
		return e.Outbox().Cursor("s")
	}
	for _, c := range []struct{ ack, logged int }{{0, -1}, {1, -1}, {2, 2}, {4, 2}, {8, 8}, {9, 8}} {
		o.Ack("s", pos[c.ack])
		want := Pos{}
		if c.logged >= 0 {
			want = pos[c.logged]
		}
		require.Equal(t, want, cursor(), "after %d was acknowledged", c.ack)
	}
	// A few milliseconds later it is in the file all the same.
	clk.Advance(ackEverySoon)
	for cursor() != pos[9] {
		require.NoError(t, t.Context().Err())
		runtime.Gosched()
	}
	require.NoError(t, e.Close())
	require.Equal(t, pos[9], cursor())
}
