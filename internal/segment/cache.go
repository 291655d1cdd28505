package segment

import (
	"container/list"
	"slices"
	"sync"

	"github.com/tickwell/tickwell/internal/column"
)

// Cache keeps checked index pages of any number of readers, and decoded entries
// of them, up to a number of bytes; the least recently used go first. A part of
// the room is for blocks that are read again and again. Beside them it keeps some
// times blocks that are a line. It is safe for concurrent use. A nil
// *Cache keeps nothing.
type Cache struct {
	mu      sync.Mutex
	pages   recent
	entries recent

	lists [sharedLists]seriesList // of directories read last
	next  int

	lines lines // has no lock
	held  held
}

// seriesList is the series of a directory's entries.
type seriesList struct {
	ids   []uint32
	kinds []column.Kind
}

// sharedLists is the number of lists of series that later files may share: most
// files of a store hold the same series.
const sharedLists = 4

// entryShare is the part of a cache, one in so many, that entries take which are
// decoded already. They are several times as large as in their pages, so most of
// the room stays for those.
const entryShare = 4

// heldShare is the part of a cache, one in so many, that blocks take.
const heldShare = 4

// entryBlockSize is about what a block of a decoded entry takes: its BlockInfo
// and what users add to it.
const entryBlockSize = 256

// recent is a part of a cache.
type recent struct {
	limit int64
	used  int64
	items map[cacheKey]*list.Element
	order *list.List // of *cached, most recently used first
}

// cacheKey is an index page or an index entry of a reader, by number.
type cacheKey struct {
	reader *Reader
	number int
}

type cached struct {
	key   cacheKey
	size  int64
	page  []byte // never changed
	entry any    // what a user of the reader made of the entry
}

// NewCache returns a cache of at most limit bytes.
func NewCache(limit int64) *Cache {
	c := &Cache{lines: newLines(limit)}
	c.held.room(limit / heldShare)
	limit -= c.held.limit
	entries := limit / entryShare
	c.pages, c.entries = newRecent(limit-entries), newRecent(entries)
	return c
}

func newRecent(limit int64) recent {
	return recent{limit: limit, items: make(map[cacheKey]*list.Element), order: list.New()}
}

// Bytes returns how many bytes the cache holds.
func (c *Cache) Bytes() int64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pages.used + c.entries.used + c.held.used.Load()
}

// page returns index page i of a reader, nil if it is not held.
func (c *Cache) page(r *Reader, i int) []byte {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.pages.get(cacheKey{r, i}); at != nil {
		return at.page
	}
	return nil
}

func (c *Cache) putPage(r *Reader, i int, b []byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pages.put(cached{key: cacheKey{r, i}, size: int64(len(b)), page: b})
}

// entry returns what was made of index entry e of a reader or, if that is not held,
// index page i; nil where that is not held either.
func (c *Cache) entry(r *Reader, e, i int) (made any, page []byte) {
	if c == nil {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.entries.get(cacheKey{r, e}); at != nil {
		return at.entry, nil
	}
	if at := c.pages.get(cacheKey{r, i}); at != nil {
		return nil, at.page
	}
	return nil, nil
}

func (c *Cache) putEntry(r *Reader, e int, made any, blocks int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.put(cached{key: cacheKey{r, e}, size: int64(blocks) * entryBlockSize, entry: made})
}

func (c *recent) get(k cacheKey) *cached {
	e := c.items[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached)
}

func (c *recent) put(at cached) {
	if at.size > c.limit || c.items[at.key] != nil { // another goroutine read it too
		return
	}
	c.items[at.key] = c.order.PushFront(&at)
	c.used += at.size
	for c.used > c.limit {
		c.remove(c.order.Back())
	}
}

//go:noinline
func (c *recent) remove(e *list.Element) {
	at := c.order.Remove(e).(*cached)
	delete(c.items, at.key)
	c.used -= at.size
}

// block returns the checked bytes of a block of a reader, nil if they are not held.
func (c *Cache) block(r *Reader, ref Ref) []byte {
	if c == nil {
		return nil
	}
	return c.held.get(r, ref)
}

func (c *Cache) putBlock(r *Reader, offset int64, b []byte) {
	if c != nil {
		c.held.put(r, offset, b)
	}
}

// forget drops what is of a reader that is closed.
func (c *Cache) forget(r *Reader) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pages.forget(r, len(r.dir.pages))
	c.entries.forget(r, len(r.dir.ids))
	c.lines.forget(r)
	c.held.forget(r)
}

// forget drops what is of a reader, of which there are n items at most.
func (c *recent) forget(r *Reader, n int) {
	if len(c.items) < n {
		for k, e := range c.items {
			if k.reader == r {
				c.remove(e)
			}
		}
		return
	}
	for i := range n {
		if e := c.items[cacheKey{r, i}]; e != nil {
			c.remove(e)
		}
	}
}

// share makes d use the list of series of a directory read before, if there is
// an equal one.
func (c *Cache) share(d *directory) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.lists {
		if l := &c.lists[i]; slices.Equal(l.ids, d.ids) && slices.Equal(l.kinds, d.kinds) {
			d.ids, d.kinds = l.ids, l.kinds
			return
		}
	}
	c.lists[c.next] = seriesList{d.ids, d.kinds}
	c.next = (c.next + 1) % sharedLists
}
