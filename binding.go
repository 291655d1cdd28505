package tickwell

import (
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/pattern"
)

// A binding is a device with some of its measurements, resolved once: which
// series they are, and which triggers they fire. Writer handles hold one; plain
// inserts find theirs by device.
type binding struct {
	shape  atomic.Pointer[engine.Shape] // nil until the first commit
	kinds  []column.Kind
	device string // as given
	names  []string
	path   string   // of the device, in canonical form
	nodes  []string // the measurements, in canonical form

	matches atomic.Pointer[matches] // of the trigger table in force
	feeds   atomic.Pointer[cqFeeds] // of the continuous queries in force
}

// newBinding checks the names. A measurement is one node of a path: what holds
// dots or blanks must be quoted. It keeps names and kinds.
func newBinding(device string, names []string, kinds []column.Kind) (*binding, error) {
	b := new(binding)
	if err := b.name(device, names, kinds); err != nil {
		return nil, err
	}
	return b, nil
}

// name is newBinding for b, which is zero.
func (b *binding) name(device string, names []string, kinds []column.Kind) (err error) {
	b.device, b.names, b.kinds = device, names, kinds
	if b.path, err = pattern.Canonical(device); err != nil {
		return err
	}
	b.nodes = b.names // mostly the same
	for i, name := range names {
		node, err := pattern.CanonicalNode(name)
		if err != nil {
			return fmt.Errorf("measurement %q, which quoted would be %s: %w", name, pattern.Quote(name), err)
		}
		if node == name {
			continue
		}
		if &b.nodes[0] == &b.names[0] {
			b.nodes = slices.Clone(b.names)
		}
		b.nodes[i] = node
	}
	return nil
}

// resolved reports whether resolve has nothing to do.
func (b *binding) resolved() bool {
	s := b.shape.Load()
	return s != nil && !s.Stale()
}

// resolve returns the shape, making series that are missing.
func (b *binding) resolve(e *engine.Engine) (*engine.Shape, error) {
	if s := b.shape.Load(); s != nil && !s.Stale() {
		return s, nil
	}
	s, err := e.Shape(b.path, b.nodes, b.kinds)
	if err != nil {
		return nil, err
	}
	b.shape.Store(s)
	return s, nil
}

// check reports whether resolve would succeed, without making anything.
func (b *binding) check(e *engine.Engine) error {
	if b.resolved() {
		return nil
	}
	return e.Check(b.path, b.nodes, b.kinds)
}

const bindingShards = 64

// maxSpare bounds the bindings of a shard beyond one a device.
const maxSpare = 1024

// bindings finds the bindings used last for a device: one, and beside it some for
// other columns. It is a cache: an entry that does not fit is replaced.
type bindings struct {
	seed   maphash.Seed
	shards [bindingShards]struct {
		mu    sync.RWMutex
		m     map[string]*binding // kept last
		spare map[bindingKey]*binding
	}
	near [1 << nearBits]atomic.Pointer[binding]
}

const nearBits = 11

// nearAt is the two places in near of which one has the binding that was found
// last by these very strings, not only equal ones: programs mostly give the same
// again and again, and their place in memory is a hash that costs nothing. Others
// may be there.
func (c *bindings) nearAt(device, first string, n int) (at, or *atomic.Pointer[binding]) {
	h := uint64(uintptr(unsafe.Pointer(unsafe.StringData(device))))
	h = h*31 + uint64(uintptr(unsafe.Pointer(unsafe.StringData(first)))) + uint64(n)
	h = h * 0x9e3779b97f4a7c15 >> (64 - nearBits)
	return &c.near[h], &c.near[h^1]
}

// is reports whether b is for n columns of the device, of which first is the first.
func (b *binding) is(device, first string, n int) bool {
	return b != nil && len(b.names) == n && b.names[0] == first && b.device == device
}

// bindingKey tells the bindings of a device apart, most of the time.
type bindingKey struct {
	device, first string // measurement
	n             int
}

// lookup returns the last binding for a device with n columns, of which first is
// the first, or nil. It may be for other columns.
func (c *bindings) lookup(device, first string, n int) *binding {
	at, or := c.nearAt(device, first, n)
	for _, place := range [...]*atomic.Pointer[binding]{at, or} {
		if b := place.Load(); b.is(device, first, n) {
			return b
		}
	}
	if c.seed == (maphash.Seed{}) { // of a DB that Open has not made; it would panic below
		return nil
	}
	s := &c.shards[maphash.String(c.seed, device)%bindingShards]
	s.mu.RLock()
	b := s.m[device]
	if b == nil || len(b.names) != n || b.names[0] != first {
		b = s.spare[bindingKey{device, first, n}]
	}
	s.mu.RUnlock()
	if b != nil {
		if at.Load() != nil && or.Load() == nil {
			at = or
		}
		at.Store(b)
	}
	return b
}

// named returns a binding for a device that has the names of the fields, in order.
func (c *bindings) named(device string, fields []Field) *binding {
	if len(fields) == 0 {
		return nil
	}
	b := c.lookup(device, fields[0].Name, len(fields))
	if b == nil {
		return nil
	}
	for i := range fields {
		if fields[i].Name != b.names[i] {
			return nil
		}
	}
	return b
}

func (c *bindings) keep(b *binding) {
	s := &c.shards[maphash.String(c.seed, b.device)%bindingShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = make(map[string]*binding)
	}
	if old := s.m[b.device]; old != nil && !slices.Equal(old.names, b.names) {
		if s.spare == nil || len(s.spare) >= maxSpare {
			s.spare = make(map[bindingKey]*binding)
		}
		s.spare[bindingKey{old.device, old.names[0], len(old.names)}] = old
	}
	s.m[b.device] = b
	at, or := c.nearAt(b.device, b.names[0], len(b.names))
	at.Store(b)
	if or.Load().is(b.device, b.names[0], len(b.names)) {
		or.Store(nil) // it may not fit any more
	}
}
