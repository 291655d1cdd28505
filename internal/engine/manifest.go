package engine

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/sorting"
	"github.com/tickwell/tickwell/vfs"
)

// fileMeta is what the manifest knows of a block file.
type fileMeta struct {
	No               uint64
	MinLSN, MaxLSN   uint64
	Size             int64
	MinTime, MaxTime int64
	Points           uint64
	Applied          uint64 // deletes up to this LSN hide nothing in it any more
}

// seriesMask is a delete of points of one series that are in block files.
type seriesMask struct {
	id uint32
	merge.Mask
}

// outboxSegment is a file of events moved out of the log.
type outboxSegment struct{ No, MinLSN, MaxLSN uint64 }

// manifest is the store's table of contents: what the edits add up to.
type manifest struct {
	Files      []fileMeta // by MaxLSN
	Masks      []seriesMask
	Outbox     []outboxSegment // by LSN
	Flushed    uint64          // everything up to this LSN is in files
	NextNo     uint64          // next number for any file
	State      uint64          // number of the STATE file, 0 = none
	Catalog    uint64          // number of the CATALOG file, 0 = none
	OldCatalog uint64          // of the one before, which helps if it is damaged
	NextSeries uint32
	Floor      int64 // points before it were dropped for want of room; MinInt64 = none
}

// Tags of an edit's fields; on disk, never changed.
const (
	editAddFile    = 1
	editRemoveFile = 2
	editFlushed    = 3
	editNextNo     = 4
	editState      = 5
	editCatalog    = 6
	editAddOutbox  = 7
	editDropOutbox = 8
	editMask       = 9
	editUnmask     = 10
	editNextSeries = 11
	editApplied    = 12
	editDropMask   = 13
	editFloor      = 14
	editSeq        = 15
	editOldCatalog = 16
)

// edit is a change of the manifest on its way to the disk.
type edit struct{ b []byte }

//go:noinline
func (e *edit) tag(tag byte, nums ...uint64) {
	e.b = append(e.b, tag)
	for _, n := range nums {
		e.b = appendUvarint(e.b, n)
	}
}

func (e *edit) addFile(f fileMeta) {
	e.tag(editAddFile, f.No, f.MinLSN, f.MaxLSN, uint64(f.Size), zigzag(f.MinTime), zigzag(f.MaxTime), f.Points)
}

func (e *edit) mask(m seriesMask) {
	e.tag(editMask, uint64(m.id), m.LSN, zigzag(m.From), zigzag(m.To))
}

func (e *edit) dropMask(m seriesMask) {
	e.tag(editDropMask, uint64(m.id), m.LSN, zigzag(m.From), zigzag(m.To))
}

func zigzag(x int64) uint64   { return uint64(x)<<1 ^ uint64(x>>63) }
func unzigzag(x uint64) int64 { return int64(x>>1) ^ -int64(x&1) }

// whole returns the edit that makes m from nothing.
func (m *manifest) whole() edit {
	var e edit
	e.tag(editFlushed, m.Flushed)
	e.tag(editNextNo, m.NextNo)
	e.tag(editState, m.State)
	e.tag(editCatalog, m.Catalog)
	e.tag(editOldCatalog, m.OldCatalog)
	e.tag(editNextSeries, uint64(m.NextSeries))
	e.tag(editFloor, zigzag(m.Floor))
	for _, f := range m.Files {
		e.addFile(f)
		if f.Applied > 0 {
			e.tag(editApplied, f.No, f.Applied)
		}
	}
	for _, s := range m.Outbox {
		e.tag(editAddOutbox, s.No, s.MinLSN, s.MaxLSN)
	}
	for _, k := range m.Masks {
		e.mask(k)
	}
	return e
}

// apply changes m as the edit says.
func (m *manifest) apply(payload []byte) error {
	w := wire{codec.Reader{Src: payload}}
	for len(w.Src) > 0 && !w.Bad {
		switch tag := w.Byte(); tag {
		case editAddFile:
			f := fileMeta{No: w.Uvarint(), MinLSN: w.Uvarint(), MaxLSN: w.Uvarint(), Size: int64(w.Uvarint())}
			f.MinTime, f.MaxTime, f.Points = unzigzag(w.Uvarint()), unzigzag(w.Uvarint()), w.Uvarint()
			m.Files = append(m.Files, f)
		case editRemoveFile:
			no := w.Uvarint()
			m.Files = slices.DeleteFunc(m.Files, func(f fileMeta) bool { return f.No == no })
		case editFlushed:
			m.Flushed = w.Uvarint()
		case editNextNo:
			m.NextNo = w.Uvarint()
		case editState:
			m.State = w.Uvarint()
		case editCatalog:
			m.Catalog = w.Uvarint()
		case editOldCatalog:
			m.OldCatalog = w.Uvarint()
		case editAddOutbox:
			m.Outbox = append(m.Outbox, outboxSegment{w.Uvarint(), w.Uvarint(), w.Uvarint()})
		case editDropOutbox:
			no := w.Uvarint()
			m.Outbox = slices.DeleteFunc(m.Outbox, func(s outboxSegment) bool { return s.No == no })
		case editMask:
			m.Masks = append(m.Masks, w.mask())
		case editDropMask:
			k := w.mask()
			if i := slices.Index(m.Masks, k); i >= 0 {
				m.Masks = slices.Delete(m.Masks, i, i+1)
			}
		case editApplied:
			no, lsn := w.Uvarint(), w.Uvarint()
			for i := range m.Files {
				if m.Files[i].No == no {
					m.Files[i].Applied = lsn
				}
			}
		case editUnmask:
			lsn := w.Uvarint()
			m.Masks = slices.DeleteFunc(m.Masks, func(k seriesMask) bool { return k.LSN <= lsn })
		case editFloor:
			m.Floor = unzigzag(w.Uvarint())
		case editNextSeries:
			m.NextSeries = uint32(w.Uvarint())
		default:
			return fmt.Errorf("manifest edit with tag %d: %w", tag, errNewer)
		}
	}
	sorting.Stable(m.Files, func(a, b fileMeta) int { return cmp.Compare(a.MaxLSN, b.MaxLSN) })
	if w.Bad {
		return fmt.Errorf("manifest edit of %d bytes: %w", len(payload), errs.Corrupt)
	}
	return nil
}

func (w *wire) mask() seriesMask {
	k := seriesMask{id: uint32(w.Uvarint())}
	k.Mask = merge.Mask{LSN: w.Uvarint(), From: unzigzag(w.Uvarint()), To: unzigzag(w.Uvarint())}
	return k
}

//go:noinline
func (m *manifest) clone() manifest {
	c := *m
	c.Files, c.Masks, c.Outbox = slices.Clone(m.Files), slices.Clone(m.Masks), slices.Clone(m.Outbox)
	return c
}

// maxManifest is the size from which on the manifest is written anew.
const maxManifest = 1 << 20

// storage is the directory of a store. Only the holder of Engine.flushing
// changes it after Open.
type storage struct {
	fs       vfs.FS
	dir      string
	store    uint64 // id
	now      manifest
	lost     bool     // the manifest that counted could not be read, of a store that had one
	no       uint64   // of the manifest file
	manifest vfs.File // nil: the next edit writes a new manifest
	size     int64
	seq      uint64 // of the last edit in the file

	damaged map[string]bool // files that are reported, by path
	lostIDs lostIDs         // while the store opens
}

//go:noinline
func (s *storage) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

//go:noinline
func numbered(prefix string, no uint64, suffix string) string {
	return fmt.Sprintf("%s%016x%s", prefix, no, suffix)
}

func (s *storage) blockName(no uint64) string {
	return s.path("data", numbered("", no, ".blk"))
}
func (s *storage) outboxName(no uint64) string {
	return s.path("outbox", numbered("", no, ".seg"))
}
func (s *storage) stateName(no uint64) string    { return s.path(numbered("STATE-", no, "")) }
func (s *storage) catalogName(no uint64) string  { return s.path(numbered("CATALOG-", no, "")) }
func (s *storage) manifestName(no uint64) string { return s.path(numbered("MANIFEST-", no, "")) }

// number takes the next file number. A number that is not used in the end is
// lost; Open continues behind every number it sees.
func (s *storage) number() uint64 {
	s.now.NextNo++
	return s.now.NextNo - 1
}

// commit makes an edit durable and then true. After an error the manifest on
// the disk holds the edit or not; the next commit starts a new manifest.
func (s *storage) commit(e edit) error {
	e.tag(editNextNo, s.now.NextNo)
	next := s.now.clone()
	if err := next.apply(e.b); err != nil {
		return err
	}
	if s.manifest == nil || s.size > maxManifest {
		return s.rewrite(next)
	}
	frame := s.frames(nil, s.no, s.size, s.seq+1, &e)
	_, err := s.manifest.Write(frame)
	if err == nil {
		err = s.manifest.Sync()
	}
	if err != nil {
		s.manifest.Close()
		s.manifest = nil
		return fmt.Errorf("manifest: %w", err)
	}
	s.size += int64(len(frame))
	s.seq++
	s.now = next
	return nil
}

// frames appends an edit to dst, twice: one damaged place of the file takes no
// edit away.
func (s *storage) frames(dst []byte, no uint64, offset int64, seq uint64, e *edit) []byte {
	var numbered edit
	numbered.tag(editSeq, seq)
	payload := append(numbered.b, e.b...)
	start := len(dst)
	dst = appendFrame(dst, s.store, no, offset, payload)
	return appendFrame(dst, s.store, no, offset+int64(len(dst)-start), payload)
}

// rewrite starts a new manifest that says next, and lets CURRENT name it.
func (s *storage) rewrite(next manifest) error {
	no := max(next.NextNo, s.now.NextNo, s.no+1)
	next.NextNo = no + 1
	s.now.NextNo = next.NextNo
	name := s.manifestName(no)
	f, err := s.fs.Create(name)
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	b := appendHeader(nil, magicManifest, s.store, no)
	whole := next.whole()
	b = s.frames(b, no, headerSize, 1, &whole)
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.fs.SyncDir(s.dir)
	}
	if err == nil {
		err = s.setCurrent(no)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("manifest: %w", err)
	}
	old := s.no
	if s.manifest != nil {
		s.manifest.Close()
	}
	s.manifest, s.no, s.size, s.now, s.seq = f, no, int64(len(b)), next, 1
	if old != 0 && old != no {
		s.fs.Remove(s.manifestName(old))
	}
	return nil
}

// setCurrent lets CURRENT name a manifest.
func (s *storage) setCurrent(no uint64) error {
	w, err := createFramed(s.fs, s.path("CURRENT"), magicCurrent, s.store, no)
	if err != nil {
		return err
	}
	return w.finish()
}
