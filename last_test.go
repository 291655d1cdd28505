package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// lastsOf prints newest points, "path@time=value".
func lastsOf(points []LastPoint) (out []string) {
	for _, p := range points {
		out = append(out, fmt.Sprintf("%s@%d=%s", p.Path(), p.Time.UnixNano(), p.Value))
	}
	return out
}

// Last and AppendLast give the end of each series, while series are made,
// written, deleted from, dropped and made again, and files are written; the
// patterns are more than are remembered.
func TestLastModel(t *testing.T) {
	for _, dir := range []string{"", "data"} {
		ctx := context.Background()
		rng := rand.New(rand.NewPCG(3, 5))
		db := openDir(t, dir, &Options{FS: memFS()})
		patterns := []string{"**", "root.d1.*", "root.*.s2", "root.d2.s1", "root.nothing.**", "root.d3.**", "root.**", "root.d0.s*"}
		points := []LastPoint{{}}
		for step := range 400 {
			device, name := fmt.Sprint("root.d", rng.IntN(20)), fmt.Sprint("s", rng.IntN(8))
			switch rng.IntN(12) {
			case 0:
				must(t, db.DropSeries(ctx, device+"."+name))
			case 1:
				must(t, db.Delete(ctx, device+".*", ns(int64(rng.IntN(step+1))), ns(int64(step+1))))
			case 2:
				must(t, db.Flush(ctx))
			default:
				must(t, db.Insert(ctx, device, ns(int64(step-rng.IntN(2)*rng.IntN(20))), Int64(name, int64(step)), Int64("all", int64(-step))))
			}
			for _, pat := range []string{patterns[rng.IntN(len(patterns))], "**"} {
				var want []string
				all := dump(t, db, pat)
				for i, line := range all {
					if i+1 == len(all) || pathOf(all[i+1]) != pathOf(line) {
						want = append(want, line)
					}
				}
				got, err := db.Last(ctx, pat)
				must(t, err)
				if g := lastsOf(got); !slices.Equal(g, want) {
					t.Fatalf("%q step %d: last of %s is %v, want %v", dir, step, pat, g, want)
				}
				points, err = db.AppendLast(ctx, points[:1], pat)
				must(t, err)
				if g := lastsOf(points[1:]); !slices.Equal(g, want) || points[0].Device != "" {
					t.Fatalf("%q step %d: appended last of %s is %v, want %v", dir, step, pat, g, want)
				}
			}
		}
	}
}

// pathOf returns the path in a line of dump.
func pathOf(line string) string {
	for i := range line {
		if line[i] == '@' {
			return line[:i]
		}
	}
	return line
}

func TestAppendLast(t *testing.T) {
	ctx := context.Background()
	denied := errors.New("not for you")
	var deny bool
	db := openMem(t, &Options{Authorize: func(context.Context, Action, string) error {
		if deny {
			return denied
		}
		return nil
	}})
	for d := range 20 {
		for at := range int64(3) {
			must(t, db.Insert(ctx, fmt.Sprint("root.d", d), ns(at), Float64("a", float64(at)), Text("b", "x"), Int64("c", at)))
		}
	}
	dst := make([]LastPoint, 0, 100)
	if !raceEnabled {
		if n := testing.AllocsPerRun(100, func() {
			var err error
			if dst, err = db.AppendLast(ctx, dst[:0], "root.**"); err != nil || len(dst) != 60 {
				t.Fatalf("%d points, %v", len(dst), err)
			}
		}); n > 3 {
			t.Errorf("60 newest points: %v allocations, want at most 3, of the snapshot", n)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	one := []LastPoint{{SeriesInfo: SeriesInfo{Device: "mine"}}}
	for _, c := range []struct {
		name string
		ctx  context.Context
		pat  string
		deny bool
		want error
	}{
		{"bad pattern", ctx, "root..x", false, ErrBadInput},
		{"ended context", done, "root.**", false, context.Canceled},
		{"denied although it was answered before", ctx, "root.**", true, denied},
	} {
		deny = c.deny
		got, err := db.AppendLast(c.ctx, one, c.pat)
		if !errors.Is(err, c.want) || len(got) != 1 || got[0].Device != "mine" {
			t.Errorf("%s: got %v, %v, want what was given and %v", c.name, lastsOf(got), err, c.want)
		}
		if got, err := db.Last(c.ctx, c.pat); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: Last gives %v, %v, want nil and %v", c.name, lastsOf(got), err, c.want)
		}
	}
	deny = false
	if got, err := db.Last(ctx, "root.nothing.*"); got != nil || err != nil {
		t.Errorf("no series: got %v, %v, want nil", got, err)
	}
	must(t, db.Close())
	if got, err := db.AppendLast(ctx, one, "root.**"); !errors.Is(err, ErrClosed) || len(got) != 1 {
		t.Errorf("after Close: got %v, %v, want ErrClosed", lastsOf(got), err)
	}
}
