package deliver

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
)

func TestPace(t *testing.T) {
	const s = time.Second
	var p pace
	require.Equal(t, time.Duration(0), p.drain(0, 0), "nothing waits")
	require.Equal(t, time.Duration(-1), p.drain(0, 10), "nothing was settled yet")
	p.note(10*s, 50)
	require.Equal(t, 2*s, p.drain(10*s, 100), "50 within the first second")
	for i := int64(1); i <= 100; i++ { // then ten a second
		p.note(10*s+time.Duration(i)*s, 50+10*i)
	}
	require.Equal(t, 60*s, p.drain(110*s, 600).Round(s))
	for i := int64(1); i <= 100; i++ { // twice as fast: after a minute the old pace is forgotten
		p.note(110*s+time.Duration(i)*s, 1050+20*i)
	}
	require.Equal(t, 30*s, p.drain(210*s, 600).Round(s))
	require.Greater(t, p.drain(241*s, 600), 40*s, "nothing comes through: it gets longer")
	require.Equal(t, time.Duration(-1), p.drain(271*s, 600), "nothing for a minute")
	p.note(1000*s, 3100)
	require.Equal(t, 12*s, p.drain(1001*s, 600), "50 in a second: the pause does not count")
	p.note(1002*s, 3101)
	require.Positive(t, p.drain(1002*s, 1<<62), "bounded")
}

// TestProgress: how much waits, since when, and how long it will take, while a
// slow sink works it off, while its target is away, and after.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(t)
		o.add(0, 100, "k")
		var down atomic.Bool
		began := time.Now()
		p, err := New(Config[ev]{
			Name: "s", Clock: clock.System(), Seed: 1, Source: o, Key: func(e ev) string { return e.key },
			Options: Options{BatchEvents: 1, InFlight: 1, BackoffMax: time.Second},
			Handle: func(context.Context, []ev) error {
				if down.Load() {
					return errors.New("down")
				}
				<-time.After(2 * time.Second)
				return nil
			},
		})
		require.NoError(t, err)
		require.NoError(t, p.Start())
		defer p.Close(time.Minute)
		<-time.After(40*time.Second + time.Second)
		s := p.Stats()
		require.EqualValues(t, 80, s.Backlog)
		require.Equal(t, began.UnixNano(), s.Oldest)
		require.InDelta(t, (160 * time.Second).Seconds(), s.Drain.Seconds(), 10)
		down.Store(true)
		<-time.After(5 * time.Minute)
		s = p.Stats()
		require.Equal(t, time.Duration(-1), s.Drain, "nothing comes through")
		require.Equal(t, began.UnixNano(), s.Oldest)
		down.Store(false)
		require.NoError(t, p.Flush(t.Context()))
		s = p.Stats()
		require.Zero(t, s.Drain)
		require.Zero(t, s.Oldest)
	})
}
