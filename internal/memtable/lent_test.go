package memtable

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

// TestLentRows: while a snapshot is in use, the memory of rows that are encoded
// serves the next ones, unless a cursor that is not closed may look at them.
func TestLentRows(t *testing.T) {
	const rows = 8
	look := func(d *Device, from, to int64) *merge.Rows {
		return merge.New([]column.Kind{column.Int64}, nil, from, to, d.Sources(nil, []uint32{1}, 1, from, to))
	}
	for _, c := range []struct {
		name   string
		look   func(d *Device)
		reused bool
	}{
		{"nobody looks", func(*Device) {}, true},
		{"a cursor is open", func(d *Device) { look(d, math.MinInt64, math.MaxInt64) }, false},
		{"a cursor is open that has not come to them", func(d *Device) { look(d, 0, math.MaxInt64) }, false},
		{"a cursor is closed", func(d *Device) { r := look(d, math.MinInt64, math.MaxInt64); r.Next(); r.Close() }, true},
		{"of two cursors one is closed", func(d *Device) { look(d, 0, 100); look(d, 0, 100).Close() }, false},
		{"two cursors are closed", func(d *Device) {
			a, b := look(d, 0, 100), look(d, 2, 100)
			a.Close()
			b.Close()
		}, true},
		{"a cursor of other times", func(d *Device) { look(d, -20, -10) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, l := New(rows).Device(1, true), intLayout(1)
			at := int64(0)
			put := func(cut Cut) *chunk {
				add(d, l, uint64(at+1), cut, at, at)
				at++
				chunks := d.groups[0].lanes[0].chunks
				return chunks[len(chunks)-1]
			}
			open := put(now)
			for at < 3*rows || open.closed || len(open.rows.times) > 2 { // the first chunk is shorter
				open = put(now)
			}
			snapshot := read(t, d, 1, 1)
			open.lent.Store(0) // read closes no cursor
			c.look(d)
			memory := &open.rows.times[0]
			for !open.closed {
				put(Cut{Epoch: 2, Oldest: 1})
			}
			next := put(Cut{Epoch: 2, Oldest: 1})
			read(t, d, 1, Newest) // rows do not wait any more
			require.Len(t, next.rows.times, 1)
			require.Equal(t, c.reused, memory == &next.rows.times[0])
			require.Equal(t, snapshot, read(t, d, 1, 1), "what the snapshot shows")
		})
	}
}

// TestLentRowsStay: a cursor that began before goes on seeing its rows.
func TestLentRowsStay(t *testing.T) {
	d, l := New(512).Device(1, true), intLayout(1)
	at := int64(0)
	for ; at < 700; at++ {
		add(d, l, uint64(at+1), now, at, at)
	}
	r := merge.New([]column.Kind{column.Int64}, nil, math.MinInt64, math.MaxInt64, d.Sources(nil, []uint32{1}, 1, math.MinInt64, math.MaxInt64))
	for ; at < 3000; at++ {
		add(d, l, uint64(at+1), Cut{Epoch: 2, Oldest: 1}, -at, at)
	}
	want := int64(0)
	for r.Next() {
		v, _ := r.Col(0)
		for i, seen := range r.Times() {
			require.Equal(t, want, seen)
			require.Equal(t, want, v.Int64s[i])
			want++
		}
	}
	require.EqualValues(t, 700, want)
	r.Close()
}
