package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// Small files — CURRENT, MANIFEST, CATALOG, STATE and outbox segments — are a
// header and frames. Header: magic [8], store id u64, file number u64, version
// u32, crc32c u32 of the bytes before it. Frame: length u32, crc32c u32, payload;
// the checksum covers store id, file number, offset of the frame, length and
// payload. All numbers are little-endian. A file that is written at once ends
// with an empty frame; the manifest grows frame by frame.
const (
	headerSize    = 32
	frameHeader   = 8
	framedVersion = 1
)

// maxFrame is the largest payload of a frame: what a log record may hold, a value
// or an event, is moved here in one, behind less than frameTarget of others. A
// frame behind damage is found by trying every byte, and each length that is tried
// costs a checksum, so there a frame counts only up to maxFound.
const (
	maxFrame = wal.MaxPayload + 1<<20
	maxFound = 16 << 20
)

const (
	magicCurrent  = "TWCURRNT"
	magicManifest = "TWMANIFE"
	magicCatalog  = "TWCATALG"
	magicState    = "TWSTATE1"
	magicOutbox   = "TWOUTBOX"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendHeader(dst []byte, magic string, store, no uint64) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint64(dst, store)
	dst = binary.LittleEndian.AppendUint64(dst, no)
	dst = binary.LittleEndian.AppendUint32(dst, framedVersion)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// readHeader checks a header and returns store id and file number.
func readHeader(b []byte, magic string) (store, no uint64, err error) {
	if len(b) < headerSize || string(b[:8]) != magic {
		return 0, 0, fmt.Errorf("no %s header: %w", magic, errs.Corrupt)
	}
	if crc32.Checksum(b[:headerSize-4], castagnoli) != binary.LittleEndian.Uint32(b[headerSize-4:]) {
		return 0, 0, fmt.Errorf("%s header: wrong checksum: %w", magic, errs.Corrupt)
	}
	if v := binary.LittleEndian.Uint32(b[24:]); v > framedVersion {
		return 0, 0, fmt.Errorf("%s header: format version %d is newer than %d: %w", magic, v, framedVersion, errs.BadInput)
	}
	return binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:]), nil
}

func frameSum(store, no uint64, offset int64, payload []byte) uint32 {
	var b [28]byte
	binary.LittleEndian.PutUint64(b[0:], store)
	binary.LittleEndian.PutUint64(b[8:], no)
	binary.LittleEndian.PutUint64(b[16:], uint64(offset))
	binary.LittleEndian.PutUint32(b[24:], uint32(len(payload)))
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, payload)
}

// appendFrame appends a frame that will lie at offset in its file.
func appendFrame(dst []byte, store, no uint64, offset int64, payload []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.LittleEndian.AppendUint32(dst, frameSum(store, no, offset, payload))
	return append(dst, payload...)
}

// frameAt returns the payload of the frame at offset at of b, a whole file, and
// the offset behind it. One larger than limit is none.
func frameAt(b []byte, store, no uint64, at int, limit uint32) (payload []byte, end int, ok bool) {
	if len(b)-at < frameHeader {
		return nil, 0, false
	}
	n := binary.LittleEndian.Uint32(b[at:])
	if n > limit || int(n) > len(b)-at-frameHeader {
		return nil, 0, false
	}
	end = at + frameHeader + int(n)
	payload = b[at+frameHeader : end]
	return payload, end, frameSum(store, no, int64(at), payload) == binary.LittleEndian.Uint32(b[at+4:])
}

// salvage calls f for the payloads of all good frames of b, those behind damage
// included. gap tells f that frames may be missing before this one.
func salvage(b []byte, store, no uint64, f func(payload []byte, gap bool) error) (damaged, ended bool, err error) {
	return salvageAt(b, store, no, func(_ int, payload []byte, gap bool) error { return f(payload, gap) })
}

func salvageAt(b []byte, store, no uint64, f func(off int, payload []byte, gap bool) error) (damaged, ended bool, err error) {
	gap := false
	for at := headerSize; at < len(b); {
		limit := uint32(maxFrame)
		if gap {
			limit = maxFound
		}
		payload, end, ok := frameAt(b, store, no, at, limit)
		if !ok {
			at++
			gap, damaged = true, true
			continue
		}
		if len(payload) == 0 {
			return damaged || end != len(b), true, nil
		}
		if err := f(at, payload, gap); err != nil {
			return true, false, err
		}
		at, gap = end, false
	}
	return damaged, false, nil
}

// framedWriter writes a framed file under a temporary name.
type framedWriter struct {
	fs        vfs.FS
	name      string
	file      vfs.File
	store, no uint64
	offset    int64
	buf       []byte
	parity    *parity // of the frames, nil: none
}

const tmpSuffix = ".tmp"

func createFramed(fs vfs.FS, name, magic string, store, no uint64) (*framedWriter, error) {
	f, err := fs.Create(name + tmpSuffix)
	if err != nil {
		return nil, err
	}
	w := &framedWriter{fs: fs, name: name, file: f, store: store, no: no}
	if err := w.write(appendHeader(nil, magic, store, no)); err != nil {
		w.abort()
		return nil, err
	}
	return w, nil
}

func (w *framedWriter) write(b []byte) error {
	n, err := w.file.Write(b)
	w.offset += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

func (w *framedWriter) frame(payload []byte) error {
	if len(payload) > maxParity {
		w.parity = nil
	} else if w.parity != nil {
		w.parity.add(payload)
	}
	w.buf = appendFrame(w.buf[:0], w.store, w.no, w.offset, payload)
	return w.write(w.buf)
}

// finish ends the file, makes it durable and gives it its name.
func (w *framedWriter) finish() (err error) {
	if p := w.parity; p != nil {
		w.parity = nil
		err = w.frame(p.section())
	}
	if err == nil {
		err = w.frame(nil)
	}
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		w.abort()
		return err
	}
	if err := w.file.Close(); err != nil {
		w.fs.Remove(w.name + tmpSuffix)
		return err
	}
	if err := w.fs.Rename(w.name+tmpSuffix, w.name); err != nil {
		w.fs.Remove(w.name + tmpSuffix)
		return err
	}
	return w.fs.SyncDir(filepath.Dir(w.name))
}

func (w *framedWriter) abort() {
	w.file.Close()
	w.fs.Remove(w.name + tmpSuffix)
}

// readFramed reads a file that was written at once. After damage it goes on with
// the next good frame, and returns an error that wraps errs.Corrupt in the end.
func readFramed(fs vfs.FS, name, magic string, store, no uint64, f func(payload []byte, gap bool) error) error {
	return readFramedFrom(fs, name, magic, store, no, 0, func(_ int64, payload []byte, gap bool) error { return f(payload, gap) })
}

// readFramedFrom is readFramed for the frames from the offset on.
func readFramedFrom(fs vfs.FS, name, magic string, store, no uint64, from int64, f func(off int64, payload []byte, gap bool) error) error {
	b, err := vfs.ReadFile(fs, name)
	if err != nil {
		return err
	}
	s, n, err := readHeader(b, magic)
	if err != nil && !errors.Is(err, errs.Corrupt) {
		return err
	}
	if err == nil && (s != store || n != no) {
		return fmt.Errorf("file %d of store %x instead of %d of %x: %w", n, s, no, store, errs.Corrupt)
	}
	frames, damaged, ended := framesOf(b, store, no)
	if (damaged || !ended) && magic != magicOutbox && repair(b, store, no, frames) {
		frames, _, _ = framesOf(b, store, no)
		damaged, ended, err = false, true, errRepaired
	} else if err != nil && ended && !damaged {
		err = errRepaired
	}
	for _, fr := range frames {
		if int64(fr.off) < from {
			continue
		}
		if err := f(int64(fr.off), fr.payload, fr.gap); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case !ended:
		return fmt.Errorf("file %d has no end: %w", no, errs.Corrupt)
	case damaged:
		return fmt.Errorf("file %d has damaged frames: %w", no, errs.Corrupt)
	}
	return nil
}

// found is a good frame of a file; gap tells that others may be missing before it.
type found struct {
	off     int
	payload []byte
	gap     bool
}

func framesOf(b []byte, store, no uint64) (all []found, damaged, ended bool) {
	damaged, ended, _ = salvageAt(b, store, no, func(off int, payload []byte, gap bool) error {
		all = append(all, found{off, payload, gap})
		return nil
	})
	return all, damaged, ended
}
