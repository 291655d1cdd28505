package engine

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/sorting"
)

// retention says which points are too old to be kept.
type retention struct {
	on    atomic.Bool  // a time to live or a quota is set, or points were dropped
	floor atomic.Int64 // points before it were dropped for want of room; also in the manifest
	// newest is the time of the newest point, kept only while on.
	newest atomic.Int64
	// shortest is the shortest time to live that is set, for any series.
	shortest atomic.Int64

	loading sync.Mutex // one at a time takes the settings over: see loadTTLs

	mu    sync.RWMutex
	rules []ttlRule   // longest prefix first; replaced, never changed
	stop  func() bool // of the timer
	watch wallWatch

	expired atomic.Int64 // points of files dropped by age
	dropped atomic.Int64 // points of files dropped by quota
	refused atomic.Int64 // rows refused as too late
	evicted atomic.Int64 // point of view of the last eviction from memory
}

// ttlRule is the time to live below a prefix; negative = kept for ever.
type ttlRule struct {
	prefix string
	ttl    time.Duration
}

// reach is how far back the store reaches at one moment.
type reach struct {
	on    bool
	now   int64 // the retention's point of view
	base  time.Duration
	floor int64
	rules []ttlRule
	hold  func(device, name string, before int64) int64
}

// ttlKey begins the state keys of times to live.
const ttlKey = "\x00ttl/"

// reach takes the point of view: the time of the clock or of the newest point,
// whichever is earlier, so that neither a wrong clock nor a wrong timestamp
// alone makes data expire.
func (e *Engine) reach() reach {
	r := &e.retention
	if !r.on.Load() {
		return reach{}
	}
	now := min(r.watch.view(e.clock.Now().UnixNano(), int64(e.clock.Mono())), r.newest.Load())
	r.mu.RLock()
	defer r.mu.RUnlock()
	return reach{on: true, now: now, base: e.cfg.TTL, floor: r.floor.Load(), rules: r.rules, hold: e.cfg.HoldBack}
}

// ttl returns the time to live of a series, 0 or less = for ever. What a series
// without its name was to have is not known.
func (r *reach) ttl(device, name string) time.Duration {
	for i := range r.rules {
		p := r.rules[i].prefix
		if len(p) <= len(device) {
			if strings.HasPrefix(device, p) && (len(p) == len(device) || device[len(p)] == '.') {
				return r.rules[i].ttl
			}
		} else if len(p) == len(device)+1+len(name) && p[:len(device)] == device && p[len(device)] == '.' && p[len(device)+1:] == name {
			return r.rules[i].ttl
		}
	}
	if device == LostDevice {
		return 0
	}
	return r.base
}

// horizon returns the time before which points of a series are gone.
func (r *reach) horizon(device, name string) int64 {
	if !r.on {
		return math.MinInt64
	}
	d := int64(r.ttl(device, name))
	if d <= 0 || r.now <= math.MinInt64+d {
		return r.floor
	}
	h := r.now - d
	if r.hold != nil && h > r.floor {
		h = r.hold(device, name, h)
	}
	return max(h, r.floor)
}

// mask hides what is gone of a series.
func (r *reach) mask(ser *Series) (merge.Mask, bool) {
	h := r.horizon(ser.Device, ser.Name)
	return merge.Mask{LSN: math.MaxUint64, From: math.MinInt64, To: h}, h > math.MinInt64
}

// Horizon returns the time in Unix nanoseconds before which points of a series
// are expired or dropped: reads do not show them, and Commit refuses them with
// errs.TooLate. ok is false when nothing is ever too old. The series need not
// exist.
func (e *Engine) Horizon(device, name string) (at int64, ok bool) {
	r := e.reach()
	at = r.horizon(device, name)
	return at, at > math.MinInt64
}

// SetTTL sets the time to live of all series at or below a path prefix; the
// longest prefix that fits a series counts, before Config.TTL. ttl < 0 keeps
// for ever, 0 removes the setting. A longer time to live does not bring back
// what is dropped already. Errors wrap errs.BadInput or are those of Commit.
func (e *Engine) SetTTL(ctx context.Context, prefix string, ttl time.Duration) error {
	if err := pattern.CheckPath(prefix); err != nil {
		return err
	}
	put := Put{Kind: PutMeta, Key: ttlKey + prefix, Value: binary.AppendVarint(nil, int64(ttl)), Delete: ttl == 0}
	_, err := e.Commit(ctx, &Batch{Puts: []Put{put}}, false)
	e.loadTTLs(false) // also if it is stored with an error
	e.wantTidy()
	return err
}

// TTL returns the time to live that holds for a path: that of the longest
// prefix, or Config.TTL; 0 = for ever.
func (e *Engine) TTL(path string) time.Duration {
	e.retention.mu.RLock()
	r := reach{base: e.cfg.TTL, rules: e.retention.rules}
	e.retention.mu.RUnlock()
	device, name := pattern.Split(path)
	return max(0, r.ttl(device, name))
}

// TTLs returns the settings made by SetTTL, by prefix.
func (e *Engine) TTLs() map[string]time.Duration {
	e.retention.mu.RLock()
	defer e.retention.mu.RUnlock()
	out := make(map[string]time.Duration, len(e.retention.rules))
	for _, r := range e.retention.rules {
		out[r.prefix] = r.ttl
	}
	return out
}

// loadTTLs takes the settings from the durable state, as the store opens or later.
func (e *Engine) loadTTLs(opening bool) {
	r := &e.retention
	r.loading.Lock() // who takes them later has later ones
	defer r.loading.Unlock()
	var rules []ttlRule
	e.kv.copy().Ascend(ttlKey, func(key string, v *stateValue) bool {
		prefix, ok := strings.CutPrefix(key, ttlKey)
		if !ok {
			return false
		}
		if ttl, n := binary.Varint(v.value); n > 0 && ttl != 0 {
			rules = append(rules, ttlRule{prefix, time.Duration(ttl)})
		}
		return true
	})
	sorting.By(rules, func(a, b ttlRule) int {
		return cmp.Or(cmp.Compare(len(b.prefix), len(a.prefix)), cmp.Compare(a.prefix, b.prefix))
	})
	r.mu.Lock()
	r.rules = rules
	r.shortest.Store(int64(e.shortestTTL(rules)))
	r.mu.Unlock()
	if len(rules) > 0 || e.cfg.TTL > 0 || e.cfg.QuotaBytes > 0 || r.floor.Load() > math.MinInt64 {
		e.retain(opening)
	}
}

// retain turns retention on.
func (e *Engine) retain(opening bool) {
	r := &e.retention
	e.alone() // no commit under way: each is seen here or sees on
	defer e.together()
	if r.on.Load() {
		return
	}
	newest := e.mem.Newest()
	if e.frozen != nil {
		newest = max(newest, e.frozen.table.Newest())
	}
	for _, f := range e.version.files {
		newest = max(newest, f.meta.MaxTime)
	}
	r.newest.Store(newest)
	if opening && newest > math.MinInt64 {
		r.watch.begin(newest, e.clock.Now().UnixNano(), int64(e.clock.Mono()))
	}
	r.on.Store(true)
	if e.log != nil && !e.cfg.ManualFlush && !e.cfg.ReadOnly {
		e.armTidy()
	}
}

// saw is told of the newest time of a commit. The gate is held.
func (r *retention) saw(at int64) {
	for {
		old := r.newest.Load()
		if at <= old || r.newest.CompareAndSwap(old, at) {
			return
		}
	}
}

// keeps reports that no series has lost points as new as at, without asking for
// the time to live of each or for the clock: the point of view is at most the newest
// point. If it is false some may have. The gate is held.
func (r *retention) keeps(at int64) bool {
	newest, ttl := r.newest.Load(), r.shortest.Load()
	return at >= r.floor.Load() && (newest < math.MinInt64+ttl || at >= newest-ttl)
}

// tooLate refuses rows that would be gone at once.
func (e *Engine) tooLate(b *Batch, c *commit) error {
	reach := e.reach()
	for i, r := range c.rows {
		if r == nil {
			continue
		}
		s := b.Tablets[i].Shape
		for _, ser := range s.series {
			h := reach.horizon(ser.Device, ser.Name)
			if r.Times[0] >= h {
				continue
			}
			n, _ := slices.BinarySearch(r.Times, h)
			e.retention.refused.Add(int64(n))
			return lateError(ser.Device, ser.Name, n, r.Times[0], h)
		}
	}
	return nil
}

// CheckTimes reports whether Commit would refuse rows of these series of a
// device as too late now, with the error it would give; refused rows are
// counted. Times may come in any order.
func (e *Engine) CheckTimes(device string, names []string, times []int64) error {
	if !e.retention.on.Load() || len(times) == 0 {
		return nil
	}
	reach := e.reach()
	oldest := slices.Min(times)
	for _, name := range names {
		h := reach.horizon(device, name)
		if oldest >= h {
			continue
		}
		n := 0
		for _, at := range times {
			if at < h {
				n++
			}
		}
		e.retention.refused.Add(int64(n))
		return lateError(device, name, n, oldest, h)
	}
	return nil
}

func lateError(device, name string, n int, oldest, horizon int64) error {
	at := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }
	return fmt.Errorf("series %s.%s keeps rows from %s on; older: %d, the oldest of %s: %w", device, name, at(horizon), n, at(oldest), errs.TooLate)
}

// A wallWatch follows a clock and distrusts its leaps: when it runs ahead of
// what monotonic time allows by more than a tolerance, the old course counts
// until the new one has held for some time.
type wallWatch struct {
	mu         sync.Mutex
	set        bool
	wall, mono int64 // a trusted reading
	ahead      bool
	aheadSince int64 // monotonic
}

const (
	clockTolerance = int64(10 * time.Minute)
	clockSettles   = int64(time.Hour)
)

// begin is told of the newest point there was when the watch began. A clock that
// is ahead of it may have been put wrong while nobody looked: it is treated as
// one that leapt.
func (w *wallWatch) begin(newest, wall, mono int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.set {
		w.set, w.wall, w.mono = true, min(wall, newest), mono
		if w.ahead = w.wall < wall-clockTolerance; w.ahead { // since now, not since somebody looks
			w.aheadSince = mono
		}
	}
}

// view returns the wall time to go by.
func (w *wallWatch) view(wall, mono int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.set {
		w.set, w.wall, w.mono = true, wall, mono
	}
	trusted := w.wall + (mono - w.mono)
	if wall <= trusted+clockTolerance {
		if w.ahead = false; wall >= trusted-clockTolerance {
			w.wall, w.mono = wall, mono
		}
		return wall
	}
	if !w.ahead {
		w.ahead, w.aheadSince = true, mono
	}
	if mono-w.aheadSince < clockSettles {
		return trusted
	}
	w.ahead, w.wall, w.mono = false, wall, mono
	return wall
}
