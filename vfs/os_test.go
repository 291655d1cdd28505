package vfs

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const lockEnv = "VFS_TEST_LOCK"

// TestMain doubles as the other process of TestLockAcrossProcesses: it locks,
// says so, and holds the lock until its input ends.
func TestMain(m *testing.M) {
	if name := os.Getenv(lockEnv); name != "" {
		_, err := OS().Lock(name)
		fmt.Println("lock:", err)
		bufio.NewReader(os.Stdin).ReadString('\n')
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestLockAcrossProcesses(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" || runtime.GOOS == "plan9" {
		t.Skip("no processes, or no lock across them")
	}
	name := filepath.Join(t.TempDir(), "LOCK")
	start := func() (said string, end func()) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), lockEnv+"="+name)
		in, err := cmd.StdinPipe()
		must(t, err)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		said, err = bufio.NewReader(out).ReadString('\n')
		must(t, err)
		return strings.TrimSpace(said), func() { in.Close(); cmd.Wait() }
	}

	said, end := start()
	if said != "lock: <nil>" {
		t.Fatalf("first process said %q, want success", said)
	}
	if _, err := OS().Lock(name); !errors.Is(err, ErrLocked) {
		t.Fatalf("while another process holds the lock: %v, want ErrLocked", err)
	}
	end() // without unlocking: the lock dies with the process
	l, err := OS().Lock(name)
	must(t, err)
	said, end = start()
	defer end()
	if !strings.Contains(said, name) {
		t.Fatalf("second process said %q, want an error naming %s", said, name)
	}
	must(t, l.Close())
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "js" || runtime.GOOS == "wasip1" || runtime.GOOS == "plan9" {
		t.Skip("no Unix modes")
	}
	root := t.TempDir()
	must(t, OS().MkdirAll(filepath.Join(root, "d/e")))
	f, err := OS().Create(filepath.Join(root, "f"))
	must(t, err)
	must(t, f.Close())
	l, err := OS().Lock(filepath.Join(root, "l"))
	must(t, err)
	must(t, l.Close())
	for name, want := range map[string]os.FileMode{"d": 0o700, "d/e": 0o700, "f": 0o600, "l": 0o600} {
		st, err := os.Stat(filepath.Join(root, name))
		must(t, err)
		if got := st.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

// TestDiskFull needs a device that is always full, which Linux has.
func TestDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	f, err := OS().OpenReadWrite("/dev/full")
	must(t, err)
	defer f.Close()
	_, err = f.Write([]byte("x"))
	if !errors.Is(err, ErrNoSpace) {
		t.Fatalf("got %v, want ErrNoSpace", err)
	}
	var perr *os.PathError
	if !errors.As(err, &perr) || perr.Path != "/dev/full" {
		t.Fatalf("got %v, want the operating system's error inside", err)
	}
	if !strings.Contains(err.Error(), "/dev/full") {
		t.Fatalf("%q does not name the file", err)
	}
}

func TestSyncReportsErrors(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	f, err := OS().OpenReadWrite("/dev/full") // a device that cannot be synced
	must(t, err)
	defer f.Close()
	if err := f.Sync(); err == nil {
		t.Fatal("no error from a file that cannot be synced")
	}
}
