package catalog

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

func TestAddLookupDrop(t *testing.T) {
	c := New()
	require.Equal(t, uint32(1), c.NextID())
	a, err := c.Add(Definition{1, column.Float64, "root.d", "a"})
	require.NoError(t, err)
	again, err := c.Add(Definition{1, column.Float64, "root.d", "a"})
	require.NoError(t, err)
	require.Same(t, a, again, "a definition replayed")
	b, err := c.Add(Definition{7, column.Text, "root.d", "b"})
	require.NoError(t, err)
	for _, d := range []Definition{
		{1, column.Float64, "root.d", "x"}, // id taken
		{1, column.Int32, "root.d", "a"},   // other kind
		{9, column.Float64, "root.d", "a"}, // path taken
		{0, column.Float64, "root.d", "x"},
		{MaxID + 1, column.Float64, "root.d", "x"},
		{9, column.Null, "root.d", "x"},
		{9, column.Float64, "root.d", ""},
	} {
		_, err := c.Add(d)
		require.ErrorIs(t, err, errs.Corrupt, "%+v", d)
	}
	require.Equal(t, 2, c.Len())
	require.Equal(t, uint32(8), c.NextID())
	require.Equal(t, []*Series{a, b}, c.Definitions())
	require.Equal(t, "root.d.b", b.Path())

	_, ok := c.Drop(1)
	require.True(t, ok)
	_, ok = c.Drop(1)
	require.False(t, ok)
	_, ok = c.Lookup("root.d", "a")
	require.False(t, ok)
	got, ok := c.Lookup("root.d", "b")
	require.True(t, ok)
	require.Same(t, b, got)
	c.Drop(7)
	_, ok = c.Device("root.d")
	require.False(t, ok, "a device without series")
	require.Equal(t, uint32(8), c.NextID(), "ids are not used again")
	c.SetNextID(20)
	c.SetNextID(3)
	require.Equal(t, uint32(20), c.NextID())
}

func TestCompareIsPathOrder(t *testing.T) {
	c := New()
	var all []*Series
	id := uint32(0)
	for _, d := range []string{"root", "root.a", "root.a.b", "root.ab", "root.a-b", "root.b"} {
		for _, n := range []string{"a", "b", "a1", "z"} {
			id++
			s, err := c.Add(Definition{id, column.Bool, d, n})
			require.NoError(t, err)
			all = append(all, s)
		}
	}
	for _, a := range all {
		for _, b := range all {
			want := 0
			if a.Path() < b.Path() {
				want = -1
			} else if a.Path() > b.Path() {
				want = 1
			}
			require.Equal(t, want, Compare(a, b), "%s and %s", a.Path(), b.Path())
		}
	}
}

func TestDevices(t *testing.T) {
	c := New()
	for i, d := range []string{"root.b", "root.a.x", "root.a", "root.ab"} {
		_, err := c.Add(Definition{uint32(i + 1), column.Bool, d, "s"})
		require.NoError(t, err)
	}
	for _, q := range []struct{ prefix, want string }{
		{"", "[root.a root.a.x root.ab root.b]"},
		{"root.a", "[root.a root.a.x]"},
		{"root.ab", "[root.ab]"},
		{"root", "[root.a root.a.x root.ab root.b]"},
		{"roo", "[]"},
	} {
		require.Equal(t, q.want, fmt.Sprint(c.Devices(q.prefix)), q.prefix)
	}
}

// What a pattern finds is what it matches, with wildcards or without, also where
// names are quoted and where the path of a device goes on as that of another.
func TestMatchFindsWhatPatternsMatch(t *testing.T) {
	c := New()
	var all []*Series
	for _, path := range []string{"a.b", "a.b.c", "a.b.c.d", "a.bb", "a.`b.c`", "a.`b.c`.d", "`1`.x", "a.b.`*`", "b.a", "root.d.s", "root.d.s.t"} {
		device, name := pattern.Split(path)
		s, err := c.Add(Definition{uint32(len(all) + 1), column.Int64, device, name})
		require.NoError(t, err)
		all = append(all, s)
	}
	for _, text := range []string{"a.b", "a.b.c", "a.b.c.d", "a.`b`.c", "a.`b.c`", "a.`b.c`.d", "`1`.x", "a.b.`*`", "a", "x.y", "a.b.c.d.e", "b.a",
		"root.d.s", "root.d", "a.*", "a.**", "**", "a.b.*", "*.b", "a.b*", "a.b.c*", "a.*.d", "`a`.`b`"} {
		p, err := pattern.Parse(text)
		require.NoError(t, err, text)
		var want []*Series
		for _, s := range all {
			if p.MatchParts(s.Device, s.Name) {
				want = append(want, s)
			}
		}
		require.Equal(t, want, c.MatchCreated(p), text)
		require.ElementsMatch(t, want, c.Match(p), text)
	}
}

// TestVersionOfWholeChanges: while series are made and dropped, nobody sees a version
// of half a change, which might come again.
func TestVersionOfWholeChanges(t *testing.T) {
	c := New()
	stop, seen := make(chan struct{}), make(chan map[[2]int]bool)
	go func() {
		all := map[[2]int]bool{}
		for {
			next, n := c.Version()
			all[[2]int{int(next), n}] = true
			select {
			case <-stop:
				seen <- all
				return
			default:
			}
		}
	}()
	whole := map[[2]int]bool{}
	note := func() {
		next, n := c.Version()
		require.Equal(t, c.NextID(), next)
		require.Equal(t, c.Len(), n)
		require.NotContains(t, whole, [2]int{int(next), n})
		whole[[2]int{int(next), n}] = true
	}
	note()
	for i := range uint32(200) {
		_, err := c.AddAll([]Definition{{ID: 3*i + 1, Kind: column.Int64, Device: "d", Name: fmt.Sprint("a", i)}, {ID: 3*i + 2, Kind: column.Int64, Device: "d", Name: fmt.Sprint("b", i)}})
		require.NoError(t, err)
		note()
		_, err = c.Add(Definition{ID: 3*i + 3, Kind: column.Int64, Device: "e", Name: fmt.Sprint("c", i)})
		require.NoError(t, err)
		note()
		c.Drop(3*i + 1)
		note()
	}
	c.SetNextID(10_000)
	note()
	close(stop)
	for v := range <-seen {
		require.Contains(t, whole, v)
	}
}

// TestDropOneByOne: to drop the series of a device one by one does not copy the list of
// the others each time, and whatever is asked in between is as if it did.
func TestDropOneByOne(t *testing.T) {
	const n = 10_000
	c := New()
	defs := make([]Definition, n)
	for i := range defs {
		defs[i] = Definition{ID: uint32(i + 1), Kind: column.Int64, Device: "root.d", Name: fmt.Sprintf("s%05d", i)}
	}
	_, err := c.AddAll(defs)
	require.NoError(t, err)
	d, _ := c.Device("root.d")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range n - 1 {
		_, ok := c.Drop(uint32(i*7919%n + 1))
		require.True(t, ok)
		_, ok = c.Lookup("root.d", defs[i*7919%n].Name)
		require.False(t, ok)
		require.Equal(t, n-1-i, c.CountOf(d))
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
	require.Len(t, c.SeriesOf(d), 1)
}

// TestDropAgainstModel: drops, series made again and all ways to ask, beside readers of
// lists that were given out before.
func TestDropAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 5))
	for range 200 {
		c, want, next := New(), map[string]uint32{}, uint32(1)
		all, err := pattern.Parse("root.**")
		require.NoError(t, err)
		var given, copied [][]*Series
		for range 300 {
			name := string(rune('a' + rng.IntN(12)))
			switch id := want[name]; {
			case rng.IntN(3) > 0 && id == 0:
				defs := []Definition{{ID: next, Kind: column.Int64, Device: "root.d", Name: name}}
				if other := name + "x"; rng.IntN(2) == 0 && want[other] == 0 {
					defs = append(defs, Definition{ID: next + 1, Kind: column.Int64, Device: "root.d", Name: other})
				}
				_, err := c.AddAll(defs)
				require.NoError(t, err)
				for _, def := range defs {
					want[def.Name], next = def.ID, def.ID+1
				}
			case id != 0:
				_, err := c.Add(Definition{ID: next, Kind: column.Int64, Device: "root.d", Name: name})
				require.Error(t, err)
				s, ok := c.Drop(id)
				require.True(t, ok)
				require.True(t, s.Gone())
				delete(want, name)
			}
			for name, id := range want {
				s, ok := c.Lookup("root.d", name)
				require.True(t, ok)
				require.Equal(t, id, s.ID)
			}
			require.Len(t, c.Match(all), len(want))
			d, ok := c.Device("root.d")
			require.Equal(t, len(want) > 0, ok)
			require.Equal(t, len(want), c.Len())
			if !ok {
				require.Empty(t, c.Devices(""))
				continue
			}
			require.Equal(t, len(want), c.CountOf(d))
			if rng.IntN(4) == 0 {
				list := c.SeriesOf(d)
				given, copied = append(given, list), append(copied, slices.Clone(list))
				require.Len(t, list, len(want))
				for i, s := range list {
					require.Equal(t, want[s.Name], s.ID)
					require.True(t, i == 0 || list[i-1].Name < s.Name)
				}
			}
		}
		for i := range given {
			require.True(t, slices.Equal(given[i], copied[i]), "a list that was given out is as it was")
		}
	}
}

// TestDropBesideReaders: lists that readers hold stay as they are while series are
// dropped and made again, and have no series twice.
func TestDropBesideReaders(t *testing.T) {
	const names, rounds = 40, 3000
	c := New()
	all, err := pattern.Parse("root.**")
	require.NoError(t, err)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var list []*Series
				if d, ok := c.Device("root.d"); ok && i < 2 {
					list = c.SeriesOf(d)
				} else {
					list = c.Match(all)
				}
				copied := slices.Clone(list)
				c.Lookup("root.d", "s07")
				for k, s := range list {
					if s != copied[k] || k > 0 && list[k-1].Name >= s.Name {
						t.Errorf("expected a list of its own in order, got %s at %d", s.Name, k)
						return
					}
				}
			}
		})
	}
	rng, next, have := rand.New(rand.NewPCG(13, 6)), uint32(1), map[string]uint32{}
	for range rounds {
		name := fmt.Sprintf("s%02d", rng.IntN(names))
		if id := have[name]; id != 0 {
			_, ok := c.Drop(id)
			require.True(t, ok)
			delete(have, name)
			continue
		}
		_, err := c.Add(Definition{ID: next, Kind: column.Int64, Device: "root.d", Name: name})
		require.NoError(t, err)
		have[name] = next
		next++
	}
	close(stop)
	readers.Wait()
	require.Len(t, c.Match(all), len(have))
}
