//go:build !tickwell_small

package schedule

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

func TestParseCronRefusals(t *testing.T) {
	tests := []struct{ expr, zone, want string }{
		{"TZ=UTC", "", "fields are missing after the time zone"}, // the parser panics on these two
		{"CRON_TZ=UTC", "", "fields are missing after the time zone"},
		{"CRON_TZ=UTC\t* * * * *", "", ""}, // it would look for a space only
		{"CRON_TZ= * * * * *", "", "time zone is empty"},
		{"CRON_TZ=Mars/Base * * * * *", "", "unknown time zone Mars/Base"},
		{"CRON_TZ=../etc/passwd * * * * *", "", "time: invalid location name"},
		{"CRON_TZ=Local * * * * *", "", "must be named, not Local"},
		{"* * * * *", "Local", "must be named, not Local"},
		{"CRON_TZ=UTC * * * * *", "Europe/Berlin", "differs from zone"},
		{"CRON_TZ=UTC CRON_TZ=UTC", "", "time zone is given twice"},
		{"CRON_TZ=UTC TZ=UTC * * * * *", "", "time zone is given twice"},
		{"0 0 31 2 *", "", "never fires"}, // accepted by the parser, Next is the zero time
		{"0 0 30 2 *", "", "never fires"},
		{"0 0 31 4,6,9,11 *", "", "never fires"},
		{"0 0 29 2 *", "", ""},
		{"0 0 30 2 MON", "", ""}, // either day rule
		{", * * * *", "", "empty element"},
		{"1,,2 * * * *", "", "empty element"},
		{"*-5 * * * *", "", "begins with a star"},
		{"60 * * * *", "", "above maximum"},
		{"*/0 * * * *", "", "positive number"},
		{"* * * *", "", "expected exactly 5 fields"},
		{"* * * * * *", "", "expected exactly 5 fields"},
		{"", "", "empty spec string"},
		{"@reboot", "", "unrecognized descriptor"},
		{"@every 100ms", "", "interval must not be lower than 1s"}, // silently one second in the parser
		{"@every -1h", "", "interval must not be lower than 1s"},
		{"@every 1500ms", "", "interval must be whole seconds"},
		{"@every x", "", "invalid duration"},
		{"@every", "", "unrecognized descriptor"},
		{"@every 90s", "", ""},
		{"@daily", "Europe/Berlin", ""},
	}
	for _, tt := range tests {
		t.Run(tt.expr+" "+tt.zone, func(t *testing.T) {
			_, err := ParseCron(tt.expr, tt.zone)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, errs.BadInput)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Each case walks from start; times are local with offset.
func TestCronNext(t *testing.T) {
	tests := []struct {
		name, expr, zone, start string
		want                    []string
	}{
		{"default zone is UTC", "0 12 * * *", "", "2026-01-01T00:00:00Z", []string{"2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z"}},
		{"strictly after", "0 12 * * *", "", "2026-01-01T12:00:00Z", []string{"2026-01-02T12:00:00Z"}},
		{"fraction", "* * * * *", "", "2026-01-01T11:59:59.5Z", []string{"2026-01-01T12:00:00Z"}},
		{"zone", "0 12 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", []string{"2026-01-01T12:00:00+05:30"}},
		{"leap day", "0 0 29 2 *", "", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		{"either day rule", "0 0 13 * FRI", "", "2026-02-12T00:00:00Z", []string{"2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"}},
		{"weekly", "@weekly", "", "2026-11-21T00:00:00Z", []string{"2026-11-22T00:00:00Z"}},
		{"every on the epoch's grid", "@every 90m", "", "1970-01-01T00:00:01Z", []string{"1970-01-01T01:30:00Z", "1970-01-01T03:00:00Z"}},
		{"before the epoch", "0 0 1 1 *", "", "1950-06-01T00:00:00Z", []string{"1951-01-01T00:00:00Z"}},

		// Berlin 2026: 29 March 02:00 -> 03:00, 25 October 03:00 -> 02:00.
		{"skipped time is made up for", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"many skipped, once", "*/10 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"skipped, every hour", "30 * * * *", "Europe/Berlin", "2026-03-29T01:00:00+01:00",
			[]string{"2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"}},
		{"gap and its end coincide", "0 2,3 * * *", "Europe/Berlin", "2026-03-29T01:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"repeated time runs once", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"repeated, every hour", "30 * * * *", "Europe/Berlin", "2026-10-25T01:00:00+02:00",
			[]string{"2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"}},
		{"asked inside the repetition", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00",
			[]string{"2026-10-26T02:30:00+01:00"}},

		// Where the clock jumps at midnight the day must not be lost.
		{"midnight skipped", "0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00",
			[]string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"noon of that day", "0 12 4 11 *", "America/Sao_Paulo", "2018-11-01T12:00:00-03:00",
			[]string{"2018-11-04T12:00:00-02:00"}},
		{"half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}},
		{"a whole day skipped", "0 12 * * *", "Pacific/Apia", "2011-12-29T13:00:00-10:00",
			[]string{"2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCron(tt.expr, tt.zone)
			require.NoError(t, err)
			start, err := time.Parse(time.RFC3339, tt.start)
			require.NoError(t, err)
			at := start.UnixNano()
			var got []string
			for range tt.want {
				var ok bool
				at, ok = c.Next(at)
				require.True(t, ok)
				got = append(got, time.Unix(0, at).In(c.Zone()).Format(time.RFC3339))
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// In UTC there is no daylight saving: our walk and the parser's own agree.
func TestCronNextAgainstTheParsersOwn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	exprs := []string{
		"* * * * *", "*/7 * * * *", "5,35 */3 * * *", "0 0 1 * *", "15 10 ? * MON-FRI", "0 6 29 2 *",
		"30 23 31 * *", "0 0 1,15 * WED", "59 23 31 12 *", "0 12 * JAN-MAR SUN", "1-10/3 4 5-9 6 *", "@monthly", "@yearly", "@hourly",
	}
	for _, expr := range exprs {
		ours, err := ParseCron(expr, "")
		require.NoError(t, err)
		theirs, err := cron.ParseStandard("CRON_TZ=UTC " + expr)
		require.NoError(t, err)
		for range 200 {
			at := time.Unix(rng.Int64N(4e9), rng.Int64N(1e9)).UTC()
			want := theirs.Next(at)
			if want.IsZero() { // their horizon is five years
				continue
			}
			got, ok := ours.Next(at.UnixNano())
			require.True(t, ok)
			require.Equal(t, want, time.Unix(0, got).UTC(), "%s after %v", expr, at)
			prev, ok := ours.Prev(got + rng.Int64N(2)) // one past an instant: the instant itself
			require.True(t, ok)
			require.LessOrEqual(t, prev, got)
			next, ok := ours.Next(prev)
			require.True(t, ok)
			require.GreaterOrEqual(t, next, got)
		}
	}
}

func TestCronPrev(t *testing.T) {
	tests := []struct{ name, expr, zone, at, want string }{
		{"strictly before", "0 12 * * *", "", "2026-01-02T12:00:00Z", "2026-01-01T12:00:00Z"},
		{"a nanosecond after", "0 12 * * *", "", "2026-01-02T12:00:00.000000001Z", "2026-01-02T12:00:00Z"},
		{"over the gap", "30 2 * * *", "Europe/Berlin", "2026-03-30T00:00:00Z", "2026-03-29T01:00:00Z"},
		{"over the repetition", "30 2 * * *", "Europe/Berlin", "2026-10-26T00:00:00Z", "2026-10-25T00:30:00Z"},
		{"leap day", "0 0 29 2 *", "", "2104-02-29T00:00:00Z", "2096-02-29T00:00:00Z"},
		{"every", "@every 90m", "", "1970-01-01T03:00:00Z", "1970-01-01T01:30:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCron(tt.expr, tt.zone)
			require.NoError(t, err)
			at, err := time.Parse(time.RFC3339Nano, tt.at)
			require.NoError(t, err)
			got, ok := c.Prev(at.UnixNano())
			require.True(t, ok)
			require.Equal(t, tt.want, time.Unix(0, got).UTC().Format(time.RFC3339))
		})
	}
}

func FuzzParseCron(f *testing.F) {
	for _, s := range []string{"* * * * *", "TZ=UTC", "CRON_TZ=", "@every 1s", "0 0 31 2 *", "*/5 1-3,7 * JAN ?", "@daily"} {
		f.Add(s, int64(0))
	}
	f.Fuzz(func(t *testing.T, expr string, at int64) {
		c, err := ParseCron(expr, "")
		if err != nil {
			require.ErrorIs(t, err, errs.BadInput)
			return
		}
		if next, ok := c.Next(at); ok {
			require.Greater(t, next, at)
			prev, ok := c.Prev(next)
			if ok {
				require.LessOrEqual(t, prev, at)
			}
		}
	})
}
