package tickwell

import (
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
	plans   map[string]*exec.Plan
	weight  int
	version seriesVersion
}

// seriesVersion is two numbers that are never the same again once a series was
// made or dropped.
type seriesVersion struct {
	next uint32
	n    int
}

// planWeight bounds what the plans of a cache weigh: some two thousand columns.
const planWeight = 1 << 14

// keys are buffers for the keys of plans.
var keys = sync.Pool{New: func() any { return new([]byte) }}

// shape appends what a plan of q depends on, besides the series and the range.
func (q *Query) shape(b []byte) []byte {
	return appendBool(appendBool(appendQuery(b, q), q.exact), q.Rollups)
}

// find returns the plan for a key, or nil.
func (c *planCache) find(key []byte, v seriesVersion) *exec.Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != v {
		return nil
	}
	return c.plans[string(key)]
}

// keep notes a plan that was made for version v of the series.
func (c *planCache) keep(key []byte, v seriesVersion, p *exec.Plan) {
	w := p.Weight()
	if w > planWeight/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != v || c.weight+w > planWeight || c.plans == nil {
		c.plans, c.weight, c.version = make(map[string]*exec.Plan), 0, v
	}
	if c.plans[string(key)] == nil {
		c.plans[string(key)] = p
		c.weight += w
	}
}

// planned returns a plan for q, and the user's functions it calls.
func (db *DB) planned(q *Query) (*exec.Plan, []string, error) {
	v := db.seriesVersion()
	key := keys.Get().(*[]byte)
	defer keys.Put(key)
	*key = q.shape((*key)[:0])
	if p := db.plans.find(*key, v); p != nil {
		start, end := q.bounds()
		p, err := p.At(start, end)
		return p, nil, err
	}
	eq, err := q.exec()
	if err != nil {
		return nil, nil, err
	}
	eq.Budget = db.opts.QueryMemory
	used := &usedFunctions{from: &db.funcs}
	p, err := exec.Prepare(eq, db.eng, used)
	if err != nil {
		return nil, nil, err
	}
	if db.keeps(p, used.names) {
		db.plans.keep(*key, v, p)
	}
	return p, used.names, nil
}

// keeps reports whether p, which calls the user's functions in used, is good for
// other ranges until series are made or dropped: nothing of it is narrowed to a
// time, and what users wrote is asked anew by each query.
func (db *DB) keeps(p *exec.Plan, used []string) bool { return p.Movable() && len(used) == 0 }

func (db *DB) seriesVersion() seriesVersion {
	next, n := db.eng.SeriesVersion()
	return seriesVersion{next, n}
}
