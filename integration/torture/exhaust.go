package torture

import (
	"fmt"

	"github.com/tickwell/tickwell/integration/oracle"
)

// alphabet is the calls whose sequences Exhaust makes. Inserts make new values
// each time, so that an overwrite can be told from a repeat.
var alphabet = []struct {
	name string
	make func(n int64) oracle.Call
}{
	{"row", func(n int64) oracle.Call {
		return oracle.Call{Verb: oracle.Insert, Via: viaRow, Tablets: []oracle.Tablet{ints(oracle.Guarded, n, n)}}
	}},
	{"group", func(n int64) oracle.Call { // fires both triggers
		return oracle.Call{Verb: oracle.Insert, Tablets: []oracle.Tablet{ints(oracle.Guarded, n, n, n+1), ints(oracle.Tallied, 2, n)}}
	}},
	{"old", func(n int64) oracle.Call { // the same row each time
		return oracle.Call{Verb: oracle.Insert, Via: viaTablet, Tablets: []oracle.Tablet{ints("root.c", 0, n)}}
	}},
	{"long", func(n int64) oracle.Call { // more than a segment of the log
		t := ints("root.c", 0)
		for i := range int64(20) {
			t.Times = append(t.Times, oracle.Base-i*step)
			t.Columns[0].Cells = append(t.Columns[0].Cells, oracle.TextCell(fmt.Sprint(mixed(n*100+i), mixed(n*77+i), mixed(n+i), mixed(n^i), mixed(n*i))))
		}
		t.Columns[0].Name, t.Columns[0].Kind = "t", oracle.Text
		return oracle.Call{Verb: oracle.Insert, Tablets: []oracle.Tablet{t}}
	}},
	{"delete", func(int64) oracle.Call {
		return oracle.Call{Verb: oracle.Delete, Pattern: oracle.Guarded + ".*", From: oracle.Base, To: oracle.Base + 2*step}
	}},
	{"drop", func(int64) oracle.Call { return oracle.Call{Verb: oracle.Drop, Pattern: "root.c.**"} }},
	{"flush", func(int64) oracle.Call { return oracle.Call{Verb: oracle.Flush} }},
	{"reopen", func(int64) oracle.Call { return oracle.Call{Verb: oracle.Reopen} }},
	{"tick", func(int64) oracle.Call { return oracle.Call{Verb: oracle.Tick} }},
}

// ints is a tablet of column i with values v at times from number at on.
func ints(device string, at int64, v ...int64) oracle.Tablet {
	t := oracle.Tablet{Device: device, Columns: []oracle.Column{{Name: "i", Kind: oracle.Int64}}}
	for k := range v {
		t.Times = append(t.Times, oracle.Base+(at%4+int64(k))*step)
		t.Columns[0].Cells = append(t.Columns[0].Cells, oracle.IntCell(v[k]))
	}
	return t
}

// mixed is a number that does not compress.
func mixed(n int64) uint64 {
	z := uint64(n)*0x9e3779b97f4a7c15 + 0x632be59bd9b4e019
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	return z ^ z>>27
}

// Exhaust makes all sequences of up to Length calls and cuts the power after
// every operation of the file system in every manner. What came before the last
// call was cut by the shorter sequence.
func Exhaust(o Options) *Report {
	r := newReport("exhaust", o.Seed)
	r.Counts["length"] = int64(o.Length)
	var seq []int
	var all func()
	all = func() {
		for i := range alphabet {
			if o.over(r) {
				r.Counts["cut_short"] = 1
				return
			}
			seq = append(seq, i)
			exhaustOne(&o, r, seq, 2)
			if len(seq) < o.Length {
				all()
			}
			seq = seq[:len(seq)-1]
		}
	}
	bareRun(&o, r)
	all()
	return r.done()
}

func exhaustOne(o *Options, r *Report, seq []int, seeds int) {
	setup := Setup{Recycle: o.Seed%2 == 0}
	for p := range policies {
		if p.String() == o.Policy {
			setup.Policy = p
		}
	}
	calls, name := list(seq), ""
	for _, i := range seq {
		name += " " + alphabet[i].name
	}
	r.Runs++
	r.Acked += int64(len(calls))
	run, from, v := begin(calls, setup, o)
	where := "a call"
	if v.Class == Fine {
		s := &sweep{run: run, from: from, seeds: seeds, deep: 5, report: r}
		cut, bad := s.check()
		v, where = bad, cut.String()
	}
	if v.Class != Fine {
		r.fail(Failure{Verdict: v, Seed: o.Seed, Where: where, Setup: setup, Calls: calls,
			Repeat: fmt.Sprintf("exhaust -length %d -seed %d (sequence%s)", len(seq), o.Seed, name)})
	}
}

// begin makes the calls and returns the operation that the last began after; of
// a single call it is the first of all.
func begin(calls []oracle.Call, setup Setup, o *Options) (*Run, int, Verdict) {
	run, v := replay(calls, setup, o.wrap, o.prepare)
	from := 0
	if len(calls) > 1 && v.Class == Fine {
		from = run.hist.Ended(len(calls) - 1)
	}
	return run, from, v
}
