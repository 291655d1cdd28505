// Peer naive is what people write themselves: two slices per series behind one
// RWMutex. It is the floor for in-memory use and for unit-test fakes.
package main

import (
	"sort"
	"sync"

	"github.com/tickwell/tickwell/bench/harness"
)

type series struct {
	ts []int64
	v  []float64
}

type store struct {
	mu sync.RWMutex
	s  map[string]*series
	n  []string
}

func open(c harness.Config) (harness.Store, error) {
	st := &store{s: map[string]*series{}}
	for _, m := range c.Series {
		st.n = append(st.n, m.Name)
	}
	return st, nil
}

func (st *store) add(p harness.Point) {
	name := st.n[p.Series]
	s := st.s[name]
	if s == nil {
		s = &series{}
		st.s[name] = s
	}
	s.ts, s.v = append(s.ts, p.TS), append(s.v, p.V)
	for i := len(s.ts) - 1; i > 0 && s.ts[i-1] > s.ts[i]; i-- {
		s.ts[i-1], s.ts[i] = s.ts[i], s.ts[i-1]
		s.v[i-1], s.v[i] = s.v[i], s.v[i-1]
	}
}

func (st *store) WriteBatch(pts []harness.Point) error {
	st.mu.Lock()
	for _, p := range pts {
		st.add(p)
	}
	st.mu.Unlock()
	return nil
}

func (st *store) Flush() error { return nil }
func (st *store) Close() error { return nil }

func (st *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	st.mu.RLock()
	defer st.mu.RUnlock()
	s := st.s[st.n[n]]
	if s == nil {
		return nil
	}
	i := sort.Search(len(s.ts), func(i int) bool { return s.ts[i] >= from })
	for ; i < len(s.ts) && s.ts[i] <= to; i++ {
		fn(s.ts[i], s.v[i])
	}
	return nil
}

func main() {
	harness.Main(harness.Peer{Name: "naive", Module: "github.com/tickwell/tickwell/bench", Open: open,
		Class:      map[string]harness.Class{"": harness.Memory},
		Durability: map[string]string{"": "none: memory only"},
		InMemory:   func(string) bool { return true }})
}
