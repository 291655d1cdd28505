package schedule

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

const sec = int64(time.Second)

func mustPlan(t testing.TB, s Spec) *Plan {
	if _, err := ParseCron("* * * * *", ""); err != nil && s.Cron != "" {
		t.Skip("built without cron")
	}
	t.Helper()
	p, err := s.Plan()
	require.NoError(t, err)
	return p
}

func TestFirst(t *testing.T) {
	tests := []struct{ now, boundary, every, want int64 }{
		{100, 0, 30, 120}, // the two cases of IoTDB's own test
		{100, 110, 30, 110},
		{90, 0, 30, 90},
		{100, 100, 30, 100},
		{101, 100, 30, 130},
		{-100, 0, 30, 0}, // before the boundary: the boundary
		{-100, -1000, 30, -100},
		{-101, -1000, 30, -100},
		{-99, -1000, 30, -70},
	}
	for _, tt := range tests {
		p := mustPlan(t, Spec{Every: time.Duration(tt.every * sec), Boundary: tt.boundary * sec})
		got, ok := p.First(tt.now * sec)
		require.True(t, ok)
		require.Equal(t, tt.want*sec, got, "now %d boundary %d every %d", tt.now, tt.boundary, tt.every)
	}
}

func TestWindow(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name     string
		spec     Spec
		e        int64
		from, to int64
	}{
		{"every alone", Spec{Every: 20 * s}, 100 * sec, 80 * sec, 100 * sec},
		{"group alone", Spec{GroupBy: 10 * s}, 100 * sec, 90 * sec, 100 * sec},
		{"range", Spec{Every: 20 * s, HasRange: true, StartOffset: 40 * s}, 100 * sec, 60 * sec, 100 * sec},
		{"range both", Spec{Every: 20 * s, HasRange: true, StartOffset: 40 * s, EndOffset: 20 * s}, 100 * sec, 60 * sec, 80 * sec},
		{"gap", Spec{Every: 20 * s, HasRange: true, StartOffset: 5 * s}, 100 * sec, 95 * sec, 100 * sec},
		{"saturates", Spec{Every: 20 * s}, math.MinInt64 + 5, math.MinInt64, math.MinInt64 + 5},
		{"cron: since the instant before", Spec{Cron: "0 * * * *"}, 7200 * sec, 3600 * sec, 7200 * sec},
		{"cron with range", Spec{Cron: "0 * * * *", HasRange: true, StartOffset: 90 * s, EndOffset: 30 * s}, 7200 * sec, 7110 * sec, 7170 * sec},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from, to := mustPlan(t, tt.spec).Window(tt.e)
			require.Equal(t, [2]int64{tt.from, tt.to}, [2]int64{from, to})
		})
	}
}

func TestSpecRefusals(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	tests := []struct {
		name string
		spec Spec
		want string // "" = accepted
	}{
		{"nothing", Spec{}, "at least one of every interval and group by interval must be given"},
		{"every 50ms", Spec{Every: 50 * time.Millisecond}, "every interval 50ms must not be lower than the minimum every interval 1s"},
		{"every negative", Spec{Every: -s}, "every interval -1s must not be lower than the minimum every interval 1s"},
		{"own minimum", Spec{Every: 50 * time.Millisecond, Minimum: 10 * time.Millisecond}, ""},
		{"start 0", Spec{Every: s, HasRange: true}, "start time offset 0s must be greater than 0"},
		{"start negative", Spec{Every: s, HasRange: true, StartOffset: -s}, "start time offset -1s must be greater than 0"},
		{"end negative", Spec{Every: s, HasRange: true, StartOffset: s, EndOffset: -s}, "end time offset -1s must be greater than or equal to 0"},
		{"start = end", Spec{Every: s, HasRange: true, StartOffset: s, EndOffset: s}, "start time offset 1s must be greater than end time offset 1s"},
		{"start < end", Spec{Every: s, HasRange: true, StartOffset: s, EndOffset: 2 * s}, "start time offset 1s must be greater than end time offset 2s"},
		{"start < every", Spec{Every: 2 * s, HasRange: true, StartOffset: s}, ""},
		{"group > start", Spec{HasRange: true, StartOffset: 30 * m, GroupBy: h}, "group by interval 1h0m0s must not be greater than start time offset 30m0s"},
		{"group > start, with every", Spec{Every: 30 * m, GroupBy: h}, "group by interval 1h0m0s must not be greater than start time offset 30m0s"},
		{"group = start", Spec{Every: 30 * m, HasRange: true, StartOffset: h, GroupBy: h}, ""},
		{"offset without range", Spec{Every: s, StartOffset: s}, "range offsets are given but no range"},
		{"zone without cron", Spec{Every: s, Zone: "UTC"}, `time zone "UTC" is given without a cron expression`},
		{"cron and every", Spec{Every: s, Cron: "* * * * *"}, `every interval and boundary cannot be combined with cron expression "* * * * *"`},
		{"cron bad", Spec{Cron: "x"}, `cron expression "x"`},
		{"catch-up", Spec{Every: s, CatchUp: -1}, "catch-up limit -1 must be positive"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.spec.Plan()
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, errs.BadInput)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAfter(t *testing.T) {
	tests := []struct {
		name      string
		spec      Spec
		last, now int64
		want      Step
	}{
		{"on time", Spec{}, 100, 101, Step{At: 120}},
		{"blocked late", Spec{}, 100, 175, Step{At: 120}},
		{"blocked far, bounded", Spec{CatchUp: 2}, 100, 175, Step{At: 140, Skipped: 1, SkipFrom: 120, SkipTo: 120}},
		{"blocked exactly the bound", Spec{CatchUp: 3}, 100, 175, Step{At: 120}},
		{"discard on time", Spec{Policy: Discard}, 100, 101, Step{At: 120}},
		{"discard due now", Spec{Policy: Discard}, 100, 120, Step{At: 120}},
		{"discard late", Spec{Policy: Discard}, 100, 175, Step{At: 180, Skipped: 3, SkipFrom: 120, SkipTo: 160}},
		{"small step back waits", Spec{}, 100, 85, Step{At: 120}},
		{"nearly two intervals ahead", Spec{}, 100, 81, Step{At: 120}},
		{"two intervals ahead", Spec{}, 100, 80, Step{At: 80, Rewound: true}},
		{"large step back rewinds", Spec{}, 100, 55, Step{At: 60, Rewound: true}},
		{"not before the boundary", Spec{Boundary: 60 * sec}, 200, -500, Step{At: 60, Rewound: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Every = 20 * time.Second
			got, ok := mustPlan(t, tt.spec).After(tt.last*sec, tt.now*sec)
			require.True(t, ok)
			for _, at := range []*int64{&tt.want.At, &tt.want.SkipFrom, &tt.want.SkipTo} {
				*at *= sec
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// The two grids agree where both can say the same.
func TestCronAndEveryAgree(t *testing.T) {
	for _, policy := range []Policy{Blocked, Discard} {
		every := mustPlan(t, Spec{Every: 15 * time.Minute, Policy: policy, CatchUp: 5})
		cron := mustPlan(t, Spec{Cron: "*/15 * * * *", Policy: policy, CatchUp: 5})
		at := mustPlan(t, Spec{Cron: "@every 15m", Policy: policy, CatchUp: 5})
		for last := range int64(4) {
			for now := last*900 - 4000; now < last*900+9000; now += 300 {
				name := fmt.Sprintf("%v last %d now %d", policy, last*900, now)
				want, ok := every.After(last*900*sec, now*sec)
				require.True(t, ok)
				if now < 0 { // cron has no boundary
					continue
				}
				for _, p := range []*Plan{cron, at} {
					got, ok := p.After(last*900*sec, now*sec)
					require.True(t, ok)
					require.Equal(t, want, got, name)
					wantR, _ := every.Resume(last*900*sec, now*sec)
					gotR, _ := p.Resume(last*900*sec, now*sec)
					require.Equal(t, wantR, gotR, name)
				}
			}
		}
	}
}

func TestResume(t *testing.T) {
	tests := []struct {
		name   string
		policy Policy
		now    int64
		want   Step
	}{
		{"blocked", Blocked, 175, Step{At: 120}},
		{"discard: the newest due", Discard, 175, Step{At: 160, Skipped: 2, SkipFrom: 120, SkipTo: 140}},
		{"discard: due right now", Discard, 160, Step{At: 160, Skipped: 2, SkipFrom: 120, SkipTo: 140}},
		{"discard: nothing missed", Discard, 110, Step{At: 120}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPlan(t, Spec{Every: 20 * time.Second, Policy: tt.policy})
			got, ok := p.Resume(100*sec, tt.now*sec)
			require.True(t, ok)
			for _, at := range []*int64{&tt.want.At, &tt.want.SkipFrom, &tt.want.SkipTo} {
				*at *= sec
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// A machine that boots at 1970 and then learns the date must not count or run
// half a century; nor one that stood still for decades.
func TestCatchUpFromTheEpochIsCheapForCron(t *testing.T) {
	p := mustPlan(t, Spec{Cron: "* * * * *", CatchUp: 10})
	now := time.Date(2026, 11, 21, 3, 4, 30, 0, time.UTC)
	for last, minutes := range map[int64]int{60 * sec: 4, ClockSet: -5} {
		got, ok := p.After(last, now.UnixNano())
		require.True(t, ok)
		require.Equal(t, now.Truncate(time.Hour).Add(time.Duration(minutes)*time.Minute).UnixNano(), got.At)
		require.EqualValues(t, countLimit, got.Skipped, "counted up to the limit")
		require.Equal(t, last+60*sec, got.SkipFrom)
		require.Equal(t, got.At-60*sec, got.SkipTo)
	}
}

// Thousands of missed runs, one after the other: each finds the next without
// counting all that are left.
func TestCatchUpRunByRunIsCheapForCron(t *testing.T) {
	p := mustPlan(t, Spec{Cron: "0 * * * *", Zone: "Europe/Berlin"})
	start := time.Date(2023, 11, 16, 9, 0, 0, 0, time.UTC)
	last, now := start.UnixNano(), start.AddDate(1, 0, 0).UnixNano()
	began := time.Now()
	var walked []int64
	for at, _ := p.cron.Next(last); at <= now; at, _ = p.cron.Next(at) {
		walked = append(walked, at)
	}
	walk := time.Since(began)
	began = time.Now()
	for i, want := range walked {
		if i%1000 == 999 { // time goes on meanwhile
			now += int64(time.Hour)
		}
		got, ok := p.After(last, now)
		require.True(t, ok)
		require.Equal(t, Step{At: want}, got)
		last = want
	}
	require.Len(t, walked, 366*24)
	require.Less(t, time.Since(began), 300*walk, "counting all would take some 4000 times as long")
}

func TestEndOfTime(t *testing.T) {
	p := mustPlan(t, Spec{Every: time.Duration(math.MaxInt64), Boundary: math.MinInt64, HasRange: true, StartOffset: 1})
	at, ok := p.First(math.MinInt64 + 1)
	require.True(t, ok)
	require.EqualValues(t, -1, at)
	at, ok = p.Next(at)
	require.True(t, ok)
	require.Equal(t, int64(math.MaxInt64-1), at)
	_, ok = p.Next(at)
	require.False(t, ok)
	_, ok = p.First(math.MaxInt64)
	require.False(t, ok)
	_, ok = mustPlan(t, Spec{Cron: "* * * * *"}).First(math.MaxInt64)
	require.False(t, ok)
	at, ok = mustPlan(t, Spec{Cron: "* * * * *"}).First(math.MinInt64)
	require.True(t, ok)
	require.Zero(t, floorMod(at, 60*sec))
}

func floorMod(a, b int64) int64 { return (a%b + b) % b }

// Arithmetic on arbitrary numbers: no panic, no wrap, always on the grid.
func FuzzPlan(f *testing.F) {
	f.Add(int64(100), int64(0), int64(30), int64(90), int64(1), false)
	f.Add(int64(math.MaxInt64), int64(math.MinInt64), int64(math.MaxInt64), int64(math.MinInt64), int64(9), true)
	f.Fuzz(func(t *testing.T, now, boundary, every, last, catchUp int64, discard bool) {
		s := Spec{Every: time.Duration(every), Boundary: boundary, Minimum: 1, CatchUp: int(catchUp & 0xff)}
		if discard {
			s.Policy = Discard
		}
		p, err := s.Plan()
		if err != nil {
			return
		}
		onGrid := func(at int64) {
			require.GreaterOrEqual(t, at, boundary)
			require.Zero(t, (uint64(at)-uint64(boundary))%uint64(every))
		}
		first, ok := p.First(now)
		if !ok {
			return
		}
		onGrid(first)
		require.GreaterOrEqual(t, first, min(now, first))
		last, ok = p.First(last)
		if !ok {
			return
		}
		for _, step := range []func(int64, int64) (Step, bool){p.After, p.Resume} {
			got, ok := step(last, now)
			if !ok {
				continue
			}
			onGrid(got.At)
			if !got.Rewound {
				require.Greater(t, got.At, last)
			}
			if got.Skipped > 0 {
				require.EqualValues(t, got.Skipped-1, (uint64(got.SkipTo)-uint64(got.SkipFrom))/uint64(every))
			}
			from, to := p.Window(got.At)
			require.LessOrEqual(t, from, to)
		}
	})
}
