package engine

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/vfs"
)

// The record of a row is the one that Commit makes of it, byte for byte.
func TestRowRecord(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	var enc block.Encoder
	var scratch []byte
	long := 0
	for n := range 3000 {
		l := &memtable.Layout{}
		for range 1 + rng.IntN(16) {
			l.IDs = append(l.IDs, rng.Uint32()>>rng.IntN(32)|1)
			l.Kinds = append(l.Kinds, column.Kind(1+rng.IntN(6)))
		}
		r := randomRows(rng, l.Kinds, 1)
		if n%3 == 0 {
			for c := range r.Cols {
				for i := range r.Cols[c].Texts {
					r.Cols[c].Texts[i] = strings.Repeat("x", rng.IntN(200))
				}
			}
		}
		want := appendSection(nil, sectionTablet, appendTablet(nil, &enc, &scratch, l, r, 0, 1))
		var buf [maxRowRecord]byte
		got := appendRow(&buf, l, r.Times[0], rowOf(r, 0))
		if got == nil {
			text := 0
			for c := range r.Cols {
				text += len(r.Cols[c].Cell(0).Text)
			}
			require.Greater(t, text+16*len(l.IDs)+24, maxRowRecord, "columns %v", l.Kinds)
			long++
			continue
		}
		require.Equal(t, want, got, "kinds %v, ids %v", l.Kinds, l.IDs)
	}
	require.NotZero(t, long)
}

// A row that was on its way when retention began is left to Commit, which asks
// whether it is too late and notes its time.
func TestRowMeetsRetention(t *testing.T) {
	for _, cfg := range []Config{{}, diskConfig(vfs.NewMem())} {
		e := open(t, cfg)
		s, err := e.Shape("d", []string{"s"}, []column.Kind{column.Int64})
		require.NoError(t, err)
		first := Tablet{Shape: s, Times: []int64{0}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{1}}}}
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{first}}, false)
		require.NoError(t, err)
		first.Times[0] = int64(2 * time.Hour)
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{first}}, false)
		require.NoError(t, err)
		cells := []column.Cell{{Kind: column.Int64, Num: 1}}
		record := func(at int64) []byte {
			var buf [maxRowRecord]byte
			return appendRow(&buf, &s.layout, at, cells)
		}
		rows := func(at int64) *Rows {
			return &Rows{Shapes: []*Shape{s}, Times: []int64{at}, Nums: []uint64{1}, Nulls: []uint64{0}}
		}
		require.NoError(t, e.SetTTL(bg, "d", time.Hour)) // after AppendRow looked
		_, stored := e.addRow(s, 5, cells, record(5), 0)
		require.False(t, stored)
		_, _, stored = e.storeRows(rows(5), &commit{payload: record(5)}, 0)
		require.False(t, stored, "group of rows")
		require.Equal(t, int64(2), e.Stats().Points)

		at := int64(2*time.Hour) + 5
		row, stored := e.addRow(s, at, cells, record(at), 0)
		require.True(t, stored, "newer than all")
		if row.mine {
			require.NoError(t, e.finish(bg, row))
		}
		at += int64(2 * time.Hour)
		_, _, stored = e.storeRows(rows(at), &commit{payload: record(at)}, 0)
		require.True(t, stored, "group of newer rows")
		require.Equal(t, at, e.retention.newest.Load())
		require.Equal(t, int64(4), e.Stats().Points)
		require.NoError(t, e.Close())
	}
}

// A row is not stored the short way when the memory or the log has reached its
// bound, into a store that was opened for reading, or after Close.
func TestAppendRowRefuses(t *testing.T) {
	row := []column.Cell{{Kind: column.Int64, Num: 1}}
	prepare := func(t *testing.T, cfg Config) (*Engine, *Shape) {
		e := open(t, cfg)
		s, err := e.Shape("d", []string{"s"}, []column.Kind{column.Int64})
		require.NoError(t, err)
		first := Tablet{Shape: s, Times: []int64{0}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{1}}}}
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{first}}, false)
		require.NoError(t, err)
		return e, s
	}
	for _, c := range []struct {
		name  string
		cfg   func(*Config)
		spoil func(*Engine)
		want  bool
	}{
		{"plain", func(*Config) {}, func(*Engine) {}, true},
		{"closed", func(*Config) {}, func(e *Engine) { require.NoError(t, e.Close()) }, false},
		{"memory full", func(c *Config) { c.ManualFlush = false }, func(e *Engine) { e.cfg.MemtableBytes = 1 }, false},
		{"log full", func(c *Config) { c.ManualFlush = false }, func(e *Engine) { e.cfg.WALBytes = 1 }, false},
		{"quota", func(c *Config) { c.QuotaBytes = 1 << 30 }, func(*Engine) {}, true},
		{"older than what was dropped for a quota", func(c *Config) { c.QuotaBytes = 1 << 30 }, func(e *Engine) { e.raiseFloor(100) }, false},
		{"read only", func(*Config) {}, func(e *Engine) { e.cfg.ReadOnly = true }, false},
	} {
		cfg := diskConfig(vfs.NewMem())
		c.cfg(&cfg)
		e, s := prepare(t, cfg)
		before := e.Stats().Points
		c.spoil(e)
		stored, err := e.AppendRow(bg, s, 1, row, 0)
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, stored, c.name)
		if want := before; c.want {
			require.Equal(t, want+1, e.Stats().Points, c.name)
		} else {
			require.Equal(t, want, e.Stats().Points, c.name)
		}
		e.Close()
	}
}
