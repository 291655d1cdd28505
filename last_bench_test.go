package tickwell

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkLast asks for the newest points of 10,000 series: 1000 devices with
// 10 columns, or 2 with 5000; through the query and through DB.Last, with the
// points in memory and in files. The floor looks each series up by name.
func BenchmarkLast(b *testing.B) {
	ctx := context.Background()
	for _, layout := range [][2]int{{1000, 10}, {2, 5000}} {
		for _, where := range []string{"memory", "files"} {
			dir := ""
			if where == "files" {
				dir = b.TempDir()
			}
			db := openDir(b, dir, nil)
			for d := range layout[0] {
				fields := make([]Field, layout[1])
				for at := range int64(3) {
					for i := range fields {
						fields[i] = Float64(fmt.Sprint("s", i), float64(i)+float64(at)/10)
					}
					must(b, db.Insert(ctx, fmt.Sprint("root.many.d", d), ns(at), fields...))
				}
			}
			must(b, db.Flush(ctx))
			name := fmt.Sprintf("devices=%d/%s/", layout[0], where)
			b.Run(name+"query", func(b *testing.B) {
				res, err := db.Query(ctx, Query{From: []string{"root.many.*"}, Last: true})
				must(b, err)
				for b.Loop() {
					n := 0
					for t, err := range res.Tablets() {
						must(b, err)
						n += t.Len()
					}
					if n != 10_000 {
						b.Fatal(n)
					}
				}
			})
			b.Run(name+"call", func(b *testing.B) {
				for b.Loop() {
					got, err := db.Last(ctx, "root.many.**")
					must(b, err)
					if len(got) != 10_000 {
						b.Fatal(len(got))
					}
				}
			})
			b.Run(name+"floor", func(b *testing.B) {
				for b.Loop() {
					for d := range layout[0] {
						device := fmt.Sprint("root.many.d", d)
						for i := range layout[1] {
							if db.SeriesKind(device, fmt.Sprint("s", i)) != KindFloat64 {
								b.Fatal(device, i)
							}
						}
					}
				}
			})
		}
	}
}
