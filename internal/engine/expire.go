package engine

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/memtable"
)

// tidyEvery is how often expired files are looked for while retention is on.
const tidyEvery = time.Minute

// armTidy asks for a look at the files again and again until the store closes.
func (e *Engine) armTidy() {
	r := &e.retention
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.stopped.Load() {
		return
	}
	r.stop = e.clock.AfterFunc(tidyEvery, func() {
		e.wantTidy()
		e.armTidy()
	})
}

// disarmTidy ends it; stopped is set.
func (e *Engine) disarmTidy() {
	r := &e.retention
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		r.stop()
	}
}

// expireFiles drops the files of which every point is expired or has to go for
// the quota. The compacting lock is held.
func (e *Engine) expireFiles() error {
	if !e.retention.on.Load() {
		return nil
	}
	floor := e.retention.floor.Load()
	files := e.currentFiles()
	if e.cfg.QuotaBytes > 0 {
		e.raiseFloor(quotaFloor(files, e.log.Bytes(), e.cfg.QuotaBytes))
	}
	reach := e.reach()
	var gone []*blockFile
	for i, f := range files {
		if f.meta.MaxTime < reach.floor || e.allExpired(&reach, f) && !shadows(files[:i], gone, f) {
			gone = append(gone, f)
		}
	}
	if len(gone) == 0 && reach.floor == floor {
		return nil
	}
	// Settings that make data expire must not be lost behind it.
	if err := e.settle(context.Background()); err != nil {
		return err
	}
	if err := e.replaceFiles(gone, nil); err != nil {
		return err
	}
	for _, f := range gone {
		if f.meta.MaxTime < reach.floor {
			e.retention.dropped.Add(int64(f.meta.Points))
		} else {
			e.retention.expired.Add(int64(f.meta.Points))
		}
	}
	return nil
}

// allExpired reports whether every series of the file is expired up to its end
// or was dropped.
func (e *Engine) allExpired(r *reach, f *blockFile) bool {
	if f.lost {
		return r.base > 0 && len(r.rules) == 0 && f.meta.MaxTime < r.horizon("", "")
	}
	for id := range f.reader.Series() {
		if ser, ok := e.cat.ByID(id); ok && f.meta.MaxTime >= r.horizon(ser.Device, ser.Name) {
			return false
		}
	}
	return true
}

// shadows reports whether f may hide points of an older file that stays: they
// would show again if the time to live became longer.
func shadows(older, gone []*blockFile, f *blockFile) bool {
	return slices.ContainsFunc(older, func(g *blockFile) bool { return g.overlaps(f) && !slices.Contains(gone, g) })
}

// raiseFloor says that points before at are dropped.
func (e *Engine) raiseFloor(at int64) {
	f := &e.retention.floor
	for {
		old := f.Load()
		if at <= old || f.CompareAndSwap(old, at) {
			return
		}
	}
}

// quotaFloor returns the time before which everything has to go so that the
// files fit the quota; the file with the newest data always stays.
func quotaFloor(files []*blockFile, log, quota int64) int64 {
	sum := log
	for _, f := range files {
		sum += f.meta.Size
	}
	if sum <= quota || len(files) == 0 {
		return math.MinInt64
	}
	byAge := slices.Clone(files)
	slices.SortFunc(byAge, func(a, b *blockFile) int { return cmp.Compare(a.meta.MaxTime, b.meta.MaxTime) })
	floor := int64(math.MinInt64)
	for _, f := range byAge[:len(byAge)-1] {
		if sum <= quota || f.meta.MaxTime >= byAge[len(byAge)-1].meta.MaxTime {
			break
		}
		floor = f.meta.MaxTime + 1
		sum -= f.meta.Size
	}
	return floor
}

// evict frees memory of a store without files: what has expired, and above the
// quota the oldest. It runs on the goroutine of a writer, without its locks, and
// does nothing if another is at it.
func (e *Engine) evict() {
	r := &e.retention
	reach := e.reach()
	full := e.cfg.QuotaBytes > 0 && e.active.Load().Bytes() > e.cfg.QuotaBytes
	stale := r.stale(reach.now)
	if !full && !stale || !e.compacting.TryLock() {
		return
	}
	defer e.compacting.Unlock()
	r.evicted.Store(reach.now)
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return
	}
	if full {
		// A tenth more than needed, so that the next commit need not evict again.
		if at, ok := e.mem.OldestFor(e.mem.Bytes() - e.cfg.QuotaBytes/10*9); ok {
			e.raiseFloor(at)
			reach.floor = r.floor.Load()
		}
	}
	cut := memtable.Cut{Epoch: e.epoch.Load(), Oldest: e.snaps.oldest.Load()}
	points := e.mem.Evict(cut, reach.floor, func(id uint32) int64 {
		ser, ok := e.cat.ByID(id)
		if !ok {
			return math.MaxInt64
		}
		return reach.horizon(ser.Device, ser.Name)
	})
	if full {
		r.dropped.Add(points)
	} else {
		r.expired.Add(points)
	}
}

// evictIfDue calls evict where it may find something to do.
func (e *Engine) evictIfDue() {
	r := &e.retention
	if e.log == nil && r.on.Load() && (r.stale(r.newest.Load()) || e.cfg.QuotaBytes > 0 && e.active.Load().Bytes() > e.cfg.QuotaBytes) {
		e.evict()
	}
}

// stale reports whether the last eviction is so long ago, seen from now, that much
// may have expired since.
func (r *retention) stale(now int64) bool {
	last := r.evicted.Load()
	return now > last && uint64(now)-uint64(last) >= uint64(r.shortest.Load()/16)
}

// shortestTTL returns the shortest time to live that rules and Config.TTL set.
func (e *Engine) shortestTTL(rules []ttlRule) time.Duration {
	shortest := time.Duration(math.MaxInt64)
	if e.cfg.TTL > 0 {
		shortest = e.cfg.TTL
	}
	for i := range rules {
		if rules[i].ttl > 0 {
			shortest = min(shortest, rules[i].ttl)
		}
	}
	return shortest
}
