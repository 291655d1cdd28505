package segment

import (
	"container/list"
	"sync"
)

// Cache keeps checked index pages of any number of readers, up to a number of
// bytes; the least recently used go first. It is safe for concurrent use. A nil
// *Cache keeps nothing.
type Cache struct {
	mu    sync.Mutex
	limit int64
	used  int64
	pages map[pageKey]*list.Element
	order *list.List // of *cachedPage, most recently used first
}

type pageKey struct {
	reader *Reader
	page   int
}

type cachedPage struct {
	key   pageKey
	bytes []byte // never changed
}

// NewCache returns a cache of at most limit bytes of pages.
func NewCache(limit int64) *Cache {
	return &Cache{limit: limit, pages: make(map[pageKey]*list.Element), order: list.New()}
}

// Bytes returns how many bytes of pages the cache holds.
func (c *Cache) Bytes() int64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

func (c *Cache) get(k pageKey) []byte {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.pages[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedPage).bytes
}

func (c *Cache) put(k pageKey, b []byte) {
	if c == nil || int64(len(b)) > c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages[k] != nil {
		return // another goroutine read it too
	}
	c.pages[k] = c.order.PushFront(&cachedPage{k, b})
	c.used += int64(len(b))
	for c.used > c.limit {
		c.remove(c.order.Back())
	}
}

func (c *Cache) remove(e *list.Element) {
	p := c.order.Remove(e).(*cachedPage)
	delete(c.pages, p.key)
	c.used -= int64(len(p.bytes))
}

// forget drops the pages of a reader that is closed.
func (c *Cache) forget(r *Reader) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range r.dir.pages {
		if e := c.pages[pageKey{r, i}]; e != nil {
			c.remove(e)
		}
	}
}
