package wal

import "sort"

// segment is what the log knows of a segment file. All fields but the constant
// ones (num, salt, base, name, recycled) are guarded by Log.mu; the owner of
// the write role alone changes the active one's and may read them without.
type segment struct {
	num      uint64
	name     string // base name
	salt     uint64
	base     uint32 // checksumBase
	recycled bool
	cramped  bool // the disk had no room for more than records; only the owner of writing asks

	first   uint64 // position of the first record
	last    uint64 // of the last; first-1 while there is none
	end     int64  // of the valid bytes
	size    int64  // of the file
	damaged bool   // has parts that cannot be read: kept when retired
	opaque  bool   // no valid header: nothing of it can be read
	kept    bool   // has a record that is whole and of no use to the caller: kept when retired

	index []indexEntry
	parts []span // of a damaged segment: what can be read
	refs  int    // cursors that read it
	gone  bool   // retired while refs > 0
}

// indexEntry says where in the file a record begins. There is one for the first
// record, one behind each damaged part, and one about every indexStep bytes.
type indexEntry struct {
	lsn uint64
	off int64
}

const indexStep = 64 << 10

// wantsIndex reports whether a record at off should get an index entry, the
// last of which is at prev.
func wantsIndex(prev []indexEntry, off int64) bool {
	return len(prev) == 0 || off-prev[len(prev)-1].off >= indexStep
}

// noteRecord makes an index entry for a record where one is due.
func (s *segment) noteRecord(lsn uint64, off int64) {
	if wantsIndex(s.index, off) {
		s.index = append(s.index, indexEntry{lsn, off})
	}
}

// seek returns where to start reading for the record lsn.
func (s *segment) seek(lsn uint64) int64 {
	i := sort.Search(len(s.index), func(i int) bool { return s.index[i].lsn > lsn })
	if i == 0 {
		if len(s.index) == 0 {
			return headerBytes
		}
		return s.index[0].off
	}
	return s.index[i-1].off
}

// span is a part of a file.
type span struct{ from, to int64 }

// readable returns the first place from off on where Open found a record, or
// the end.
func (s *segment) readable(off int64) int64 {
	if !s.damaged {
		return off
	}
	i := sort.Search(len(s.parts), func(i int) bool { return s.parts[i].to > off })
	if i == len(s.parts) {
		return s.end
	}
	return max(off, s.parts[i].from)
}
