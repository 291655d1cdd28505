package tickwelltest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/tickwelltest"
	"github.com/tickwell/tickwell/vfs"
)

// counter emits the number of rows so far at every third one. It keeps the
// number in the store.
type counter struct {
	n     byte
	fault string
	kept  *tickwell.Tablet
}

func (c *counter) Restore(_ context.Context, env tickwell.Env) error {
	if v, ok := env.Get("n"); ok && c.fault != "forgets" {
		c.n = v[0]
	}
	return nil
}

var shared byte // what a careless trigger keeps in a variable of the package

func (c *counter) Fire(_ context.Context, f *tickwell.Firing) error {
	if c.fault == "keeps" {
		if c.kept != nil && c.kept.Len() > 0 {
			f.Emit(tickwell.Event{Series: "root.d.v", Time: tickwelltest.Start, Fields: []tickwell.Field{tickwell.Int64("before", c.kept.Times[0])}})
		}
		c.kept = f.Tablet
	}
	if c.fault == "changes" {
		f.Times[0]++
	}
	step := f.Len()
	if c.fault == "by batch" {
		step = 1
	}
	for i := range step {
		n := &c.n
		if c.fault == "shares" {
			n = &shared
		}
		*n++
		if c.fault == "panics" && f.Float64s("v") == nil {
			panic("not a float")
		}
		if *n%3 == 0 {
			f.Emit(tickwell.Event{Series: "root.d.v", Time: f.Row(i).Time(), Fields: []tickwell.Field{tickwell.Int64("n", int64(*n))}})
		}
	}
	f.Put("n", []byte{c.n})
	if c.fault == "leaks" {
		block := make(chan struct{})
		go func() { <-block }()
	}
	return nil
}

func TestCheckTrigger(t *testing.T) {
	rows := func() (all []*tickwell.Tablet) {
		for tab := range (tickwelltest.Workload{Device: "root.d", Measurements: 1}).Tablets(8) {
			tab.Device, tab.Columns[0].Name = "root.d", "v"
			all = append(all, tab)
		}
		first := all[0].Times[0]
		return append([]*tickwell.Tablet{{Device: "root.d", Times: []int64{first - 2e9, first - 1e9},
			Columns: []tickwell.Column{{Name: "v", Data: tickwell.Float64s{1, 2}}}}}, all...)
	}
	check := func(fault string) func(testing.TB) {
		return func(t testing.TB) {
			pattern := "root.d.v"
			if fault == "panics" {
				pattern = "root.d.*"
			}
			tickwelltest.CheckTrigger(t, tickwelltest.TriggerCase{
				Spec: tickwell.TriggerSpec{Name: "counter", Pattern: pattern, Stateful: true},
				New:  func() tickwell.Trigger { return &counter{fault: fault} }, Rows: rows(), ByRow: true})
		}
	}
	for fault, want := range map[string]string{
		"": "", "forgets": "restart: ", "shares": "repeat: ", "changes": "lent: ", "keeps": "lent: ", "panics": "hostile: ", "by batch": "rows: ", "leaks": "ends: ",
	} {
		got := failures(t, check(fault))
		if want == "" && got != "" || want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("fault %q: the kit says %q, want it to begin with %q", fault, got, want)
		}
	}
	if got := failures(t, func(t testing.TB) {
		tickwelltest.CheckTrigger(t, tickwelltest.TriggerCase{Spec: tickwell.TriggerSpec{Name: "idle", Pattern: "root.d.v"},
			New: func() tickwell.Trigger {
				return tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return nil })
			}, Rows: rows()})
	}); !strings.HasPrefix(got, "acts: ") {
		t.Errorf("an idle trigger: %s", got)
	}
	tickwelltest.CheckTrigger(t, tickwelltest.TriggerCase{Spec: alert.Rule{Name: "high", Condition: alert.Above(50, 40)}.Spec("root.d.v"),
		New: alert.Rule{Name: "high", Condition: alert.Above(50, 40)}.Trigger, Rows: rows()})
}

// runningSum is a UDTF with faults.
type runningSum struct {
	sum   float64
	fault string
	last  tickwell.Row
	any   bool
}

var sharedSum float64

func (u *runningSum) BeforeStart(_ *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64)
	return nil
}

func (u *runningSum) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if u.fault == "panics" && row.IsNull(1) {
		panic("null")
	}
	sum := &u.sum
	if u.fault == "shares" {
		sum = &sharedSum
	}
	*sum += float64(row.Value(0).Int64())
	at := row.UnixNano()
	switch {
	case u.fault == "keeps" && u.any:
		*sum += float64(u.last.Value(0).Int64())
	case u.fault == "kind":
		return out.PutText(at, "x")
	}
	u.last, u.any = row, true
	return out.PutFloat64(at, *sum)
}

func TestCheckUDTF(t *testing.T) {
	in := tickwell.UDFInput{Function: "sum", Inputs: []tickwell.ColumnInfo{{Name: "a", Kind: tickwell.KindInt64}, {Name: "b", Kind: tickwell.KindFloat64}}}
	for fault, want := range map[string]string{"": "", "panics": "fails: ", "shares": "repeat: ", "keeps": "a Row was read after the call it was given to"} {
		got := failures(t, func(t testing.TB) {
			tickwelltest.CheckUDTF(t, func() tickwell.UDTF { return &runningSum{fault: fault} }, in)
		})
		if want == "" && got != "" || want != "" && !strings.Contains(got, want) {
			t.Errorf("fault %q: the kit says %q, want %q in it", fault, got, want)
		}
	}
}

// withFactor refuses to work without its parameter.
type withFactor struct{ factor float64 }

func (u *withFactor) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) (err error) {
	cfg.Output(tickwell.KindFloat64)
	if err = in.RequireAttribute("k"); err == nil {
		u.factor, err = in.Params.Float64("k")
	}
	return err
}

func (u *withFactor) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	return out.PutFloat64(row.UnixNano(), u.factor*float64(row.Value(0).Int64()))
}

func TestCheckUDTFParams(t *testing.T) {
	in := tickwell.UDFInput{Function: "times", Inputs: []tickwell.ColumnInfo{{Name: "a", Kind: tickwell.KindInt64}}}
	for k, want := range map[string]string{"3": "", "": "gives: "} {
		in.Params = tickwell.Params{}
		if k != "" {
			in.Params["k"] = k
		}
		got := failures(t, func(t testing.TB) { tickwelltest.CheckUDTF(t, func() tickwell.UDTF { return new(withFactor) }, in) })
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("k=%q: the kit says %q, want it to begin with %q", k, got, want)
		}
	}
}

func TestDisk(t *testing.T) {
	ctx := context.Background()
	disk := tickwelltest.NewDisk()
	open := func(d tickwelltest.Disk) *tickwell.DB {
		t.Helper()
		db, err := tickwell.Open(ctx, "store", &tickwell.Options{FS: d, Sync: tickwell.SyncAlways(), Clock: tickwelltest.NewClock(tickwelltest.Start)})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	count := func(db *tickwell.DB) string {
		t.Helper()
		last, err := db.Last(ctx, "root.d.n")
		if err != nil {
			t.Fatal(err)
		}
		if len(last) == 0 {
			return "none"
		}
		return last[0].Value.String()
	}
	db := open(disk)
	put := func(n int64) error {
		return db.Insert(ctx, "root.d", tickwelltest.Start.Add(time.Duration(n)*time.Second), tickwell.Int64("n", n))
	}
	if err := put(1); err != nil {
		t.Fatal(err)
	}
	cut := open(disk.Cut()) // what was acknowledged survives
	if got := count(cut); got != "1" {
		t.Errorf("after a power cut the last value is %s, want 1", got)
	}
	if err := cut.Close(); err != nil {
		t.Error(err)
	}
	boom := errors.New("boom")
	disk.FailFrom(1, boom)
	if err := put(2); !errors.Is(err, boom) {
		t.Errorf("insert on a failing disk: %v, want it to wrap boom", err)
	}
	disk.Heal()
	_ = db.Close()
	db = open(disk)
	disk.Full(0)
	if err := put(3); !errors.Is(err, vfs.ErrNoSpace) && !errors.Is(err, tickwell.ErrNoSpace) {
		t.Errorf("insert on a full disk: %v, want one about space", err)
	}
	disk.Heal()
	if err := db.Close(); err != nil {
		t.Logf("close after a full disk: %v", err)
	}
}

func TestWorkload(t *testing.T) {
	w := tickwelltest.Workload{Devices: 3, Measurements: 2, Late: 0.2, Nulls: 0.1, Seed: 7}
	text := func(w tickwelltest.Workload, n int) (lines []string) {
		for tab := range w.Tablets(n) {
			for row := range tab.Rows() {
				lines = append(lines, fmt.Sprint(tab.Device, row.UnixNano(), row.Value(0), row.Value(1)))
			}
		}
		return lines
	}
	a, b := text(w, 100), text(w, 100)
	if strings.Join(a, "\n") != strings.Join(b, "\n") {
		t.Error("the same workload makes other rows")
	}
	seen, late := map[string]bool{}, 0
	newest := map[string]int64{}
	for tab := range w.Tablets(100) {
		key := fmt.Sprint(tab.Device, tab.Times[0])
		if seen[key] {
			t.Errorf("row %s comes twice", key)
		}
		seen[key] = true
		if tab.Times[0] < newest[tab.Device] {
			late++
		}
		newest[tab.Device] = max(newest[tab.Device], tab.Times[0])
		if err := tab.Validate(); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 300 || late < 20 || late > 120 {
		t.Errorf("%d rows of which %d late, want 300 and about 60", len(seen), late)
	}
}
