package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
)

func unixNano(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// nanos returns Unix nanoseconds, if an int64 can hold them.
func nanos(t time.Time) (int64, error) {
	if ns := t.UnixNano(); unixNano(ns).Equal(t) {
		return ns, nil
	}
	return 0, fmt.Errorf("time %s is out of range: %w", t, tickwell.ErrBadInput)
}

func integer(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// unitOf returns the nanoseconds of a precision: s, ms, us or ns.
func unitOf(precision string) (int64, error) {
	switch precision {
	case "s":
		return 1e9, nil
	case "ms":
		return 1e6, nil
	case "us":
		return 1e3, nil
	case "ns":
		return 1, nil
	}
	return 0, wrongf("-precision is ms, us, ns or s, not %q", precision)
}
