// Command edge runs what a small gateway does for a simulated time and prints
// what it costs: 1,000 series at 1 Hz (100 devices with 10 columns, two-decimal
// walks), 5 triggers and 5 continuous queries, under the Edge profile with a
// sync every 10 s.
//
//	go run ./cmd/edge [-time 24h] [-dir DIR]
//
// It prints the resident memory, and the 4-KiB pages written between syncs as
// bytes a point (each page once a sync, one more for the file's inode at each
// sync, one for each sync of a directory), next to the floor: the bytes handed
// to the file system. Asked are at most 16 MiB with the GC settings given here
// (GOGC=20, GOMEMLIMIT=9MiB unless the environment says otherwise) and 16 bytes
// a point. Of the resident memory it tells what is the program's file, which
// the kernel may drop at any time, and what a Go program has that does nothing.
//
// A gateway has a second from one reading to the next, in which a flush or a
// compaction ends. Here a second takes less than a millisecond: so when files
// are being written the next second waits for them, up to 100 ms.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/vfs"
)

const (
	devices = 100
	columns = 10
)

func main() {
	length := flag.Duration("time", 24*time.Hour, "simulated time")
	budget := flag.Int64("budget", 4<<20, "MemoryBudget of the store in bytes")
	dir := flag.String("dir", "", "where the store is made; default a temporary folder")
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(20)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(9 << 20)
	}
	begin := resident()
	r, err := run(*length, *dir, *budget)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r.print(begin, resident())
}

// result is what a run has cost.
type result struct {
	simulated, took time.Duration
	points          float64
	stats           tickwell.Stats
	pages, bytes    int64 // written, see pages
	syncs           int64
	waits           int           // seconds that waited for files
	longest         time.Duration // of the waits
}

func (r *result) print(begin, end memory) {
	fmt.Printf("%v simulated in %v: %.0f points, %d in the store, %d flushes, %d files of %d bytes\n",
		r.simulated, r.took.Round(time.Second), r.points, r.stats.Points, r.stats.Flushes, r.stats.Files, r.stats.DiskBytes)
	fmt.Printf("resident at most %.1f MiB (asked 16), at the end %.1f: %.1f of the program's file, %.1f of its own\n",
		end.peak, end.now, end.file, end.now-end.file)
	fmt.Printf("floor: before the store was opened %.1f MiB, %.1f of them of the program's file\n", begin.now, begin.file)
	fmt.Printf("pages between syncs %.2f bytes/point (asked 16), floor %.2f handed over, %d syncs\n",
		float64(r.pages)*pageSize/r.points, float64(r.bytes)/r.points, r.syncs)
	fmt.Printf("%d of %.0f seconds waited for files, the longest %v\n", r.waits, r.simulated.Seconds(), r.longest.Round(time.Millisecond))
}

func run(length time.Duration, dir string, budget int64) (*result, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "edge")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(tmp)
		dir = filepath.Join(tmp, "db")
	}
	ctx := context.Background()
	fs := &pages{FS: vfs.OS()}
	clk := clock.NewFake(time.Unix(1_700_000_000, 0))
	fired := 0
	opts := &tickwell.Options{
		FS: fs, Clock: clk, Logger: slog.New(slog.DiscardHandler), Profile: tickwell.Edge(),
		Sync: tickwell.SyncInterval(10 * time.Second), QuotaBytes: 256 << 20, MemoryBudget: budget,
	}
	for i := range 5 {
		opts.Triggers = append(opts.Triggers, tickwell.TriggerSpec{
			Name: fmt.Sprint("limit", i), Pattern: fmt.Sprintf("root.gw.d%d.*", i*7), When: tickwell.AfterInsert,
			Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
				for row := range f.Rows() {
					if row.Float64(0) > 1e6 {
						fired++
					}
				}
				return nil
			}),
		})
	}
	db, err := tickwell.Open(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	group := newGroup()
	if err := group.insert(ctx, db, clk.Now()); err != nil {
		return nil, err
	}
	for i := range 5 {
		col := expr.Col(fmt.Sprint("s", i))
		spec := tickwell.CQSpec{
			Name: fmt.Sprint("minute", i), Every: time.Minute,
			Query: tickwell.Query{
				Select: []expr.Expr{expr.Avg(col), expr.Max(col)}, From: []string{fmt.Sprintf("root.gw.d%d", i*11)},
				GroupBy: tickwell.GroupByTime{Interval: time.Minute},
				Into:    []tickwell.Target{{Device: fmt.Sprint("root.minutes.d", i), Columns: []string{"avg", "max"}}},
			},
		}
		if err := db.CreateContinuousQuery(ctx, spec); err != nil {
			return nil, err
		}
	}
	r := &result{simulated: length}
	start := time.Now()
	seconds := int64(length / time.Second)
	for s := range seconds {
		clk.Advance(time.Second)
		if err := group.insert(ctx, db, clk.Now()); err != nil {
			return nil, err
		}
		if s%60 == 59 {
			if err := db.Quiesce(ctx); err != nil {
				return nil, err
			}
		}
		if d := fs.settle(100 * time.Millisecond); d > 0 {
			r.waits, r.longest = r.waits+1, max(r.longest, d)
		}
	}
	if err := db.Sync(ctx); err != nil {
		return nil, err
	}
	r.took = time.Since(start)
	r.points = float64((seconds + 1) * devices * columns)
	r.stats = db.Stats()
	fs.mu.Lock()
	defer fs.mu.Unlock()
	r.pages, r.bytes, r.syncs = fs.touched, fs.bytes, fs.syncs
	return r, nil
}

// group is the rows of one second.
type group struct {
	tablets []*tickwell.Tablet
	values  []int64
	seed    uint64
}

func newGroup() *group {
	g := &group{values: make([]int64, devices*columns), seed: 1}
	for d := range devices {
		t := &tickwell.Tablet{Device: fmt.Sprint("root.gw.d", d), Times: make([]int64, 1)}
		for c := range columns {
			t.Columns = append(t.Columns, tickwell.Column{Name: fmt.Sprint("s", c), Data: make(tickwell.Float64s, 1)})
		}
		g.tablets = append(g.tablets, t)
	}
	for i := range g.values {
		g.values[i] = int64(i%50) * 100
	}
	return g
}

func (g *group) insert(ctx context.Context, db *tickwell.DB, now time.Time) error {
	for d, t := range g.tablets {
		t.Times[0] = now.UnixNano()
		for c := range t.Columns {
			g.seed = g.seed*6364136223846793005 + 1442695040888963407
			v := &g.values[d*columns+c]
			*v += int64(g.seed>>60) - 7
			t.Columns[c].Data.(tickwell.Float64s)[0] = float64(*v) / 100
		}
	}
	return db.InsertTablets(ctx, g.tablets...)
}

// memory is resident memory in MiB.
type memory struct{ now, peak, file float64 }

// resident returns that of this process, where /proc tells.
func resident() (m memory) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return m
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		var kb float64
		fmt.Sscan(rest, &kb)
		switch name {
		case "VmRSS":
			m.now = kb / 1024
		case "VmHWM":
			m.peak = kb / 1024
		case "RssFile":
			m.file = kb / 1024
		}
	}
	return m
}
