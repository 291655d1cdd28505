package crashfs_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// bug is a mistake planted in the toy store.
type bug string

const (
	noBug               bug = "none"
	noParentSync        bug = "the store's directory is not synced into its parent"
	noLogDirSync        bug = "a new log's name is not synced"
	noPutSync           bug = "a put is acknowledged without sync"
	noChecksum          bug = "torn records are believed"
	noTruncate          bug = "a torn tail is appended to"
	noSnapshotSync      bug = "a snapshot is renamed without sync"
	noCurrentSync       bug = "CURRENT.tmp is renamed without sync"
	noCurrentDirSync    bug = "old files are removed before the rename of CURRENT is durable"
	currentInPlace      bug = "CURRENT is overwritten in place"
	removeBeforeCurrent bug = "old files are removed before CURRENT names the new ones"
	retrySync           bug = "a failed sync is tried again"
)

// toy is a key-value store with a log, snapshots and a CURRENT file: the same
// steps as a real one, in 200 lines.
type toy struct {
	fsys vfs.FS
	bug  bug
	gen  uint64
	data map[string]string
	log  vfs.File
	size int64
	dead error
}

const toyDir = "/var/toy"

func (s *toy) at(name string) string { return toyDir + "/" + name }

func (s *toy) unless(b bug, sync func() error) error {
	if s.bug == b {
		return nil
	}
	return sync()
}

func openToy(fsys vfs.FS, b bug) (*toy, error) {
	s := &toy{fsys: fsys, bug: b, data: map[string]string{}}
	current, err := vfs.ReadFile(fsys, s.at("CURRENT"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, s.create()
	}
	if err != nil {
		return nil, err
	}
	if len(current) != 8 {
		return nil, fmt.Errorf("CURRENT has %d bytes", len(current))
	}
	s.gen = binary.LittleEndian.Uint64(current)
	snapshot, err := vfs.ReadFile(fsys, s.snapshotName())
	if err != nil {
		return nil, err
	}
	if n := s.replay(snapshot); n != len(snapshot) {
		return nil, fmt.Errorf("snapshot %d is damaged at %d of %d", s.gen, n, len(snapshot))
	}
	if s.log, err = fsys.OpenReadWrite(s.logName()); err != nil {
		return nil, err
	}
	log, err := vfs.ReadFile(fsys, s.logName())
	if err != nil {
		return nil, err
	}
	s.size = int64(len(log))
	if n := s.replay(log); n < len(log) && s.bug != noTruncate {
		s.size = int64(n)
		if err := s.log.Truncate(s.size); err != nil {
			return nil, err
		}
		// Redundant: the next put overwrites here, and syncs. TestElision must
		// find that out.
		if err := s.log.Sync(); err != nil {
			return nil, err
		}
	}
	return s, s.tidy()
}

func (s *toy) create() error {
	if err := s.fsys.MkdirAll(toyDir); err != nil {
		return err
	}
	if err := s.unless(noParentSync, func() error { return s.fsys.SyncDir("/var") }); err != nil {
		return err
	}
	if err := s.unless(noParentSync, func() error { return s.fsys.SyncDir("/") }); err != nil {
		return err
	}
	return s.checkpoint()
}

func (s *toy) snapshotName() string { return s.at(fmt.Sprintf("%04d.snap", s.gen)) }
func (s *toy) logName() string      { return s.at(fmt.Sprintf("%04d.log", s.gen)) }

// replay takes in records and returns where the intact ones end.
func (s *toy) replay(p []byte) (end int) {
	for {
		rest := p[end:]
		if len(rest) < 6 {
			return end
		}
		klen, vlen := int(rest[4]), int(rest[5])
		n := 6 + klen + vlen
		if s.bug == noChecksum {
			n = min(n, len(rest))
			klen = min(klen, n-6)
		} else if len(rest) < n || crc32.ChecksumIEEE(rest[4:n]) != binary.LittleEndian.Uint32(rest) {
			return end
		}
		s.data[string(rest[6:6+klen])] = string(rest[6+klen : n])
		end += n
	}
}

func record(key, value string) []byte {
	p := []byte{0, 0, 0, 0, byte(len(key)), byte(len(value))}
	p = append(append(p, key...), value...)
	binary.LittleEndian.PutUint32(p, crc32.ChecksumIEEE(p[4:]))
	return p
}

// put returns nil when key and value are durable.
func (s *toy) put(key, value string) error {
	if s.dead != nil {
		return s.dead
	}
	p := record(key, value)
	n, err := s.log.WriteAt(p, s.size)
	if err != nil {
		return err // what was written is a torn tail at most; it is overwritten
	}
	s.size += int64(n)
	if err := s.unless(noPutSync, func() error { return s.log.Sync() }); err != nil {
		if s.bug != retrySync {
			s.dead = err
			return err
		}
		if err := s.log.Sync(); err != nil {
			return err
		}
	}
	s.data[key] = value
	return nil
}

// checkpoint writes a snapshot and starts a new log.
func (s *toy) checkpoint() error {
	if s.bug == removeBeforeCurrent {
		s.gen++
		if err := s.tidy(); err != nil {
			return err
		}
		s.gen--
	}
	s.gen++
	var snapshot []byte
	for _, k := range slices.Sorted(maps.Keys(s.data)) {
		snapshot = append(snapshot, record(k, s.data[k])...)
	}
	if err := s.replace(s.snapshotName(), snapshot, noSnapshotSync); err != nil {
		return err // its name is synced together with the log's
	}
	log, err := s.fsys.Create(s.logName())
	if err != nil {
		return err
	}
	if err := s.unless(noLogDirSync, func() error { return s.fsys.SyncDir(toyDir) }); err != nil {
		return err
	}
	current := binary.LittleEndian.AppendUint64(nil, s.gen)
	if s.bug == currentInPlace {
		err = s.write(s.at("CURRENT"), current, noBug)
	} else {
		err = s.replace(s.at("CURRENT"), current, noCurrentSync)
	}
	if err != nil {
		return err
	}
	if err := s.unless(noCurrentDirSync, func() error { return s.fsys.SyncDir(toyDir) }); err != nil {
		return err
	}
	s.log, s.size = log, 0
	return s.tidy()
}

// replace writes a file under another name and renames it into place.
func (s *toy) replace(name string, data []byte, noSync bug) error {
	if err := s.write(name+".tmp", data, noSync); err != nil {
		return err
	}
	return s.fsys.Rename(name+".tmp", name)
}

func (s *toy) write(name string, data []byte, noSync bug) error {
	f, err := s.fsys.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return s.unless(noSync, func() error { return f.Sync() })
}

// tidy removes what CURRENT does not name.
func (s *toy) tidy() error {
	names, err := s.fsys.List(toyDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == "CURRENT" || s.at(name) == s.snapshotName() || s.at(name) == s.logName() {
			continue
		}
		if err := s.fsys.Remove(s.at(name)); err != nil {
			return err
		}
	}
	return nil
}

// ack is what the store has promised by operation number op.
type ack struct {
	op   int
	data map[string]string
}

// history runs a workload and returns the promises, each with the state that
// the put that was under way next would lead to.
type history struct {
	acks   []ack
	states []map[string]string // after every put, acknowledged or not
}

func (h *history) put(c *crashfs.FS, s *toy, key, value string) error {
	next := maps.Clone(h.states[len(h.states)-1])
	next[key] = value
	h.states = append(h.states, next)
	err := s.put(key, value)
	if err == nil {
		h.acks = append(h.acks, ack{c.Ops(), next})
	}
	return err
}

// allowed reports whether the state is one that a crash after op may leave:
// not older than what was acknowledged by then.
func (h *history) allowed(op int, got map[string]string) bool {
	oldest := 0
	for _, a := range h.acks {
		if a.op <= op {
			for i, st := range h.states {
				if reflect.DeepEqual(st, a.data) {
					oldest = i
				}
			}
		}
	}
	for _, st := range h.states[oldest:] {
		if maps.Equal(st, got) {
			return true
		}
	}
	return false
}

func workload(c *crashfs.FS, s *toy, h *history) error {
	for i := range 9 {
		if err := h.put(c, s, fmt.Sprint("key", i%4), strings.Repeat(fmt.Sprint(i), 3+i)); err != nil {
			return err
		}
		if i == 3 || i == 6 {
			if err := s.checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

// survey runs the toy store with a bug, or with one sync site elided, cuts the
// power everywhere, and returns the first wrong image and their number.
func survey(b bug, elide string) (first string, wrong, images int, sites []string) {
	fail := func(format string, args ...any) {
		if wrong == 0 {
			first = fmt.Sprintf(format, args...)
		}
		wrong++
	}
	c := crashfs.New()
	c.Elide(elide)
	s, err := openToy(c, b)
	if err != nil {
		return err.Error(), 1, 0, nil
	}
	ready := c.Ops()
	h := &history{states: []map[string]string{{}}}
	if err := workload(c, s, h); err != nil {
		return err.Error(), 1, 0, nil
	}
	sites = c.Sites()
	for cut, image := range c.Sweep(0, 5) {
		images++
		again := crashfs.From(image)
		again.Elide(elide)
		got, err := openToy(again, b)
		if err != nil {
			fail("%v: open: %v", cut, err)
			continue
		}
		if !h.allowed(cut.Op, got.data) || cut.Op >= ready && got.gen == 0 {
			fail("%v: recovered %v", cut, got.data)
			continue
		}
		// Write on, and cut again: recovery must leave a store that is as good.
		states := &history{states: []map[string]string{maps.Clone(got.data)}}
		if err := states.put(again, got, "after", "crash"); err != nil {
			fail("%v: put: %v", cut, err)
			continue
		}
		for _, mode := range []crashfs.Mode{crashfs.None, crashfs.Random, crashfs.DirLost, crashfs.DataLost} {
			second, err := openToy(crashfs.From(again.Image(again.Ops(), mode, 5)), b)
			if err != nil || !states.allowed(again.Ops(), second.data) {
				fail("%v, crashed again with %v: %v, %v", cut, mode, err, second)
				break
			}
		}
		for _, site := range again.Sites() {
			if !slices.Contains(sites, site) {
				sites = append(sites, site)
			}
		}
	}
	return first, wrong, images, sites
}

func TestToyStoreIsSound(t *testing.T) {
	first, wrong, images, _ := survey(noBug, "")
	if wrong > 0 {
		t.Fatalf("%d of %d images are wrong, the first: %s", wrong, images, first)
	}
	if images < 500 {
		t.Fatalf("only %d images", images)
	}
}

func TestPlantedBugsAreCaught(t *testing.T) {
	for _, b := range []bug{
		noParentSync, noLogDirSync, noPutSync, noChecksum, noTruncate, noSnapshotSync,
		noCurrentSync, noCurrentDirSync, currentInPlace, removeBeforeCurrent,
	} {
		first, wrong, images, _ := survey(b, "")
		if wrong == 0 {
			t.Errorf("%s: not caught by %d images", b, images)
			continue
		}
		t.Logf("%s: %d of %d images, first: %s", b, wrong, images, first)
	}
}

// TestElision turns each place that syncs into nothing. That must be noticed,
// but for the one sync that the store could do without.
func TestElision(t *testing.T) {
	_, _, _, sites := survey(noBug, "")
	var redundant []string
	for _, site := range sites {
		_, wrong, images, _ := survey(noBug, site)
		t.Logf("%s: %d of %d images are wrong", site, wrong, images)
		if wrong == 0 {
			redundant = append(redundant, site)
		}
	}
	if len(sites) < 7 || len(redundant) != 1 {
		t.Errorf("of the sync sites %q, these are redundant: %q; want one", sites, redundant)
	}
}

// TestFailedSyncIsNotRetried plants one failure of fsync in every place.
func TestFailedSyncIsNotRetried(t *testing.T) {
	lost := func(b bug) (n int) {
		for nth := 1; nth < 40; nth++ {
			c := crashfs.New()
			s, err := openToy(c, b)
			must(t, err)
			h := &history{states: []map[string]string{{}}}
			c.Fail(nth, errors.New("EIO"), false, func(op crashfs.Op) bool { return op.Kind == crashfs.Sync })
			workload(c, s, h) // may fail, but must not lose what it acknowledged
			for _, mode := range crashfs.Modes {
				again, err := openToy(c.Image(c.Ops(), mode, 0), b)
				if err != nil || !h.allowed(c.Ops(), again.data) {
					n++
				}
			}
		}
		return n
	}
	if n := lost(noBug); n > 0 {
		t.Errorf("sound store: %d images have lost something", n)
	}
	if lost(retrySync) == 0 {
		t.Error("a store that tries a failed sync again was not caught")
	}
}
