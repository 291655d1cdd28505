package engine

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// contentOf is every file of a store, but LOCK, as bytes.
func contentOf(t *testing.T, fs vfs.FS) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range filesOf(t, fs) {
		if path.Base(name) == "LOCK" {
			continue
		}
		b, err := vfs.ReadFile(fs, name)
		require.NoError(t, err)
		all[name] = string(b)
	}
	return all
}

// TestNewerIsRefused: what is whole and of a kind that this program does not know was
// written by a newer one. An older program does not open the store, rather than go on
// without it and retire the log that holds it, or take the manifest for damaged; and it
// leaves every byte as it is.
func TestNewerIsRefused(t *testing.T) {
	for what, write := range map[string]func(t *testing.T, e *Engine) error{
		"section of the log": func(_ *testing.T, e *Engine) error {
			_, err := e.append(appendSection(nil, sectionParity+1, []byte("rows in another form")))
			return err
		},
		"section behind a known one": func(_ *testing.T, e *Engine) error {
			p := Put{Kind: PutEffect, Key: "k", Value: []byte("v")}
			_, err := e.append(appendSection(appendSection(nil, sectionPut, appendPut(nil, &p)), 200, nil))
			return err
		},
		"record of the log": func(_ *testing.T, e *Engine) error {
			_, err := e.log.Append(recordGroup+1, []byte("not a group"))
			return err
		},
		"edit of the manifest": func(t *testing.T, e *Engine) error {
			require.NoError(t, e.Flush(bg))
			var ed edit
			ed.tag(editOldCatalog+1, 7)
			d := &e.disk
			_, err := d.manifest.Write(d.frames(nil, d.no, d.size, d.seq+1, &ed))
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			fs := vfs.NewMem()
			e := open(t, diskConfig(fs))
			for i := range int64(3) {
				_, err := e.Commit(bg, put(t, e, floatShape(t, e, "root.d", "x"), []int64{i}, 1), false)
				require.NoError(t, err)
			}
			require.NoError(t, write(t, e))
			require.NoError(t, e.Close())
			before := contentOf(t, fs)
			for _, reading := range []bool{true, false, false} {
				cfg := diskConfig(fs)
				cfg.ReadOnly = reading
				_, err := Open(bg, cfg)
				require.ErrorIs(t, err, errs.BadInput)
				require.ErrorContains(t, err, "newer")
				require.NotErrorIs(t, err, errs.Corrupt)
				require.Equal(t, before, contentOf(t, fs))
			}
			names, err := fs.List("db")
			require.NoError(t, err)
			require.NotContains(t, names, "quarantine")
		})
	}
}

// TestNotAppliedIsKept: a record that is whole and cannot be applied is reported, and its
// segment of the log put aside when it is retired, not deleted.
func TestNotAppliedIsKept(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	write := func(at int64) {
		_, err := e.Commit(bg, put(t, e, floatShape(t, e, "root.d", "x"), []int64{at}, float64(at)), false)
		require.NoError(t, err)
	}
	write(1)
	_, err := e.append(appendSection(nil, sectionTablet, []byte{1, 2, 3, 4, 5, 6}))
	require.NoError(t, err)
	write(2)
	require.NoError(t, e.Close())
	logged := contentOf(t, fs)
	for range 2 { // not retired by the first
		e = open(t, diskConfig(fs))
		require.Len(t, e.Report().LostLog, 1)
		require.NoError(t, e.Close())
	}
	e = open(t, diskConfig(fs))
	require.NoError(t, e.Flush(bg))
	require.NoError(t, e.Close())
	names, err := fs.List("db/wal/quarantine")
	require.NoError(t, err)
	require.Len(t, names, 1)
	kept, err := vfs.ReadFile(fs, "db/wal/quarantine/"+names[0])
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(kept), logged["db/wal/"+names[0]][:128]), "its header")
	require.Contains(t, string(kept), string(appendSection(nil, sectionTablet, []byte{1, 2, 3, 4, 5, 6})))
	e = open(t, diskConfig(fs))
	require.Empty(t, e.Report().LostLog)
	ser, ok := e.Lookup("root.d", "x")
	require.True(t, ok)
	require.Equal(t, map[int64]float64{1: 1, 2: 2}, points(t, e, ser))
	require.NoError(t, e.Close())
}
