package pattern

import (
	"fmt"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// Pattern is a parsed pattern: a path in which * stands for any one node, **
// for one or more nodes, and an asterisk inside a node (d*, *x, a*b) for any
// characters, also none. Quoted nodes are literal. A Pattern does not change
// and is safe for concurrent use.
type Pattern struct {
	text    string
	prefix  string
	nodes   []node
	literal bool
}

type nodeKind uint8

const (
	literalNode nodeKind = iota
	oneNode              // *
	deepNode             // **
	globNode             // an asterisk among other characters
)

type node struct {
	kind nodeKind
	text string   // of a literal: its content
	glob []string // what stands between the asterisks, at least two pieces
}

// Parse reads a pattern. Errors wrap [errs.BadInput].
func Parse(s string) (*Pattern, error) {
	if len(s) > MaxPathBytes {
		return nil, badPattern(s, fmt.Sprintf("longer than %d bytes", MaxPathBytes))
	}
	p := &Pattern{literal: true, nodes: make([]node, 0, min(strings.Count(s, ".")+1, MaxNodes))}
	canonical := make([]byte, 0, 128)
	prefix := 0
	for rest, more := s, true; more; {
		var text string
		text, rest, more = cut(rest)
		if len(p.nodes) == MaxNodes {
			return nil, badPattern(s, fmt.Sprintf("more than %d nodes", MaxNodes))
		}
		n, written, cause := parsePatternNode(text)
		if cause != "" {
			return nil, badPattern(s, fmt.Sprintf("node %d %s", len(p.nodes)+1, cause))
		}
		p.nodes = append(p.nodes, n)
		if len(canonical) > 0 {
			canonical = append(canonical, '.')
		}
		canonical = append(canonical, written...)
		if p.literal = p.literal && n.kind == literalNode; p.literal {
			prefix = len(canonical)
		}
	}
	if p.text = s; string(canonical) != s {
		p.text = string(canonical)
	}
	p.prefix = p.text[:prefix]
	if len(p.text) > MaxPathBytes {
		return nil, badPattern(s, fmt.Sprintf("longer than %d bytes with its quotes", MaxPathBytes))
	}
	return p, nil
}

// parsePatternNode returns a node and how it is written canonically.
func parsePatternNode(text string) (n node, written, cause string) {
	switch text {
	case "*":
		return node{kind: oneNode}, text, ""
	case "**":
		return node{kind: deepNode}, text, ""
	}
	raw, cause := parseNode(text)
	switch {
	case cause != "":
		return node{}, "", cause
	case quoted(text) || strings.IndexByte(raw, '*') < 0:
		written = Quote(raw)
		return node{kind: literalNode, text: content(written)}, written, ""
	case strings.Contains(raw, "**"):
		return node{}, "", "has ** among other characters; ** stands alone"
	}
	return node{kind: globNode, glob: strings.Split(raw, "*")}, text, ""
}

func badPattern(s, cause string) error {
	return fmt.Errorf("pattern %q: %s: %w", Shorten(s, 80), cause, errs.BadInput)
}

// String returns the pattern in canonical form; parsing it gives an equal one.
func (p *Pattern) String() string { return p.text }

// Literal reports whether the pattern has no wildcard, so that it matches the
// path String returns and no other.
func (p *Pattern) Literal() bool { return p.literal }

// Prefix returns the leading nodes before the first one with a wildcard, as a
// canonical path. Every path that matches is the prefix itself (only if the
// pattern is Literal) or starts with the prefix and a dot. It is empty when the
// first node has a wildcard.
func (p *Pattern) Prefix() string { return p.prefix }

// Match reports whether the pattern matches the whole canonical path.
func (p *Pattern) Match(path string) bool {
	return p.match(cursor{device: path, left: path != ""})
}

// MatchParts reports whether the pattern matches the path of a measurement of a
// device. The measurement is one canonical node; the device may be empty. It
// does not allocate.
func (p *Pattern) MatchParts(device, measurement string) bool {
	last := &p.nodes[len(p.nodes)-1]
	if last.kind == literalNode && last.text != content(measurement) {
		return false // most patterns name their measurement
	}
	return p.match(cursor{device: device, left: device != "", measurement: measurement, last: true})
}

// cursor walks over the nodes of a device and then its measurement.
type cursor struct {
	device      string // what is left of it
	left        bool   // whether a node is left in device
	last        bool   // whether measurement is still to come
	measurement string
}

func (c *cursor) next() (node string, ok bool) {
	if c.left {
		var text string
		text, c.device, c.left = cut(c.device)
		return content(text), true
	}
	if c.last {
		c.last = false
		return content(c.measurement), true
	}
	return "", false
}

// match is wildcard matching with one place to go back to: when a node does
// not fit, the latest ** takes one node more. An earlier ** never has to,
// because whatever it could take the latest one can take as well.
func (p *Pattern) match(c cursor) bool {
	at, deep := 0, -1
	var back cursor // behind the nodes that the latest ** has taken
	for {
		n, ok := c.next()
		if !ok {
			return at == len(p.nodes)
		}
		if at < len(p.nodes) {
			if p.nodes[at].kind == deepNode {
				deep, back = at, c
				at++
				continue
			}
			if p.nodes[at].match(n) {
				at++
				continue
			}
		}
		if deep < 0 {
			return false
		}
		if _, ok := back.next(); !ok {
			return false
		}
		c, at = back, deep+1
	}
}

func (n *node) match(content string) bool {
	switch n.kind {
	case literalNode:
		return n.text == content
	case globNode:
		return matchGlob(n.glob, content)
	}
	return true
}

// matchGlob reports whether s is the pieces in this order with anything
// between them.
func matchGlob(pieces []string, s string) bool {
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return true
}
