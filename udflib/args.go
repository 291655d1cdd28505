package udflib

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
)

// args reads and checks a call. The first thing wrong stays in err; the getters
// after it give defaults. done also refuses attributes that nobody asked for.
type args struct {
	in    *tickwell.UDFInput
	err   error
	known []string
}

// numbers are the kinds of a numeric input.
var numbers = []tickwell.Kind{tickwell.KindInt32, tickwell.KindInt64, tickwell.KindFloat32, tickwell.KindFloat64}

// read begins with the number of inputs, which must be numeric.
func read(in *tickwell.UDFInput, inputs int) *args { return readBetween(in, inputs, inputs) }

func readBetween(in *tickwell.UDFInput, lo, hi int) *args {
	a := readAny(in, lo, hi)
	for i := range in.Inputs {
		if a.err == nil {
			a.err = in.RequireKind(i, numbers...)
		}
	}
	return a
}

// readAny begins with the number of inputs of any kind.
func readAny(in *tickwell.UDFInput, lo, hi int) *args {
	a := &args{in: in}
	if lo == hi {
		a.err = in.RequireInputs(lo)
	} else {
		a.err = in.RequireInputsBetween(lo, hi)
	}
	return a
}

func (a *args) fail(key, value, want string) {
	if a.err == nil {
		a.err = fmt.Errorf("attribute %q: %q is not %s: %w", key, value, want, tickwell.ErrBadInput)
	}
}

// require is a rule over several attributes.
func (a *args) require(ok bool, message string) {
	if a.err == nil {
		a.err = a.in.Require(ok, message)
	}
}

// text returns the value of key, after a note that key is known.
func (a *args) text(key string) (string, bool) {
	a.known = append(a.known, key)
	v, ok := a.in.Params[key]
	return strings.TrimSpace(v), ok
}

func (a *args) has(key string) bool {
	_, ok := a.text(key)
	return ok
}

// need makes key obligatory.
func (a *args) need(key string) {
	if !a.has(key) && a.err == nil {
		a.err = a.in.RequireAttribute(key)
	}
}

// integer reads an integer in [lo, hi].
func (a *args) integer(key string, def, lo, hi int) int {
	text, ok := a.text(key)
	if !ok {
		return def
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < lo || v > hi {
		want := fmt.Sprintf("an integer in [%d, %d]", lo, hi)
		if hi == math.MaxInt32 {
			want = fmt.Sprintf("an integer of at least %d", lo)
		}
		a.fail(key, text, want)
		return def
	}
	return v
}

// number reads a finite number for which ok holds; want says which those are.
func (a *args) number(key string, def float64, ok func(float64) bool, want string) float64 {
	text, given := a.text(key)
	if !given {
		return def
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || !ok(v) {
		a.fail(key, text, want)
		return def
	}
	return v
}

func anyNumber(float64) bool { return true }

// finite reads any finite number.
func (a *args) finite(key string, def float64) float64 {
	return a.number(key, def, anyNumber, "a finite number")
}

// oneOf reads one of several words, in any letter case; the first is the
// default.
func (a *args) oneOf(key string, words ...string) string {
	text, ok := a.text(key)
	if !ok {
		return words[0]
	}
	for _, w := range words {
		if strings.EqualFold(w, text) {
			return w
		}
	}
	a.fail(key, text, "one of "+strings.Join(words, ", "))
	return words[0]
}

func (a *args) boolean(key string, def bool) bool {
	words := []string{"false", "true"}
	if def {
		words = []string{"true", "false"}
	}
	return a.oneOf(key, words...) == "true"
}

// units are those of the documents.
var units = []struct {
	name string
	d    time.Duration
}{
	{"ns", time.Nanosecond}, {"us", time.Microsecond}, {"ms", time.Millisecond},
	{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour},
}

// parseDuration reads a positive number with a unit.
func parseDuration(text string) (time.Duration, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	for _, u := range units {
		if err == nil && strings.EqualFold(text[len(digits):], u.name) {
			if d := n * float64(u.d); d >= 1 && d < math.MaxInt64 {
				return time.Duration(d), nil
			}
		}
	}
	return 0, errors.New("no duration")
}

const wantDuration = "a positive number with a unit of ms, s, m, h or d"

// duration reads a positive duration.
func (a *args) duration(key string, def time.Duration) time.Duration {
	text, ok := a.text(key)
	if !ok {
		return def
	}
	d, err := parseDuration(text)
	if err != nil {
		a.fail(key, text, wantDuration)
		return def
	}
	return d
}

// instant reads a time as yyyy-MM-dd HH:mm:ss in UTC, or as RFC 3339.
func (a *args) instant(key string) (unixNano int64, given bool) {
	text, ok := a.text(key)
	if !ok {
		return 0, false
	}
	for _, layout := range []string{time.DateTime, time.RFC3339Nano} {
		t, err := time.Parse(layout, text)
		if err == nil && t.Year() > 1677 && t.Year() < 2262 {
			return t.UnixNano(), true
		}
	}
	a.fail(key, text, "a time as yyyy-MM-dd HH:mm:ss")
	return 0, false
}

// window reads a number of points or a duration. Neither is set without it.
func (a *args) window(key string) (points int, span time.Duration) {
	text, ok := a.text(key)
	if !ok {
		return 0, 0
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= math.MaxInt32 {
		return n, 0
	}
	d, err := parseDuration(text)
	if err != nil {
		a.fail(key, text, "a positive number of points, or "+wantDuration)
	}
	return 0, d
}

// done returns what is wrong with the call.
func (a *args) done() error {
	if a.err != nil {
		return a.err
	}
	for key := range a.in.Params {
		if !slices.Contains(a.known, key) {
			return fmt.Errorf("attribute %q is not known; those known are [%s]: %w",
				key, strings.Join(slices.Compact(slices.Sorted(slices.Values(a.known))), ", "), tickwell.ErrBadInput)
		}
	}
	return nil
}
