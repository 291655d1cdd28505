package engine

import (
	"iter"
	"strings"
	"sync"

	"github.com/tidwall/btree"
)

// kv is the durable state: what Batch.Puts wrote.
type kv struct {
	mu sync.RWMutex
	m  btree.Map[string, *stateValue]
}

// A stateValue is never changed: copies of the map share it. The map holds
// pointers so that it is of the same machine code as the catalog's.
type stateValue struct {
	kind  PutKind
	value []byte
}

// put applies p; the lock is held.
func (s *kv) put(p *Put) {
	if p.Delete {
		s.m.Delete(p.Key)
		return
	}
	s.m.Set(p.Key, &stateValue{p.Kind, p.Value})
}

// copy returns the state as it is now; it costs nothing until something changes.
func (s *kv) copy() *btree.Map[string, *stateValue] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Copy()
}

// Get returns the value of a state key. The value must not be changed.
func (e *Engine) Get(key string) ([]byte, bool) {
	e.kv.mu.RLock()
	defer e.kv.mu.RUnlock()
	v, ok := e.kv.m.Get(key)
	if !ok {
		return nil, false
	}
	return v.value, true
}

// Scan yields the state keys that begin with prefix, sorted, as of the call of
// the sequence; the engine's own keys, which begin with a zero byte, are left
// out. No lock is held while it yields.
//
//go:noinline
func (e *Engine) Scan(prefix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		e.kv.copy().Ascend(max(prefix, "\x01"), func(key string, v *stateValue) bool {
			return strings.HasPrefix(key, prefix) && yield(key, v.value)
		})
	}
}
