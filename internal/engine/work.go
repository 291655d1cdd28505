package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// What the serving goroutine is asked to do.
const (
	wantAcks   = 1 << iota // log the sinks' cursors
	wantSync               // sync the log for an urgent event
	wantWake               // tell sinks that events became durable
	wantDefine             // log series definitions again that the log refused
)

// poke asks the serving goroutine for something. It never waits.
func (e *Engine) poke(want uint32) {
	e.wants.Or(want)
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// serve does small things that callers must not wait for.
func (e *Engine) serve() {
	defer e.workers.Done()
	for {
		select {
		case <-e.done:
			return
		case <-e.wake:
		}
		wants := e.wants.Swap(0)
		if wants&wantSync != 0 {
			if err := e.log.Sync(context.Background()); err != nil {
				e.logger.Warn("tickwell: sync for an urgent event failed", "err", err)
			}
		}
		if wants&(wantWake|wantSync) != 0 {
			e.outbox.wakeAll()
		}
		if wants&wantDefine != 0 {
			e.redefine()
		}
		if wants&wantAcks != 0 {
			e.logAcks()
		}
	}
}

// LogCursors makes the cursors of all sinks durable.
func (e *Engine) LogCursors(ctx context.Context) error {
	if e.log == nil {
		return ctx.Err()
	}
	e.logAcks()
	return e.Sync(ctx)
}

// logAcks writes the cursors that moved to the log, as safe from a crash of the
// process as it gets.
func (e *Engine) logAcks() {
	puts := e.outbox.puts()
	if len(puts) == 0 {
		return
	}
	b := &Batch{Puts: puts}
	c := new(commit)
	if err := c.prepare(b); err != nil {
		return
	}
	c.encode(b)
	lsn, err := e.store(b, c)
	if err == nil {
		err = e.log.Write(context.Background(), lsn)
	}
	if err != nil {
		e.logger.Warn("tickwell: sink cursors were not logged", "err", err)
		e.outbox.unlogged(puts)
	}
}

// A flush that failed is tried again when this time is over, and ever later: what was
// acknowledged from memory and the log has refused waits for it, if nobody writes,
// syncs or closes.
const (
	flushAgain       = time.Second
	flushAgainAtMost = time.Minute
)

// What a flush has written that a full disk ended was for nothing. Beyond restFrom it
// rests a second for each restBytes, up to flushAgainAtMost, before an insert begins it
// again: not each is to wear flash where there is room for a part. Flush, Sync and Close
// do not wait.
const (
	restFrom  = 16 << 10
	restBytes = 2 << 10
)

// rest notes how a flush ended; flushing is held.
func (e *Engine) rest(err error, wrote int64) {
	until := int64(0)
	if wrote -= restFrom; wrote > 0 && errors.Is(err, vfs.ErrNoSpace) {
		until = int64(e.clock.Mono() + min(time.Duration(wrote/restBytes)*time.Second, flushAgainAtMost))
	}
	e.restUntil.Store(until)
}

// resting returns for how long no insert begins a flush, 0 or less: it may.
func (e *Engine) resting() time.Duration {
	return time.Duration(e.restUntil.Load()) - e.clock.Mono()
}

// flushLoop flushes when it is asked to, and again after a failure.
func (e *Engine) flushLoop() {
	defer e.workers.Done()
	wait, stop := flushAgain, func() bool { return true }
	failed, over := e.clock.Mono(), false // when a flush failed last; none will succeed any more
	defer func() { stop() }()
	for {
		select {
		case <-e.done:
			return
		case <-e.flushNow:
		}
		stop()
		if rest := e.resting(); rest > 0 {
			stop = e.clock.AfterFunc(rest, e.wantFlush)
			e.room.tell(e.room.last())
			continue
		}
		err := e.flush(context.Background(), false)
		switch {
		case err == nil && !e.log.Held():
			wait = flushAgain
			continue
		case over: // every insert asks again
			continue
		case err != nil:
			e.logger.Warn("tickwell: flush failed", "err", err)
			if over = errors.Is(err, errs.StorageFailed); over {
				continue
			}
		}
		if now := e.clock.Mono(); now-failed > 2*wait { // others have flushed since
			wait, failed = flushAgain, now
		} else {
			failed = now
		}
		stop = e.clock.AfterFunc(wait, e.flushIfLeft)
		wait = min(2*wait, flushAgainAtMost)
	}
}

// flushIfLeft asks for a flush if what an earlier one froze, or the log refused, is in
// memory only.
func (e *Engine) flushIfLeft() {
	e.gate.RLock()
	left := e.frozen != nil || e.log.Held()
	e.gate.RUnlock()
	if left {
		e.wantFlush()
	}
}

func (e *Engine) wantFlush() {
	select {
	case e.flushNow <- struct{}{}:
	default:
	}
}

// roomSignal tells waiting writers that a flush ended.
type roomSignal struct {
	mu  sync.Mutex
	ch  chan struct{}
	err error // of the last flush
}

func (r *roomSignal) wait() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ch == nil {
		r.ch = make(chan struct{})
	}
	return r.ch
}

func (r *roomSignal) tell(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if r.ch != nil {
		close(r.ch)
		r.ch = nil
	}
}

func (r *roomSignal) last() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// admit lets a writer pass when memory allows. Above the hard limit it waits
// for a flush, as long as ctx allows; if flushing fails it does not wait.
func (e *Engine) admit(ctx context.Context) error {
	if e.log == nil || e.cfg.ManualFlush {
		return nil
	}
	used := e.active.Load().Bytes()
	if used > e.cfg.MemtableBytes || e.log.Used() > e.cfg.WALBytes {
		e.wantFlush()
	}
	for used+e.frozenBytes.Load() > e.cfg.MemtableHard {
		room := e.room.wait()
		if used = e.active.Load().Bytes(); used+e.frozenBytes.Load() <= e.cfg.MemtableHard {
			return nil
		}
		e.wantFlush()
		select {
		case <-ctx.Done():
			return fmt.Errorf("commit: memtable full: %w: %w", errs.Overloaded, ctx.Err())
		case <-e.done:
			return errs.Closed
		case <-room:
		}
		if err := e.room.last(); err != nil {
			return fmt.Errorf("commit: memtable full: %w: %w", errs.Overloaded, full(err))
		}
		used = e.active.Load().Bytes()
	}
	return nil
}
