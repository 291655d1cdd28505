package sizegate

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Bytes of memory (VmRSS) of a program with an opened, empty store. The goal of
// docs/DESIGN.md is 6 MiB; how many pages of a newly built file the system keeps at
// hand differs by 0.15 MiB from one build to the next.
const residentLimit = 6<<20 + 256<<10

var resident = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

// TestOpenedStoreIsSmall measures a program that has opened an empty store, in
// memory and on disk, and the same program without one.
func TestOpenedStoreIsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	file := filepath.Join(t.TempDir(), "opened")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "./testdata/opened").CombinedOutput()
	require.NoError(t, err, "%s", out)
	measure := func(args ...string) int64 {
		// The least of several runs: what a run takes beyond it is chance.
		least := int64(1 << 40)
		for range 5 {
			if len(args) == 2 {
				args[1] = t.TempDir()
			}
			cmd := exec.CommandContext(t.Context(), file, args...)
			cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			m := resident.FindSubmatch(out)
			require.NotNil(t, m, "no VmRSS in %s", out)
			kb, err := strconv.ParseInt(string(m[1]), 10, 64)
			require.NoError(t, err)
			least = min(least, kb<<10)
		}
		return least
	}
	without, memory, disk := measure("none"), measure("memory"), measure("disk", "")
	t.Logf("note: an opened empty store: %.2f MiB resident in memory, %.2f on disk (limit %.2f); without a store %.2f",
		mib(memory), mib(disk), mib(residentLimit), mib(without))
	for what, got := range map[string]int64{"memory": memory, "disk": disk} {
		require.LessOrEqual(t, got, int64(residentLimit), "bytes resident with an opened empty store, %s", what)
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
