package iotsql

import "testing"

// Columns that are not aligned are told apart by their place: names may be the same,
// and a column may be empty.
func TestDisableAlignColumnsByPosition(t *testing.T) {
	c := memory(t, nil)
	answer(t, c, "CREATE TIMESERIES root.p.d.a INT32")
	answer(t, c, "CREATE TIMESERIES root.p.d.n INT32")
	answer(t, c, "INSERT INTO root.p.d(time, b, c) VALUES (1, 10, 7), (2, 20, null)")
	for text, want := range map[string]string{
		"SELECT a AS x, b AS x FROM root.p.d DISABLE ALIGN":                             "Time,x,Time,x|,,1,10.0|,,2,20.0",
		"SELECT a, b, a, c, b FROM root.p.d DISABLE ALIGN":                              "Time,root.p.d.a,Time,root.p.d.b,Time,root.p.d.a,Time,root.p.d.c,Time,root.p.d.b|,,1,10.0,,,1,7.0,1,10.0|,,2,20.0,,,,,2,20.0",
		"SELECT c AS x, n AS x, b AS x FROM root.p.d ORDER BY Time DESC DISABLE ALIGN":  "Time,x,Time,x,Time,x|1,7.0,,,2,20.0|,,,,1,10.0",
		"SELECT c AS x, b AS x FROM root.p.d LIMIT 1 OFFSET 1 DISABLE ALIGN":            "Time,x,Time,x|,,2,20.0",
		"SELECT a AS x, n AS x FROM root.p.d DISABLE ALIGN":                             "Time,x,Time,x",
		"SELECT b AS x, c AS x FROM root.p.d WHERE time > 1 FILL(LINEAR) DISABLE ALIGN": "Time,x,Time,x|2,20.0,,",
	} {
		if got := answer(t, c, text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
