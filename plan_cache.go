package tickwell

import (
	"context"
	"sync"

	"github.com/tickwell/tickwell/internal/exec"
)

// planCache keeps the plans of queries that are asked again and again, such as
// those of a dashboard, which differ in their times only: planning would cost
// more than the rows of a short query. A plan is found by everything a Query
// says but Start and End, and it is only good for the series that existed when
// it was made. Plans that user's functions are part of are not kept, since these
// are asked anew by each query.
type planCache struct {
	mu      sync.Mutex
	plans   map[string]*cachedPlan
	lifts   map[string]*cachedPlan // of one device each, by what they say but the device
	weight  int
	resting int // the weight of plans with memory that rests
	version seriesVersion
	begun   int // how often the cache was empty again: plans from before do not count
}

// cachedPlan is a plan and the memory of a run of it that is over.
type cachedPlan struct {
	*exec.Plan
	begun int         // of the cache
	like  *cachedPlan // that it was lifted from; nil: none
	// The cache guards these.
	ran  bool
	rest *exec.Kept // nil: none, or in use
	of   *exec.Plan // that rest was of last
}

// seriesVersion is two numbers that are never the same again once a series was
// made or dropped.
type seriesVersion struct {
	next uint32
	n    int
}

// planWeight bounds what the plans of a cache weigh: some two thousand columns. A
// query that is longer than plainKey, as with a list of thousands of values,
// weighs more: the plan holds its expressions.
// Those whose memory rests weigh restWeight at most, some 500 bytes a column.
const (
	planWeight = 1 << 14
	restWeight = planWeight / 4
	plainKey   = 512 // bytes
)

// keys are buffers for the keys of plans.
var keys = sync.Pool{New: func() any { return new([]byte) }}

// shape appends what a plan of q depends on, besides the series and the range.
func (q *Query) shape(b []byte) []byte {
	return appendBool(appendBool(appendQuery(b, q), q.exact), q.Rollups)
}

// find returns the plan for a key, or nil.
func (c *planCache) find(key []byte, v seriesVersion) *cachedPlan {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != v {
		return nil
	}
	return c.plans[string(key)]
}

// keep notes a plan that was made for version v of the series, of that of like, if it
// is not nil. It returns nil if it does not.
func (c *planCache) keep(key []byte, v seriesVersion, p *exec.Plan, like *cachedPlan) *cachedPlan {
	w := p.Weight() + max(0, len(key)-plainKey)/4
	if w > planWeight/4 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != v || c.weight+w > planWeight || c.plans == nil {
		c.plans, c.lifts = make(map[string]*cachedPlan), make(map[string]*cachedPlan)
		c.weight, c.resting, c.version = 0, 0, v
		c.begun++
	}
	have := c.plans[string(key)]
	if have == nil {
		have = &cachedPlan{Plan: p, begun: c.begun, like: like}
		c.plans[string(key)] = have
		c.weight += w
	}
	return have
}

// example returns the plan of another device for a key without one, or nil.
func (c *planCache) example(key []byte, v seriesVersion) *cachedPlan {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != v {
		return nil
	}
	return c.lifts[string(key)]
}

// set makes p the plan that others for a key without a device are made of.
func (c *planCache) set(key []byte, v seriesVersion, p *cachedPlan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == v && len(c.lifts) < len(c.plans) {
		c.lifts[string(key)] = p
	}
}

// lift returns the plan of q, of one device, made of that of another, or nil, and
// that other. It appends to key by what such plans are found.
func (db *DB) lift(q *Query, key []byte, v seriesVersion) (p *exec.Plan, like *cachedPlan, both []byte, err error) {
	if len(q.From) != 1 || q.Rollups {
		return nil, nil, key, nil
	}
	other := *q
	other.From = anyDevice
	n := len(key)
	key = other.shape(key)
	like = db.plans.example(key[n:], v)
	if like == nil {
		return nil, nil, key, nil
	}
	start, end := q.bounds()
	p, err = like.Lift(q.From[0], db.eng, start, end)
	return p, like, key, err
}

// anyDevice stands for the device of a query: it is no path.
var anyDevice = []string{""}

// wake returns what a run of p needs, from a run before of it, or of the plan that it
// was lifted from or another that was, if there is some.
func (c *planCache) wake(p *cachedPlan) *exec.Kept {
	if k, of := c.take(p); k != nil && (of == p.Plan || k.Adopt(p.Plan)) {
		return k
	}
	return new(exec.Kept)
}

// take takes memory that rests for p out of the cache, and tells whose it was; nil:
// there is none.
func (c *planCache) take(p *cachedPlan) (k *exec.Kept, of *exec.Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.rest == nil && p.like != nil {
		p = p.like
	}
	if k, of = p.rest, p.of; k == nil {
		return nil, nil
	}
	p.rest, p.of = nil, nil
	if c.begun == p.begun {
		c.resting -= p.Weight()
	}
	return k, of
}

// sleep keeps the memory of a run of p that is over for the next one: the first one's
// for plans that are lifted from the same, of which most may never be asked again.
func (c *planCache) sleep(p *cachedPlan, k *exec.Kept) {
	if !k.Rest() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := p
	if p.like != nil && !p.ran {
		at = p.like
	}
	p.ran = true
	if w := at.Weight(); at.rest == nil && c.begun == at.begun && c.resting+w <= restWeight {
		at.rest, at.of = k, p.Plan
		c.resting += w
	}
}

// planned returns a plan for q, the one that is kept if it is that for another
// range, and the user's functions it calls.
func (db *DB) planned(ctx context.Context, q *Query) (*exec.Plan, *cachedPlan, []string, error) {
	v := db.seriesVersion()
	key := keys.Get().(*[]byte)
	defer keys.Put(key)
	*key = q.shape((*key)[:0])
	if p := db.plans.find(*key, v); p != nil {
		start, end := q.bounds()
		moved, err := p.At(start, end)
		return moved, p, nil, err
	}
	n := len(*key)
	p, like, both, err := db.lift(q, *key, v)
	*key = both
	if p != nil || err != nil {
		if err == nil {
			like = db.plans.keep(both[:n], v, p, like)
		}
		return p, like, nil, err
	}
	var used *usedFunctions
	for tries := 0; ; tries++ {
		eq, err := q.exec()
		if err != nil {
			return nil, nil, nil, err
		}
		eq.Budget = db.opts.QueryMemory
		used = &usedFunctions{from: &db.funcs}
		p, err = db.hosted(ctx, eq, used)
		if now := db.seriesVersion(); now != v && tries < 3 { // of series made together it may have seen some
			v = now
			continue
		}
		if err != nil {
			return nil, nil, nil, err
		}
		break
	}
	if db.keeps(p, used.names) {
		cached := db.plans.keep(both[:n], v, p, nil)
		if cached != nil && len(both) > n && len(both)-n <= plainKey && p.Weight() <= planWeight/64 && p.Liftable() {
			db.plans.set(both[n:], v, cached)
			return p, cached, nil, nil
		}
	}
	return p, nil, used.names, nil
}

// keeps reports whether p, which calls the user's functions in used, is good for
// other ranges until series are made or dropped: nothing of it is narrowed to a
// time, and what users wrote is asked anew by each query.
func (db *DB) keeps(p *exec.Plan, used []string) bool { return p.Movable() && len(used) == 0 }

func (db *DB) seriesVersion() seriesVersion {
	next, n := db.eng.SeriesVersion()
	return seriesVersion{next, n}
}
