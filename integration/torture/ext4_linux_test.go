package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"github.com/tickwell/tickwell/integration/oracle"
)

// shutdown stops a mounted file system as a power cut does: what neither a file's
// sync nor its own journal has put on the disk is gone, and all later calls fail.
func shutdown(dir string) error {
	const request, noLogFlush = 0x8004587D, 2 // EXT4_IOC_SHUTDOWN of the Linux sources, fs/ext4/ext4.h
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return errno
	}
	return nil
}

// mounted is an ext4 file system in a file.
type mounted struct {
	t          *testing.T
	image, dir string
	on         bool
}

func (m *mounted) run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}

func (m *mounted) mount() {
	if err := m.run("mount", "-t", "ext4", "-o", "loop", m.image, m.dir); err != nil {
		m.t.Fatal(err)
	}
	m.on = true
}

func (m *mounted) unmount() {
	if !m.on {
		return
	}
	m.on = false
	if err := m.run("umount", m.dir); err != nil {
		m.t.Error(err)
	}
}

// newExt4 makes one where that is asked for and possible, or skips the test.
func newExt4(t *testing.T) *mounted {
	if os.Getenv("TICKWELL_EXT4") == "" && os.Getenv("TICKWELL_NIGHTLY") == "" || os.Getuid() != 0 {
		t.Skip("mounts a file system: nightly, or with TICKWELL_EXT4=1, as root")
	}
	tmp := t.TempDir()
	m := &mounted{t: t, image: filepath.Join(tmp, "ext4.img"), dir: filepath.Join(tmp, "mnt")}
	if err := os.WriteFile(m.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(m.image, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := m.run("mkfs.ext4", "-q", "-F", m.image); err != nil {
		t.Skip(err)
	}
	t.Cleanup(m.unmount)
	if err := m.run("mount", "-t", "ext4", "-o", "loop", m.image, m.dir); err != nil {
		t.Skip(err)
	}
	m.on = true
	return m
}

// TestExt4Cuts cuts a real file system off below a process that writes to a store
// on it under SyncAlways, mounts it again, and compares.
func TestExt4Cuts(t *testing.T) {
	m := newExt4(t)
	rounds, acked := 20, 0
	for seed := range uint64(3) {
		dir := filepath.Join(m.dir, fmt.Sprint("store", seed))
		rng := rand.New(rand.NewPCG(seed, 11))
		state := oracle.Start(wallStart.UnixNano())
		for i := range rounds {
			round := 2 * i // those of SyncAlways
			n, opened := ext4Cut(t, m, dir, seed, round, state.Now(), rng.IntN(childCalls/2))
			m.unmount()
			m.mount()
			acked += n
			next, v := killCheck(dir, seed, round, state, n, opened, i == rounds-1)
			if v.Class != Fine {
				t.Fatalf("seed %d, cut %d, %d calls acknowledged: %v", seed, i, n, v)
			}
			state = next
		}
	}
	t.Logf("%d cuts, %d calls acknowledged", 3*rounds, acked)
	if acked == 0 {
		t.Error("no call was acknowledged: nothing is shown")
	}
}

// ext4Cut kills a child when it has acknowledged some calls, and then cuts: what
// is in the system's memory is lost. The child is dead before, so that no call
// meets the errors of a file system that has gone.
func ext4Cut(t *testing.T, m *mounted, dir string, seed uint64, round int, now int64, calls int) (acked int, opened bool) {
	acked, opened, complaint, err := killOnce(dir, seed, round, now, 1+calls, 0)
	if err != nil || complaint != "" {
		t.Fatal(err, complaint)
	}
	if err := shutdown(m.dir); err != nil {
		t.Fatal(err)
	}
	return acked, opened
}
