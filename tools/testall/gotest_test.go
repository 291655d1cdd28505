package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// stream is what go test -json prints for one package that passes, one with a
// failing and a skipped test, and one that does not compile.
const stream = `{"ImportPath":"m/c [m/c.test]","Action":"build-output","Output":"c/c_test.go:3:1: syntax error\n"}
{"ImportPath":"m/c [m/c.test]","Action":"build-fail"}
{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestOne"}
{"Action":"output","Package":"m/a","Test":"TestOne","Output":"=== RUN   TestOne\n"}
{"Action":"pass","Package":"m/a","Test":"TestOne","Elapsed":0}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.002s\n"}
{"Action":"pass","Package":"m/a","Elapsed":0.002}
{"Action":"run","Package":"m/b","Test":"TestBad"}
{"Action":"run","Package":"m/b","Test":"TestBad/deep"}
{"Action":"output","Package":"m/b","Test":"TestBad/deep","Output":"    b_test.go:9: got 1, want 2\n"}
{"Action":"fail","Package":"m/b","Test":"TestBad/deep","Elapsed":0}
{"Action":"fail","Package":"m/b","Test":"TestBad","Elapsed":0}
{"Action":"output","Package":"m/b","Test":"TestNeeds","Output":"    b_test.go:12: needs a broker\n"}
{"Action":"output","Package":"m/b","Test":"TestNeeds","Output":"--- SKIP: TestNeeds (0.00s)\n"}
{"Action":"skip","Package":"m/b","Test":"TestNeeds","Elapsed":0}
{"Action":"output","Package":"m/b","Test":"TestKit/opens","Output":"    sinkkit.go:7: has no Open\n"}
{"Action":"skip","Package":"m/b","Test":"TestKit/opens","Elapsed":0}
{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.003s\n"}
{"Action":"fail","Package":"m/b","Elapsed":0.003}
go: a complaint that is no event
`

func TestEvents(t *testing.T) {
	got := newTests()
	var out, raw bytes.Buffer
	if err := got.read(strings.NewReader(stream), &out, &raw); err != nil {
		t.Fatal(err)
	}
	if want := "ok  \tm/a\t0.002s\nFAIL\tm/b\t0.003s\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	if raw.String() != stream {
		t.Error("the raw stream was changed")
	}
	if want := "5 tests in 2 packages, 2 failed, 2 skipped"; got.note() != want {
		t.Errorf("note %q, want %q", got.note(), want)
	}
	for _, want := range []string{"syntax error", "got 1, want 2", "FAIL\tm/b", "no event"} {
		if !strings.Contains(got.failures(), want) {
			t.Errorf("failures lack %q:\n%s", want, got.failures())
		}
	}
	if list, want := got.skipped(), []skippedTest{{"m/b TestNeeds", "needs a broker"}, {"m/b TestKit/opens", "has no Open"}}; !slices.Equal(list, want) {
		t.Errorf("skipped %v, want %v", list, want)
	}
	if list := got.bad(); len(list) != 1 || list[0] != "m/b" {
		t.Errorf("bad packages %q, want m/b", list)
	}
}

func TestNotes(t *testing.T) {
	got := newTests()
	in := `{"Action":"output","Package":"m/a","Test":"TestSize","Output":"    size_test.go:9: note: adds 2.1 MB\n"}
{"Action":"output","Package":"m/a","Test":"TestSize","Output":"    size_test.go:10: more\n"}
{"Action":"pass","Package":"m/a","Test":"TestSize"}
`
	if err := got.read(strings.NewReader(in), io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if want := "adds 2.1 MB"; got.note() != want {
		t.Errorf("note %q, want %q", got.note(), want)
	}
}

func TestUnfinishedTestsAreReported(t *testing.T) {
	got := newTests()
	in := `{"Action":"output","Package":"m/a","Test":"TestHang","Output":"waiting\n"}` + "\n"
	if err := got.read(strings.NewReader(in), io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	got.unfinished()
	if want := "not finished: m/a TestHang\nwaiting\n"; got.failures() != want {
		t.Errorf("got %q, want %q", got.failures(), want)
	}
}
