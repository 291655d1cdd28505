package iotsql

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

// Wildcards in a condition stand for one condition for each choice of series. As
// many as there may be need memory for themselves, not for each other.
func TestManyConditionsOfWildcards(t *testing.T) {
	c := memory(t, nil)
	device := func(i int) {
		answer(t, c, fmt.Sprintf("INSERT INTO root.w.d%d(time, a, b, c) VALUES (1, %d, 2, 3), (2, 0, 0, 0)", i, i))
	}
	for i := range 12 {
		device(i)
	}
	for text, want := range map[string]string{ // of 12 * 12 * 12 conditions
		"SELECT count(a) FROM root.w.d1, root.w.d2 HAVING sum(root.w.*.a) + sum(root.w.*.b) + sum(root.w.*.c) >= 5": "2,2",
		"SELECT count(a) FROM root.w.d1, root.w.d2 HAVING sum(root.w.*.a) + sum(root.w.*.b) + sum(root.w.*.c) >= 6": "",
		"SELECT a FROM root.w.d1, root.w.d2 WHERE root.w.*.a + root.w.*.b + root.w.*.c >= 5":                        "1,1.0,2.0",
		"SELECT a FROM root.w.d1, root.w.d2 WHERE root.w.*.a + root.w.*.b + root.w.*.c >= 6":                        "",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := answer(t, c, text)
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 150 {
			t.Errorf("%s took %d MiB", text, n)
		}
		if _, rows, _ := strings.Cut(got, "|"); rows != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for i := range 20 {
		device(i)
	}
	_, err := c.Exec(t.Context(), "SELECT a FROM root.w.d1 WHERE root.w.*.a + root.w.*.b + root.w.*.c >= 5")
	if !errors.Is(err, tickwell.ErrLimit) || !strings.Contains(fmt.Sprint(err), "8000 conditions") {
		t.Errorf("8000 conditions: %v", err)
	}
	_, err = c.Exec(t.Context(), "SELECT a FROM root.w.* WHERE a IN ("+strings.Repeat("7,", 20000)+"7)")
	if !errors.Is(err, tickwell.ErrLimit) || len(err.Error()) > 1000 {
		t.Errorf("20 long lists: %.1000v", err)
	}
}
