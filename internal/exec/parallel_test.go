package exec

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// watched is a Source whose cursors tell before they read.
type watched struct {
	*fakeStore
	before func(s *Series) error
}

type watchedCursor struct {
	Cursor
	s    *Series
	w    *watched
	fail error
}

func (w *watched) Cursor(s *Series, from, to int64) Cursor {
	return &watchedCursor{Cursor: w.fakeStore.Cursor(s, from, to), s: s, w: w}
}

func (c *watchedCursor) Next() bool {
	if c.fail = c.w.before(c.s); c.fail != nil {
		return false
	}
	return c.Cursor.Next()
}

func (c *watchedCursor) Err() error { return c.fail }

// ragged is series of n devices with rows at random times.
func ragged(n, rows int) *fakeStore {
	f := newFakeStore()
	rng := rand.New(rand.NewPCG(7, 7))
	for d := range n {
		var times []int64
		v := column.Vector{Kind: column.Int64}
		for at := int64(0); len(times) < rows/(1+d%3); at += 1 + rng.Int64N(3) {
			times = append(times, at)
			v.Int64s = append(v.Int64s, at*100+int64(d))
		}
		f.add(fmt.Sprint("root.d", d), "s", times, v)
	}
	return f
}

func openRange(q Query) Query {
	q.Start, q.End = math.MinInt64, math.MaxInt64
	return q
}

// Series that are read at the same time give the rows that each has by itself,
// in the order of time.
func TestScanTogether(t *testing.T) {
	f := ragged(9, 2000)
	got := f.run(t, Query{Select: []expr.Expr{expr.Col("s")}, From: []string{"root.*"}})
	want := map[int64][]int64{}
	for d, s := range f.series {
		p := f.points[s]
		for i, at := range p.Times {
			if want[at] == nil {
				want[at] = slices.Repeat([]int64{-1}, len(f.series))
			}
			want[at][d] = p.Cols[0].Int64s[i]
		}
	}
	if got.Len() != len(want) || !slices.IsSorted(got.Times) {
		t.Fatalf("%d rows, sorted is %t; want %d", got.Len(), slices.IsSorted(got.Times), len(want))
	}
	for i, at := range got.Times {
		for d := range got.Cols {
			v := int64(-1)
			if !got.Cols[d].Nulls.Get(i) {
				v = got.Cols[d].Int64s[i]
			}
			if v != want[at][d] {
				t.Fatalf("at %d device %d: %d, want %d", at, d, v, want[at][d])
			}
		}
	}
	if f.count.open != 0 {
		t.Errorf("%d cursors are open", f.count.open)
	}
}

// Two series are read at the same time: each waits for the other.
func TestScanIsParallel(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one processor")
	}
	f := ragged(2, 50)
	var mu sync.Mutex
	inside := map[*Series]bool{}
	both := make(chan struct{})
	w := &watched{fakeStore: f, before: func(s *Series) error {
		mu.Lock()
		if inside[s] = true; len(inside) == 2 {
			select {
			case <-both:
			default:
				close(both)
			}
		}
		mu.Unlock()
		select {
		case <-both:
			return nil
		case <-time.After(time.Minute):
			return errors.New("the other series was not read meanwhile")
		}
	}}
	q := openRange(Query{Select: []expr.Expr{expr.Col("s")}, From: []string{"root.*"}})
	plan, err := Prepare(&q, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := plan.Start(context.Background(), w, nil)
	defer r.Close()
	if b, err := r.Next(); b == nil || err != nil {
		t.Fatal(b, err)
	}
}

// The first series that fails is what the query says, and a query that is
// cancelled ends at the next batch of each series; everything is closed.
func TestScanTogetherEnds(t *testing.T) {
	bad := errors.New("damaged")
	for _, c := range []struct {
		what string
		want error
		at   func(n int, cancel func()) error
	}{
		{"failure", bad, func(n int, _ func()) error {
			if n >= 30 {
				return bad
			}
			return nil
		}},
		{"cancelled", context.Canceled, func(n int, cancel func()) error {
			if n == 30 {
				cancel()
			}
			if n > 30+runtime.GOMAXPROCS(0) {
				return fmt.Errorf("batch %d was read after the end", n)
			}
			return nil
		}},
	} {
		f := ragged(6, 5000)
		ctx, cancel := context.WithCancel(context.Background())
		var mu sync.Mutex
		n := 0
		w := &watched{fakeStore: f, before: func(*Series) error {
			mu.Lock()
			n++
			k := n
			mu.Unlock()
			return c.at(k, cancel)
		}}
		q := openRange(Query{Select: []expr.Expr{expr.Col("s")}, From: []string{"root.*"}})
		plan, err := Prepare(&q, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := plan.Start(ctx, w, nil)
		var b *Table
		for {
			if b, err = r.Next(); b == nil || err != nil {
				break
			}
		}
		r.Close()
		cancel()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
		if f.count.open != 0 {
			t.Errorf("%s: %d cursors are open", c.what, f.count.open)
		}
	}
}
