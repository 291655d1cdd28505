package iotsql_test

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/vfs"
)

// Stores of the reference of whole queries, and what must be in them.

// cell is the values of a series by time.
type cells map[int64]value

// store is a tickwell store and what must be in it.
type store struct {
	t      *testing.T
	rng    *rand.Rand
	db     *tickwell.DB
	conn   *iotsql.Conn
	opts   *tickwell.Options
	series []string         // paths in the order of creation
	points map[string]cells // by path
	kinds  map[string]tickwell.Kind
	base   int64
	span   int64
	odd    bool // NaN, infinities, extremes
	others int
	tables bool  // functions of a series in questions
	strays bool  // those that give points at times of no row
	wide   bool  // patterns of all series in questions: no others are made
	users  bool  // aggregates of a user in questions
	unit   int64 // what times are counted in here, in nanoseconds
}

func deviceOf(path string) string { return path[:strings.LastIndexByte(path, '.')] }
func nameOf(path string) string   { return path[strings.LastIndexByte(path, '.')+1:] }

var kindsOf = map[string]tickwell.Kind{
	"b": tickwell.KindBool, "i": tickwell.KindInt32, "l": tickwell.KindInt64, "f": tickwell.KindFloat32, "d": tickwell.KindFloat64, "t": tickwell.KindText,
	"x": tickwell.KindFloat64,
}

func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func pickOf[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func (s *store) value(k tickwell.Kind) value {
	r := s.rng
	edge := s.odd && r.IntN(6) == 0
	switch k {
	case tickwell.KindBool:
		return tickwell.BoolValue(r.IntN(2) == 0)
	case tickwell.KindInt32:
		if edge {
			return tickwell.Int32Value(pickOf[int32](r, math.MinInt32, math.MaxInt32, 0))
		}
		return tickwell.Int32Value(int32(r.IntN(11) - 5))
	case tickwell.KindInt64:
		if edge {
			return tickwell.Int64Value(pickOf[int64](r, math.MinInt64, math.MaxInt64, math.MaxInt64-1, 1<<53, 1<<53+1))
		}
		return tickwell.Int64Value(r.Int64N(9) - 4)
	case tickwell.KindFloat32:
		if edge {
			return tickwell.Float32Value(pickOf(r, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1))))
		}
		return tickwell.Float32Value(float32(r.IntN(40)-20) / 8)
	case tickwell.KindFloat64:
		if edge {
			return tickwell.Float64Value(pickOf(r, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1e300))
		}
		return tickwell.Float64Value(float64(r.IntN(60)-30) / 4)
	}
	return tickwell.TextValue(pickOf(r, "", "a", "ab", "A_b", "50%", "é", "a'b", "v1", "v2"))
}

func newStore(t *testing.T, seed uint64, unit time.Duration) *store {
	return newStoreOver(t, seed, unit, 0, 0)
}

// newStoreOver has its rows in span from base on; 0: as it comes.
func newStoreOver(t *testing.T, seed uint64, unit time.Duration, base, span int64) *store {
	s := &store{t: t, unit: int64(unit), rng: rand.New(rand.NewPCG(seed, 99)), points: map[string]cells{}, kinds: map[string]tickwell.Kind{}}
	r := s.rng
	s.span = pickOf[int64](r, 40, 200, 3000)
	s.base = pickOf[int64](r, 0, -50, 1_700_000_000_000_000_000, -s.span/2, time.Date(2023, 10, 29, 0, 59, 59, 999999990, time.UTC).UnixNano())
	s.base /= s.unit
	if span > 0 {
		s.base, s.span = base, span
	}
	s.odd = r.IntN(2) == 0
	s.opts = &tickwell.Options{FS: vfs.NewMem(), Profile: tickwell.Profile{BlockRows: pickOf(r, 4, 16, 64)}, Seed: 1, Functions: mineSpecs()}
	s.reopen(false)
	for range pickOf(r, 1, 3, 12) {
		s.write()
		switch r.IntN(8) {
		case 0, 1:
			s.check(s.db.Flush(context.Background()))
		case 2:
			s.erase()
		case 3:
			s.check(s.db.Compact(context.Background()))
		case 4:
			s.reopen(true)
		}
	}
	return s
}

func (s *store) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) reopen(close bool) {
	if close {
		s.check(s.db.Close())
	}
	db, err := tickwell.Open(context.Background(), "data", s.opts)
	s.check(err)
	s.db = db
	s.t.Cleanup(func() { _ = db.Close() })
	s.conn, err = iotsql.New(db, &iotsql.Options{Precision: time.Duration(s.unit)})
	s.check(err)
}

var devices = []string{"root.g.d1", "root.g.d2", "root.h.d1", "root.g.e.d3"}

// write inserts a tablet of rows that are late, repeated and have nulls.
func (s *store) write() {
	r := s.rng
	dev := pickOf(r, devices...)
	names := slices.Sorted(maps.Keys(kindsOf))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:1+r.IntN(len(names))]
	tab := &tickwell.Tablet{Device: dev}
	at := r.Int64N(s.span)
	dense := r.IntN(3)
	for range 1 + r.IntN(60) {
		var fields []tickwell.Field
		for _, n := range names {
			if dense == 0 || r.IntN(3) > 0 {
				fields = append(fields, tickwell.Field{Name: n, Value: s.value(kindsOf[n])})
			}
		}
		if len(fields) > 0 {
			s.check(tab.Append(s.at(s.base+at), fields...))
			for _, f := range fields {
				p := dev + "." + f.Name
				if s.points[p] == nil {
					s.points[p] = cells{}
				}
				s.points[p][s.base+at] = f.Value
			}
		}
		at = (at + 1 + r.Int64N(max(s.span/40, 2))) % s.span
	}
	if tab.Len() == 0 {
		return
	}
	if r.IntN(4) == 0 {
		for i := range tab.Columns { // says nothing of the rows there are
			tab.Columns[i].Nulls.Set(tab.Len() + r.IntN(70))
		}
	}
	s.check(s.db.InsertTablet(context.Background(), tab))
	s.list()
}

// list takes over which series there are, in the order of their creation.
func (s *store) list() {
	s.series = s.series[:0]
	res, err := s.db.Query(context.Background(), tickwell.Query{From: []string{"root.**"}})
	s.check(err)
	for _, c := range res.Columns() {
		if strings.HasPrefix(c.Name, "root.other.") || strings.HasPrefix(c.Name, "root.roll.") {
			continue
		}
		s.series = append(s.series, c.Name)
		s.kinds[c.Name] = c.Kind
	}
}

// at is a time of the reference as the store takes it.
func (s *store) at(t int64) time.Time { return time.Unix(0, t*s.unit) }

func (s *store) erase() {
	if len(s.series) == 0 {
		return
	}
	p := pickOf(s.rng, s.series...)
	from := s.base + s.rng.Int64N(s.span)
	_, most := yearsOf(s.unit)
	to := min(from+1+s.rng.Int64N(s.span/4), most)
	s.check(s.db.Delete(context.Background(), p, s.at(from), s.at(to)))
	maps.DeleteFunc(s.points[p], func(t int64, _ value) bool { return t >= from && t < to })
}
