package catalog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
)

// TestAddAll holds that a catalog that is given many series at once is as one that
// is given each, also where some are there already, twice, of several devices, or
// cannot be.
func TestAddAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		many, each := New(), New()
		id := uint32(1)
		for range 8 {
			var defs []Definition
			device := fmt.Sprint("d", r.IntN(3))
			for range r.IntN(6) {
				def := Definition{ID: id, Kind: column.Float64, Device: device, Name: fmt.Sprint("m", r.IntN(40))}
				id += uint32(1 + r.IntN(2))
				switch r.IntN(60) {
				case 0:
					def.Name = ""
				case 1:
					def.Kind = 99
				case 2:
					def.ID = 1
				case 3:
					def.Device = "other"
				case 4:
					def.ID = MaxID + 1
				}
				defs = append(defs, def)
			}
			var want []*Series
			var wantErr error
			for _, def := range defs {
				s, err := each.Add(def)
				if wantErr = err; err != nil {
					break
				}
				want = append(want, s)
			}
			got, err := many.AddAll(defs)
			if wantErr != nil {
				require.EqualError(t, err, wantErr.Error())
			} else {
				require.NoError(t, err)
				require.Equal(t, definitions(want), definitions(got))
			}
			if r.IntN(4) == 0 {
				dropped := uint32(r.IntN(int(id)))
				_, a := many.Drop(dropped)
				_, b := each.Drop(dropped)
				require.Equal(t, b, a)
			}
			require.Equal(t, each.Len(), many.Len())
			require.Equal(t, each.NextID(), many.NextID())
			for d := range 3 {
				path := fmt.Sprint("d", d)
				a, aok := many.Device(path)
				b, bok := each.Device(path)
				require.Equal(t, bok, aok)
				if !aok {
					continue
				}
				require.Equal(t, b.ID, a.ID)
				require.Equal(t, definitions(each.SeriesOf(b)), definitions(many.SeriesOf(a)))
				for _, s := range many.SeriesOf(a) {
					require.Same(t, a, s.Dev)
					found, ok := many.Lookup(path, s.Name)
					require.True(t, ok)
					require.Same(t, s, found)
				}
			}
		}
	}
}

func definitions(all []*Series) []Definition {
	var defs []Definition
	for _, s := range all {
		defs = append(defs, Definition{ID: s.ID, Kind: s.Kind, Device: s.Device, Name: s.Name})
	}
	return defs
}

// TestListsStayAsRead: the series of a device that somebody has read stay as they were
// when others are added behind or before them, or dropped.
func TestListsStayAsRead(t *testing.T) {
	c := New()
	type read struct{ now, then []*Series }
	var lists []read
	id := uint32(0)
	for round := range 3 {
		for _, name := range []string{"m", "n", "o", "p", "q", "a", "r", "b", "s", "t", "u", "v"} {
			id++
			s, err := c.Add(Definition{ID: id, Kind: column.Int64, Device: "d", Name: fmt.Sprint(name, round)})
			require.NoError(t, err)
			if id%4 == 0 {
				_, ok := c.Drop(id - 1)
				require.True(t, ok)
			}
			d, ok := c.Device("d")
			require.True(t, ok)
			list := c.SeriesOf(d)
			require.Contains(t, list, s)
			require.True(t, inOrder(list))
			lists = append(lists, read{list, slices.Clone(list)})
		}
	}
	for _, l := range lists {
		require.Equal(t, l.then, l.now)
	}
	require.Len(t, lists[len(lists)-1].now, 27)
}
