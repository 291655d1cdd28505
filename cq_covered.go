package tickwell

import "math"

// cqRead is rows that the same continuous queries read, which wait for the short
// way into the store.
type cqRead struct {
	views          []*cqView
	oldest, newest int64
}

// maxCovered bounds the queries that one group of rows is compared with on the
// short way.
const maxCovered = 16

// fires reports whether rows of b fire a trigger.
func (b *binding) fires(table *triggerTable) bool {
	return len(table.live) > 0 && len(b.matching(table).all) > 0
}

// readers returns the continuous queries that have to hear of rows of b. It
// returns false if one owns a column, so that others may not write it.
func (b *binding) readers(t *cqTable) (views []*cqView, ok bool) {
	if t.plainRows() {
		return nil, true
	}
	f := b.feedsOf(t)
	return f.views, f.owners == nil
}

// readBy adds a row to reads, which has one element for rows in a row that the
// same queries read.
func readBy(reads []cqRead, views []*cqView, at int64) []cqRead {
	if n := len(reads); n > 0 && len(reads[n-1].views) == len(views) && &reads[n-1].views[0] == &views[0] {
		r := &reads[n-1]
		r.oldest, r.newest = min(r.oldest, at), max(r.newest, at)
		return reads
	}
	return append(reads, cqRead{views, at, at})
}

// covered adds a mark for each query that reads some of the rows. It returns false
// if one of them is to be stored, or rows are so far ahead that they are counted
// one by one: that is for mark.
func (m *cqMarks) covered(db *DB, reads []cqRead) bool {
	for i := range reads {
		for _, v := range reads[i].views {
			if !m.cover(v, reads[i].oldest, reads[i].newest) {
				return false
			}
		}
	}
	for i := range m.list {
		if k := &m.list[i]; !k.coveredBy(k.view, db) {
			return false
		}
	}
	return true
}

// cover extends the mark of v by rows.
func (m *cqMarks) cover(v *cqView, oldest, newest int64) bool {
	for i := range m.list {
		if k := &m.list[i]; k.view == v {
			k.oldest, k.newest = min(k.oldest, oldest), max(k.newest, newest)
			return true
		}
	}
	if len(m.list) == maxCovered || v.grouped() {
		return false
	}
	m.list = append(m.list, cqMark{view: v, oldest: oldest, newest: newest, head: math.MinInt64})
	return true
}

// coveredBy reports that v has marked what k spans, and makes k what rows makes of
// such rows.
func (k *cqMark) coveredBy(v *cqView, db *DB) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	k.gen = v.gen
	k.count(v, db, nil)
	return k.head == k.newest && v.covers(k.oldest, k.newest)
}

// settleQuick is settle for rows of which it knows that they are stored or not. It
// returns the memory of the marks.
func (m *cqMarks) settleQuick(db *DB, stored bool, err error) []cqMark {
	if !stored {
		clear(m.list)
		m.list = m.list[:0]
	}
	list := m.list
	m.settle(db, err)
	clear(list)
	return list[:0]
}
