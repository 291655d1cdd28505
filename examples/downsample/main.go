// Command downsample keeps raw readings for a day, minutes for a month and hours
// for ever, with two continuous queries and three times to live. It lets 40 days
// of four pumps pass under a clock that follows the data: one pump is offline for
// two hours and delivers later, the store is closed and opened again in the
// middle, and one reading comes so late that its day is gone. At the end it
// compares every hour that is stored with what was put in, and prints what was
// computed and what the disk holds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/tickwelltest"
)

func main() {
	log.SetFlags(0)
	days := flag.Int("days", 40, "how many days pass")
	flag.Parse()
	if *days < 4 || *days > 400 {
		log.Fatal("downsample: -days must be between 4 and 400")
	}
	dir, err := os.MkdirTemp("", "tickwell-downsample-")
	if err != nil {
		log.Fatal(err)
	}
	err = run(context.Background(), dir, *days)
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
}

// minutes folds the readings of each pump, hours the minutes: its sums and
// counts are exact, so nothing is lost on the way up.
func queries() []tickwell.CQSpec {
	col, level := expr.Col, func(name, from string, every, late time.Duration, of ...expr.Expr) tickwell.CQSpec {
		return tickwell.CQSpec{Name: name, Lateness: late, Query: tickwell.Query{
			Select: of, From: []string{"root." + from + ".*"}, AlignByDevice: true, GroupBy: tickwell.GroupByTime{Interval: every},
			Into: []tickwell.Target{{Device: "root." + name + ".${2}", Columns: []string{"n", "sum", "max"}}},
		}}
	}
	return []tickwell.CQSpec{
		level("minutes", "raw", time.Minute, time.Minute, expr.Count(col("bar")), expr.Sum(col("bar")), expr.Max(col("bar"))),
		level("hours", "minutes", time.Hour, 0, expr.Sum(col("n")), expr.Sum(col("sum")), expr.Max(col("max"))),
	}
}

var lifetimes = []struct {
	level string
	ttl   time.Duration
}{{"raw", 24 * time.Hour}, {"minutes", 30 * 24 * time.Hour}, {"hours", -1}}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const step = 20 * time.Second

func run(ctx context.Context, dir string, days int) error {
	p := &plant{dir: dir, clock: tickwelltest.NewClock(start), expected: map[hour]total{}}
	if err := p.open(ctx); err != nil {
		return err
	}
	for _, l := range lifetimes {
		if err := p.db.SetTTL(ctx, "root."+l.level, l.ttl); err != nil {
			return err
		}
	}
	fmt.Printf("tickwell downsample: %d days of %d pumps, a reading every %s\n", days, len(pumps), step)
	for day := range days {
		if err := p.day(ctx, day, day == days/2); err != nil {
			return err
		}
		if day == days/2 {
			if err := p.db.Close(); err != nil {
				return err
			}
			if err := p.open(ctx); err != nil {
				return err
			}
			fmt.Printf("day %d: closed and opened again, %d queries go on\n", day, p.db.Stats().ContinuousQueries)
		}
	}
	err := p.db.Insert(ctx, "root.raw.p1", start, tickwell.Float64("bar", 99))
	if !errors.Is(err, tickwell.ErrTooLate) {
		return fmt.Errorf("a reading of the first day: %w, want %w", err, tickwell.ErrTooLate)
	}
	fmt.Println("a reading of the first day is refused: too late")
	if err := p.report(ctx); err != nil {
		return err
	}
	return p.db.Close()
}

var pumps = []string{"p1", "p2", "p3", "p4"}

type hour struct {
	pump string
	at   int64
}

type total struct {
	n        int64
	sum, max float64
}

// plant is the store and what must be in it.
type plant struct {
	dir      string
	db       *tickwell.DB
	clock    *tickwelltest.Clock
	expected map[hour]total
	held     *tickwell.Tablet // readings that are late
	last     int64
}

func (p *plant) open(ctx context.Context) (err error) {
	p.db, err = tickwell.Open(ctx, p.dir, &tickwell.Options{
		Clock: p.clock, Profile: tickwell.Edge(), ContinuousQueries: queries(),
		Sync: tickwell.SyncInterval(24 * time.Hour), // of the data's time
	})
	return err
}

// day lets a day pass, ten minutes at a time. On a bad day the readings of p3
// from 08:00 to 10:00 arrive at 10:00.
func (p *plant) day(ctx context.Context, day int, bad bool) error {
	const part = 10 * time.Minute
	for i := range int(24 * time.Hour / part) {
		from := start.Add(time.Duration(day)*24*time.Hour + time.Duration(i)*part)
		for k, pump := range pumps {
			t := p.readings(pump, from, part, float64(k))
			late := bad && pump == "p3" && from.Hour() >= 8 && from.Hour() < 10
			switch {
			case late && p.held == nil:
				p.held = t
			case late:
				for row := range t.Rows() {
					if err := p.held.Append(row.Time(), tickwell.Float64("bar", row.Float64(0))); err != nil {
						return err
					}
				}
			default:
				if err := p.db.InsertTablet(ctx, t); err != nil {
					return err
				}
			}
		}
		if p.held != nil && from.Hour() >= 10 {
			fmt.Printf("day %d: %d readings of p3 arrive two hours late\n", day, p.held.Len())
			if err := p.db.InsertTablet(ctx, p.held); err != nil {
				return err
			}
			p.held = nil
		}
		p.clock.Advance(part)
		if err := p.db.Quiesce(ctx); err != nil { // what fell due is done
			return err
		}
	}
	return nil
}

// readings are those of one pump over d, which are also added up.
func (p *plant) readings(pump string, from time.Time, d time.Duration, base float64) *tickwell.Tablet {
	t := &tickwell.Tablet{Device: "root.raw." + pump}
	var bar tickwell.Float64s
	for at := from; at.Before(from.Add(d)); at = at.Add(step) {
		v := math.Round(100*(base+3+math.Sin(float64(at.Unix())/5000))) / 100
		t.Times, bar = append(t.Times, at.UnixNano()), append(bar, v)
		k := hour{pump, at.Truncate(time.Hour).UnixNano()}
		sum := p.expected[k]
		sum.n, sum.sum, sum.max = sum.n+1, sum.sum+v, max(sum.max, v)
		p.expected[k], p.last = sum, at.UnixNano()
	}
	t.Columns = []tickwell.Column{{Name: "bar", Data: bar}}
	return t
}
