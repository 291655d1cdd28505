package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tickwell/tickwell/internal/errs"
)

// Limits of a path and of a pattern as text.
const (
	MaxPathBytes = 4096
	MaxNodes     = 64
	MaxNodeBytes = 255 // of a node without its quotes
)

// Lost is the device of series whose names damage has taken, the only one whose path
// does not begin with root in SQL: who asks for root.** does not get them.
const Lost = "lost_and_found"

// Canonical checks a concrete path and returns the form in which the store
// keeps it: nodes quoted only where they need it. A node may be given unquoted
// unless it holds a dot, a backquote, an asterisk, a blank or a control
// character, so "plant-1.line 2" fails and "plant-1.`line 2`" becomes
// "`plant-1`.`line 2`". A leading "root." is not required. Errors wrap
// [errs.BadInput]. A path that is canonical already is returned as it is,
// without an allocation.
func Canonical(path string) (string, error) {
	if len(path) > MaxPathBytes {
		return "", badPath(path, fmt.Sprintf("longer than %d bytes", MaxPathBytes))
	}
	same := true
	count := 0
	for rest, more := path, true; more; {
		var text string
		text, rest, more = cut(rest)
		count++
		if count > MaxNodes {
			return "", badPath(path, fmt.Sprintf("more than %d nodes", MaxNodes))
		}
		raw, cause := parseNode(text)
		if cause == "" && !quoted(text) && strings.IndexByte(raw, '*') >= 0 {
			cause = "is a wildcard, which a concrete path cannot hold"
		}
		if cause != "" {
			return "", badNode(path, count, cause)
		}
		same = same && quoted(text) == needsQuotes(raw)
	}
	if same {
		return path, nil
	}
	canonical := join(Nodes(path))
	if len(canonical) > MaxPathBytes {
		return "", badPath(path, fmt.Sprintf("longer than %d bytes with its quotes", MaxPathBytes))
	}
	return canonical, nil
}

// CanonicalNode is [Canonical] for a single node, such as a measurement.
func CanonicalNode(node string) (string, error) {
	c, err := Canonical(node)
	if err != nil {
		return "", err
	}
	if _, _, more := cut(c); more {
		return "", fmt.Errorf("path node %q: has a dot outside backquotes: %w", Shorten(node, 80), errs.BadInput)
	}
	return c, nil
}

// CheckPath reports whether [Canonical] accepts the path: no wildcards, no
// empty node, quotes that close.
func CheckPath(path string) error {
	_, err := Canonical(path)
	return err
}

// CheckSeries is [CheckPath] of what [Join] makes of a device and a measurement.
// Short ones are not joined for it.
func CheckSeries(device, measurement string) error {
	if len(device)+len(measurement) < MaxPathBytes/4 && device != "" {
		nodes := strings.Count(device, ".") + strings.Count(measurement, ".") + 2 // at most
		if nodes <= MaxNodes && CheckPath(device) == nil && CheckPath(measurement) == nil {
			return nil
		}
	}
	return CheckPath(Join(device, measurement))
}

// Split cuts a path before its last node. The device is empty when the path is
// one node. Both are parts of path, with the quotes they have in it.
func Split(path string) (device, measurement string) {
	last := -1
	for at, rest, more := 0, path, true; more; {
		var text string
		text, rest, more = cut(rest)
		if more {
			at += len(text) + 1
			last = at
		}
	}
	if last < 0 {
		return "", path
	}
	return path[:last-1], path[last:]
}

// Join returns the path of a measurement of a device, both canonical.
func Join(device, measurement string) string {
	if device == "" {
		return measurement
	}
	return device + "." + measurement
}

// Nodes returns the names of the path's nodes, without quotes.
func Nodes(path string) []string {
	nodes := make([]string, 0, strings.Count(path, ".")+1)
	for rest, more := path, true; more; {
		var text string
		text, rest, more = cut(rest)
		nodes = append(nodes, unquote(text))
	}
	return nodes
}

// Quote returns a node's name as it stands in a canonical path: in backquotes
// if it needs them.
func Quote(node string) string {
	if !needsQuotes(node) {
		return node
	}
	return "`" + strings.ReplaceAll(node, "`", "``") + "`"
}

func join(nodes []string) string {
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(Quote(n))
	}
	return b.String()
}

func badPath(path, cause string) error {
	return fmt.Errorf("path %q: %s: %w", Shorten(path, 80), cause, errs.BadInput)
}

func badNode(path string, n int, cause string) error {
	return fmt.Errorf("path %q: node %d %s: %w", Shorten(path, 80), n, cause, errs.BadInput)
}

// Shorten keeps error texts readable: of a longer s it returns about keep bytes.
func Shorten(s string, keep int) string {
	if len(s) <= keep {
		return s
	}
	end := keep
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
