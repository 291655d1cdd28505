package engine

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// TestLostManifest: where no manifest can be read any more, the files that it named
// are put aside and reported. Nothing of them is removed, they are all there is.
func TestLostManifest(t *testing.T) {
	fs, _ := everyFile(t)
	for _, how := range []string{"emptied", "removed", "overwritten", "removed, CURRENT too"} {
		bad := copyOf(t, fs)
		kept := map[string]string{}
		for _, name := range filesOf(t, bad) {
			base := path.Base(name)
			switch {
			case strings.HasPrefix(base, "MANIFEST-"), base == "CURRENT":
				if base == "CURRENT" && how != "removed, CURRENT too" {
					continue
				}
				if strings.HasPrefix(how, "removed") {
					require.NoError(t, bad.Remove(name))
					continue
				}
				f, err := bad.OpenReadWrite(name)
				require.NoError(t, err)
				size, err := f.Size()
				require.NoError(t, err)
				if how == "emptied" {
					require.NoError(t, f.Truncate(0))
				} else {
					_, err = f.WriteAt(slices.Repeat([]byte("x"), int(size)), 0)
					require.NoError(t, err)
				}
				require.NoError(t, f.Close())
			case strings.HasSuffix(base, ".blk"), strings.HasSuffix(base, ".seg"), strings.HasPrefix(base, "STATE-"), strings.HasPrefix(base, "CATALOG-"):
				b, err := vfs.ReadFile(bad, name)
				require.NoError(t, err)
				kept[name] = string(b)
			}
		}
		require.NotEmpty(t, kept)
		reading := diskConfig(bad)
		reading.ReadOnly = true
		_, err := Open(bg, reading)
		if how != "removed, CURRENT too" { // then nothing says that it is a store
			require.ErrorIs(t, err, errs.Corrupt, how)
		}
		e := open(t, diskConfig(bad))
		report := e.Report()
		require.NoError(t, e.Close())
		for name, want := range kept {
			if b, err := vfs.ReadFile(bad, name); err == nil && string(b) == want {
				continue // taken in again
			}
			b, err := vfs.ReadFile(bad, "db/quarantine/"+path.Base(name))
			require.NoError(t, err, "%s: %s", how, name)
			require.Equal(t, want, string(b), "%s: %s", how, name)
			require.True(t, slices.ContainsFunc(report.Quarantined, func(d Damage) bool { return "db/"+d.File == name }), "%s: %s is not reported", how, name)
		}
	}
}
