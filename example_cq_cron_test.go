//go:build !tickwell_small

package tickwell_test

import (
	"time"

	"github.com/tickwell/tickwell"
)

func ExampleCQSpec_cron() {
	q := maxOf()
	resample(tickwell.CQSpec{Query: q, Cron: "CRON_TZ=Europe/Berlin @every 15s", StartOffset: 20 * time.Second})
	// Output:
	// 15: [-5, 15) root.out@-5 4 root.out@5 14
	// 30: [10, 30) root.out@10 19
}
