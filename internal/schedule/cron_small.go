//go:build tickwell_small

package schedule

// Cron would be a parsed cron expression. The parser and what finds the instants
// weigh 60 KB; a schedule with Every does without.
type Cron struct{}

// ParseCron refuses all expressions.
func ParseCron(expr, _ string) (*Cron, error) {
	return nil, bad("cron expression %q: cron is left out of programs that are built with the tag tickwell_small; use Every", expr)
}

// Next is never called.
func (*Cron) Next(int64) (int64, bool) { return 0, false }

// Prev is never called.
func (*Cron) Prev(int64) (int64, bool) { return 0, false }
