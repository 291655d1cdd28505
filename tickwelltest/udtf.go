package tickwelltest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// CheckUDTF checks the laws that queries rely on, over random rows with nulls,
// NaN, repeated values and no rows at all. in is how the function is called; its
// Inputs say the kinds of the rows.
//
//	gives     some rows give it a value
//	fails     no rows make it panic; what it refuses, it refuses again
//	repeat    the same rows give the same result again, also beside another use
//	          of the function in the same query: instances share nothing
//	stored    it makes no difference how rows are stored, in one block or many:
//	          nothing of a Row or RowWindow is kept after the call
//	kind      every value has the kind that Output announced
//	order     times do not go back
func CheckUDTF(t testing.TB, newUDTF func() tickwell.UDTF, in tickwell.UDFInput) {
	t.Helper()
	c := &udafLaws{t: t, in: in, rng: rand.New(rand.NewPCG(3, 4)), told: map[string]bool{}}
	gave := false
	for round := range 12 {
		n := []int{0, 1, 2, 7, 100, 3000}[round%6]
		rows := c.rows(n, round >= 6)
		spread(rows, c.rng)
		one := queryUDTF(c, newUDTF, rows, n)
		gave = gave || len(one) > 0 && !strings.HasPrefix(one[0], "refused: ")
		if round == 11 && !gave {
			c.fail("gives", "no value for any rows, so nothing could be checked; the last answer is %q", one)
		}
		block := max(3, n/7)
		many := queryUDTF(c, newUDTF, rows, block)
		if !slices.Equal(one, many) {
			c.fail("stored", "%d rows as one block and as blocks of %d: %s", n, block, difference(one, many))
		}
	}
}

// spread gives the rows times that are neither even nor far apart.
func spread(rows *tickwell.Tablet, rng *rand.Rand) {
	at := Start.UnixNano()
	for i := range rows.Times {
		at += int64(time.Millisecond) * int64(1+rng.IntN(2000))
		rows.Times[i] = at
	}
}

// queryUDTF stores the rows in blocks of so many and calls the function twice
// in one query.
func queryUDTF(c *udafLaws, newUDTF func() tickwell.UDTF, rows *tickwell.Tablet, block int) (lines []string) {
	c.t.Helper()
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "store", &tickwell.Options{FS: vfs.NewMem(), Clock: NewClock(Start), Seed: 1, Logger: discard})
	if err != nil {
		c.t.Fatalf("open: %v", err)
	}
	defer func() { _ = db.Close() }()
	const name = "checked_function"
	if err := db.RegisterUDTF(ctx, name, newUDTF); err != nil {
		c.t.Fatalf("register: %v", err)
	}
	var args []any
	for i, col := range c.in.Inputs {
		name := fmt.Sprint("c", i)
		if err := db.CreateSeries(ctx, "root.d."+name, col.Kind); err != nil {
			c.t.Fatalf("create series: %v", err)
		}
		args = append(args, expr.Col(name))
	}
	insertInBlocks(c, db, rows, block)
	call := expr.Call(name, args...)
	for _, key := range slices.Sorted(maps.Keys(c.in.Params)) {
		call = call.With(key, c.in.Params[key])
	}
	r, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{call.As("a"), call.As("b")}, From: []string{"root.d"}})
	if err != nil {
		return []string{"refused: " + unstacked(err)}
	}
	first, second, err := c.bothCalls(r)
	if err != nil {
		if strings.Contains(err.Error(), "panic") {
			c.fail("fails", "%d rows: %v", rows.Len(), err)
		}
		return []string{"refused: " + unstacked(err)}
	}
	if !slices.Equal(first, second) {
		c.fail("repeat", "two calls in one query: %s", difference(first, second))
	}
	return first
}

// insertInBlocks stores the rows that have a value, so many in a file.
func insertInBlocks(c *udafLaws, db *tickwell.DB, rows *tickwell.Tablet, block int) {
	c.t.Helper()
	ctx := context.Background()
	part := &tickwell.Tablet{Device: "root.d"}
	store := func() {
		if part.Len() == 0 {
			return
		}
		if err := db.InsertTablet(ctx, part); err != nil {
			c.t.Fatalf("insert: %v", err)
		}
		if err := db.Flush(ctx); err != nil {
			c.t.Fatalf("flush: %v", err)
		}
		part = &tickwell.Tablet{Device: "root.d"}
	}
	for row := range rows.Rows() {
		var fields []tickwell.Field
		for i, col := range rows.Columns {
			if v := row.Value(i); !v.IsNull() {
				fields = append(fields, tickwell.Field{Name: col.Name, Value: v})
			}
		}
		if len(fields) == 0 {
			continue
		}
		if err := part.Append(row.Time(), fields...); err != nil {
			c.t.Fatalf("insert: %v", err)
		}
		if part.Len() >= max(block, 1) {
			store()
		}
	}
	store()
}

// bothCalls returns the lines of the two calls of a query, as far as it went.
func (c *udafLaws) bothCalls(r *tickwell.Result) (first, second []string, err error) {
	c.t.Helper()
	cols := r.Columns()
	last := int64(0)
	for row, err := range r.Rows() {
		if err != nil {
			return first, second, err
		}
		if row.UnixNano() < last {
			c.fail("order", "time %d after %d", row.UnixNano(), last)
		}
		last = row.UnixNano()
		for i, to := range []*[]string{&first, &second} {
			v := row.Value(i)
			if v.IsNull() {
				continue
			}
			if v.Kind() != cols[i].Kind {
				c.fail("kind", "%s where %s was announced", v.Kind(), cols[i].Kind)
			}
			*to = append(*to, fmt.Sprintf("%d %s", row.UnixNano(), v))
		}
	}
	return first, second, nil
}

// unstacked is the first line of an error.
func unstacked(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
