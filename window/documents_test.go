package window

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// bounds renders windows as [first-last] rows for time-ordered whole numbers.
func contents(w Window[float64]) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, t := range w.Times() {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, t)
	}
	b.WriteByte('}')
	return b.String()
}

// helper runs one of the documents' two helpers over times and returns what it gave.
func helper(t *testing.T, size bool, interval, step int, times []int64) (got []string) {
	t.Helper()
	eval := func(w Window[float64]) error {
		if size {
			got = append(got, contents(w))
		} else {
			got = append(got, fmt.Sprintf("[%d,%d)%s", w.Start(), w.End(), contents(w)))
		}
		return nil
	}
	var h *Handler[float64]
	var err error
	if size {
		h, err = NewSlidingSize(interval, step, eval, nil)
	} else {
		h, err = NewSlidingTime(time.Duration(interval), time.Duration(step), eval, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, ts := range times {
		if _, err := h.Collect(ts, float64(ts)); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func upTo(from, to int64) (s []int64) {
	for t := from; t <= to; t++ {
		s = append(s, t)
	}
	return s
}

// The documents' worked examples of the two helpers.
func TestHelperExamples(t *testing.T) {
	for _, c := range []struct {
		size           bool
		interval, step int
		times          []int64
		want           string
	}{
		{true, 3, 3, upTo(1, 7), "{1,2,3} {4,5,6}"},
		{true, 3, 2, upTo(1, 7), "{1,2,3} {3,4,5} {5,6,7}"},
		{true, 2, 3, upTo(1, 8), "{1,2} {4,5} {7,8}"},
		{true, 1, 1, []int64{5, 5, 4, 6}, "{5} {6}"},
		{false, 3, 3, upTo(10, 13), "[10,13){10,11,12}"},
		{false, 3, 3, []int64{10, 20}, "[10,13){10} [13,16){} [16,19){}"},
		{false, 5, 2, upTo(0, 7), "[0,5){0,1,2,3,4} [2,7){2,3,4,5,6}"},
		{false, 2, 5, upTo(0, 7), "[0,2){0,1} [5,7){5,6}"},
	} {
		if got := strings.Join(helper(t, c.size, c.interval, c.step, c.times), " "); got != c.want {
			t.Errorf("size %v, %d step %d over %v:\n got  %s\n want %s", c.size, c.interval, c.step, c.times, got, c.want)
		}
	}
}

// Each point is followed by its duplicate and by older ones, which must not count.
func TestHelperCounts(t *testing.T) {
	for _, c := range []struct {
		size                        bool
		interval, step, total, want int
	}{
		{true, 1, 1, 0, 0}, {true, 1, 1, 1, 1}, {true, 1, 1, 2, 2}, {true, 1, 1, 5, 5},
		{true, 1, 2, 0, 0}, {true, 1, 2, 1, 1}, {true, 1, 2, 2, 1}, {true, 1, 2, 5, 3},
		{true, 7, 2, 5, 0}, {true, 7, 3, 7, 1}, {true, 7, 3, 24, 6},
		{true, 7, 10, 75, 7}, {true, 7, 10, 76, 7}, {true, 7, 10, 77, 8},
		{true, 7, 7, 75, 10}, {true, 7, 7, 76, 10}, {true, 7, 7, 77, 11},
		{false, 1, 1, 0, 0}, {false, 1, 1, 1, 0}, {false, 1, 1, 2, 1}, {false, 1, 1, 5, 4},
		{false, 1, 2, 0, 0}, {false, 1, 2, 1, 0}, {false, 1, 2, 2, 1}, {false, 1, 2, 5, 2},
		{false, 7, 2, 5, 0}, {false, 7, 3, 7, 0}, {false, 7, 3, 24, 6},
		{false, 7, 10, 75, 7}, {false, 7, 10, 76, 7}, {false, 7, 10, 77, 7},
		{false, 7, 7, 75, 10}, {false, 7, 7, 76, 10}, {false, 7, 7, 77, 10},
		{false, 7, 33, 77, 3}, {false, 4, 16, 128, 8}, {false, 1, 100, 101, 1},
	} {
		var times []int64
		for i := range int64(c.total) {
			times = append(times, i, i, i-1, i/2)
		}
		got := helper(t, c.size, c.interval, c.step, times)
		if len(got) != c.want {
			t.Errorf("size %v, %d step %d, %d points: got %d windows, want %d", c.size, c.interval, c.step, c.total, len(got), c.want)
		}
		for k, w := range got {
			from := int64(k * c.step)
			to := from + int64(c.interval)
			want := strings.ReplaceAll(strings.Trim(fmt.Sprint(upTo(from, to-1)), "[]"), " ", ",")
			if !strings.HasSuffix(w, "{"+want+"}") {
				t.Errorf("%d step %d, window %d: got %s, want {%s}", c.interval, c.step, k, w, want)
			}
		}
	}
}

func TestHelperEmptyWindows(t *testing.T) {
	var times []int64
	for ts := int64(0); ts <= 189; ts += 21 {
		times = append(times, ts)
	}
	got := helper(t, false, 3, 7, times)
	var want []string
	for k := range int64(27) {
		rows := "{}"
		if k%3 == 0 {
			rows = fmt.Sprintf("{%d}", k*7)
		}
		want = append(want, fmt.Sprintf("[%d,%d)%s", k*7, k*7+3, rows))
	}
	if !slices.Equal(got, want) { // 27 windows, 18 of them empty
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// rows 0 to n-1, each with its time as value.
func counting(n int) (ts []int64, vals []float64) {
	for i := range n {
		ts, vals = append(ts, int64(i)), append(vals, float64(i))
	}
	return ts, vals
}

func TestAccessSize(t *testing.T) {
	ts, vals := counting(10000)
	for _, c := range []struct{ size, step, windows, last int }{
		{1000, 1000, 10, 1000}, {330, 330, 31, 100}, {3330, 3330, 4, 10}, {15000, 15000, 1, 10000},
		{10000, 10000, 1, 10000}, {30000, 30000, 1, 10000},
		{1, 1, 10000, 1}, {100, 100, 100, 100}, {111, 123, 82, 37}, {123, 111, 91, 10}, {100, 10000, 1, 100},
		{10000, 1000, 10, 1000}, {15000, 4333, 3, 1334}, {10000, 15000, 1, 10000}, {15000, 15000, 1, 10000},
	} {
		k, last := 0, 0
		for w, err := range Cut(ts, vals, Count(c.size).Every(c.step), nil) {
			if err != nil {
				t.Fatal(err)
			}
			from := k * c.step
			n := min(c.size, 10000-from)
			if w.Len() != n || w.Start() != int64(from) || w.End() != int64(from+n-1) || w.FirstRow() != int64(from) || w.Value(n-1) != float64(from+n-1) {
				t.Fatalf("size %d step %d window %d: got %d rows [%d,%d], want %d [%d,%d]", c.size, c.step, k, w.Len(), w.Start(), w.End(), n, from, from+n-1)
			}
			last = w.Len()
			k++
		}
		if k != c.windows || last != c.last {
			t.Errorf("size %d step %d: got %d windows, last %d; want %d, %d", c.size, c.step, k, last, c.windows, c.last)
		}
	}
}

func TestAccessTime(t *testing.T) {
	ts, vals := counting(10000)
	all := func(s Spec) Spec { return s.FromFirst() }
	between := func(b, e int64) func(Spec) Spec {
		return func(s Spec) Spec { return s.FromFirst().Since(b).Until(e) }
	}
	for _, c := range []struct {
		interval, step int64
		in             func(Spec) Spec
		begin, windows int64
		lastRows       int
	}{
		{3300, 3300, between(3300, 3300), 3300, 0, 0},
		{330, 660, between(5000, 10000), 5000, 8, 330},
		{660, 330, between(5000, 10000), 5000, 16, 50},
		{330, 330, between(5000, 10000), 5000, 16, 50},
		{10000, 10000, between(0, 10000), 0, 1, 10000},
		{10100, 100, between(0, 5000), 0, 50, 100},
		{100, 10100, between(0, 5000), 0, 1, 100},
		{10100, 10100, between(0, 5000), 0, 1, 5000},
		{1, 1, all, 0, 10000, 1}, {1000, 1000, all, 0, 10, 1000}, {303, 303, all, 0, 34, 1},
		{10000, 10000, all, 0, 1, 10000}, {20000, 20000, all, 0, 1, 10000},
	} {
		s := c.in(Sliding(time.Duration(c.interval), time.Duration(c.step)))
		k, last := int64(0), 0
		for w, err := range Cut(ts, vals, s, &Options[float64]{Empty: true}) {
			if err != nil {
				t.Fatal(err)
			}
			start := c.begin + k*c.step
			if w.Start() != start || w.End()-w.Start() != c.interval {
				t.Fatalf("%s window %d: got [%d,%d), want [%d,+%d)", s, k, w.Start(), w.End(), start, c.interval)
			}
			end := min(start+c.interval, 10000)
			if s.HasEnd {
				end = min(end, s.End)
			}
			var sum, want float64
			for i, v := range w.Values() {
				sum += v
				if w.FirstRow()+int64(i) != w.Time(i) {
					t.Fatalf("%s window %d row %d: numbered %d, is %d", s, k, i, w.FirstRow()+int64(i), w.Time(i))
				}
			}
			for x := start; x < end; x++ {
				want += float64(x)
			}
			if sum != want {
				t.Fatalf("%s window %d: sum %v, want %v", s, k, sum, want)
			}
			last = w.Len()
			k++
		}
		if k != c.windows || last != c.lastRows {
			t.Errorf("%s: got %d windows, last %d; want %d, %d", s, k, last, c.windows, c.lastRows)
		}
	}
}

func TestAccessTimeEmpty(t *testing.T) {
	var got []string
	for w, err := range Cut([]int64{1, 2, 7}, []float64{2, 3, 8}, Tumbling(3).FromFirst(), &Options[float64]{Empty: true}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(w.Start(), w.End(), w.Values()))
	}
	if want := []string{"1 4 [2 3]", "4 7 []", "7 10 [8]"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Refused sizes, steps, intervals, gaps, deltas and ranges name the parameter and
// its value.
func TestRefusedParameters(t *testing.T) {
	for _, c := range []struct {
		spec         Spec
		param, value string
	}{
		{Count(0), "windowSize", "0"}, {Count(-10000), "windowSize", "-10000"},
		{Count(5).Every(0), "slidingStep", "0"}, {Count(5).Every(-3), "slidingStep", "-3"},
		{Sliding(-100, 500), "timeInterval", "-100"}, {Sliding(0, 500), "timeInterval", "0"},
		{Sliding(100, -500), "slidingStep", "-500"}, {Sliding(100, 0), "slidingStep", "0"},
		{Tumbling(-10000), "timeInterval", "-10000"},
		{Sliding(100, 500).Since(5000).Until(0), "displayWindowEnd", "0"},
		{Gap(-1), "sessionTimeGap", "-1"}, {Gap(1).AtMost(-1), "maxSpan", "-1"},
		{Within("s", -0.5), "delta", "-0.5"}, {While("s").Keep(-1, 0), "keep", "-1"}, {While("s").Keep(3, 2), "keep", "2"},
		{Days(0, ""), "timeInterval", "0"}, {Months(1, "").EveryUnits(0), "slidingStep", "0"},
		{Spec{}, "kind", "0"}, {Count(1).Until(5).FromFirst(), "kind", "size"},
	} {
		_, err := New(c.spec, func(Window[float64]) error { return nil }, nil)
		var pe *ParamError
		if !errors.As(err, &pe) || pe.Param != c.param || pe.Value != c.value || !strings.Contains(err.Error(), c.value) {
			t.Errorf("%s: got %v, want parameter %s(%s)", c.spec, err, c.param, c.value)
		}
	}
}

func testRuns[T any](t *testing.T, ts []int64, vals []T, s Spec, want string) {
	t.Helper()
	var got []string
	for w, err := range Cut(ts, vals, s, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if w.Start() == w.End() {
			got = append(got, fmt.Sprintf("[%d]", w.Start()))
		} else {
			got = append(got, fmt.Sprintf("[%d-%d]", w.Start(), w.End()))
		}
	}
	if g := strings.Join(got, " "); g != want {
		t.Errorf("%s:\n got  %s\n want %s", s, g, want)
	}
}

func in(ts int64, list ...int64) bool { return slices.Contains(list, ts) }

func TestAccessSession(t *testing.T) {
	var ts []int64
	for i := range int64(1000) {
		if !in(i, 5, 6, 7, 51, 52, 53, 54, 996, 997, 998) {
			ts = append(ts, i)
		}
	}
	vals := make([]float64, len(ts))
	testRuns(t, ts, vals, Gap(2), "[0-4] [8-50] [55-995] [999]")
	testRuns(t, ts, vals, Gap(4), "[0-50] [55-999]")
	testRuns(t, ts, vals, Gap(6), "[0-999]")
	testRuns(t, ts, vals, Gap(2).Since(1).Until(993), "[1-4] [8-50] [55-992]")
	testRuns(t, ts, vals, Gap(4).Since(43).Until(100), "[43-50] [55-99]")
	testRuns(t, ts, vals, Gap(1).Since(2).Until(20000), "[2-4] [8-50] [55-995] [999]")
	testRuns(t, ts, vals, Gap(5).Since(5000).Until(6000), "")
	testRuns(t, ts[:6], vals[:6], Gap(0), "[0] [1] [2] [3] [4] [8]")
	testRuns(t, ts[:9], vals[:9], Gap(6).AtMost(3), "[0-3] [4] [8-11]")
}

func TestAccessState(t *testing.T) {
	special := []int64{1, 2, 3, 15, 17, 53, 54, 996, 997, 998}
	var ts, s4 []int64
	var s5 []bool
	var s6 []string
	for i := range int64(1000) {
		v := []int64{0, 3}[i%2]
		switch {
		case in(i, special...):
			v = i + 100
		case in(i, 500, 501):
			v = 12
		}
		ts, s4, s5 = append(ts, i), append(s4, v), append(s5, in(i, special...))
		switch {
		case i < 500:
			s6 = append(s6, "<500")
		case i < 993:
			s6 = append(s6, "<993")
		default:
			s6 = append(s6, ">=994")
		}
	}
	const whole = "[0] [1-3] [4-14] [15] [16] [17] [18-52] [53-54] [55-995] [996-998] [999]"
	testRuns(t, ts, s4, Within("s4", 10).Since(10).Until(976), "[10-14] [15] [16] [17] [18-52] [53-54] [55-975]")
	testRuns(t, ts, s4, Within("s4", 9).Since(0).Until(100000), whole)
	testRuns(t, ts, s4, Within("s4", 102), "[0-2] [3] [4-14] [15] [16] [17] [18-52] [53-54] [55-995] [996-998] [999]")
	testRuns(t, ts, s4, Within("s4", 2).Since(-100).Until(1), "[0]")
	testRuns(t, ts, s5, Same("s5"), whole)
	testRuns(t, ts, s6, Same("s6"), "[0-499] [500-992] [993-999]")
	n := 0
	for w, err := range Cut(ts, s4, Within("s4", 0).Since(2).Until(20000), nil) {
		if want := 1; err != nil || w.Len() != want && w.Start() != 500 {
			t.Errorf("delta 0 at %d: got %d rows, %v, want %d", w.Start(), w.Len(), err, want)
		}
		n++
	}
	if n != 997 {
		t.Errorf("delta 0: got %d windows, want 997", n)
	}
}

func TestAccessCondition(t *testing.T) {
	ts, _ := counting(10)
	vals := []bool{false, true, true, false, true, false, false, true, true, true}
	testRuns(t, ts, vals, While("on"), "[1-2] [4] [7-9]")
	testRuns(t, ts, vals, While("on").Keep(2, 0), "[1-2] [7-9]")
	testRuns(t, ts, vals, While("on").Keep(2, 2), "[1-2]")
	testRuns(t, ts, vals, While("on").Keep(0, 2), "[1-2] [4]")
}

// The documents' window average alerter.
func TestDocumentAverageAlerter(t *testing.T) {
	var alerts []string
	h, err := NewSlidingSize(5, 5, func(w Window[float64]) error {
		sum := 0.0
		for _, v := range w.Values() {
			sum += v
		}
		if avg := sum / float64(w.Len()); avg > 10 {
			alerts = append(alerts, fmt.Sprintf("%d: %v", w.Time(0), avg))
		}
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(10) {
		v := float64(i + 2)
		if i >= 5 {
			v = float64(i + 7)
		}
		if _, err := h.Collect(i+1, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"6: 14"}; !slices.Equal(alerts, want) {
		t.Errorf("got %v, want %v", alerts, want)
	}
}
