package expr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The encoding: one byte op, one byte flags, then as the flags say the name,
// the constant, the arguments, the attributes and the alias. Numbers are
// unsigned varints, texts a length and bytes. Equal expressions have equal
// encodings.

const (
	hasNot = 1 << iota
	hasName
	hasConst
	hasArgs
	hasAttrs
	hasAlias
)

// Limits on what is decoded, so that damaged bytes cannot exhaust memory.
const (
	maxDepth = 200
	maxNodes = 1 << 16
)

// AppendBinary appends the encoding of e to dst.
func (e Expr) AppendBinary(dst []byte) []byte {
	if e.n == nil {
		return append(dst, byte(OpNone))
	}
	n := e.n
	var flags byte
	if n.not {
		flags |= hasNot
	}
	if n.name != "" {
		flags |= hasName
	}
	if n.value != nil {
		flags |= hasConst
	}
	if len(n.args) > 0 {
		flags |= hasArgs
	}
	if len(n.attrs) > 0 {
		flags |= hasAttrs
	}
	if n.alias != "" {
		flags |= hasAlias
	}
	dst = append(dst, byte(n.op), flags)
	if n.name != "" {
		dst = appendText(dst, n.name)
	}
	if n.value != nil {
		dst = appendConst(dst, n.value)
	}
	if len(n.args) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(n.args)))
		for _, a := range n.args {
			dst = a.AppendBinary(dst)
		}
	}
	if len(n.attrs) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(n.attrs)))
		for _, a := range n.attrs {
			dst = appendText(appendText(dst, a.Key), a.Value)
		}
	}
	if n.alias != "" {
		dst = appendText(dst, n.alias)
	}
	return dst
}

//go:noinline
func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendConst(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, 1, 1)
		}
		return append(dst, 1, 0)
	case int32:
		return binary.LittleEndian.AppendUint32(append(dst, 2), uint32(v))
	case int64:
		return binary.LittleEndian.AppendUint64(append(dst, 3), uint64(v))
	case float32:
		return binary.LittleEndian.AppendUint32(append(dst, 4), math.Float32bits(v))
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, 5), math.Float64bits(v))
	case string:
		return appendText(append(dst, 6), v)
	}
	return append(dst, 0)
}

var errEncoding = errors.New("expression: damaged encoding")

// Decode reads an expression that [Expr.AppendBinary] wrote at the start of
// src and returns what follows it. Damaged bytes give an error.
func Decode(src []byte) (e Expr, rest []byte, err error) {
	d := decoder{src: src}
	e = d.expr(0)
	if d.bad {
		return Expr{}, nil, errEncoding
	}
	return e, d.src, nil
}

type decoder struct {
	src   []byte
	nodes int
	bad   bool
}

func (d *decoder) fail() { d.bad, d.src = true, nil }

//go:noinline
func (d *decoder) byte() byte {
	if len(d.src) == 0 {
		d.fail()
		return 0
	}
	b := d.src[0]
	d.src = d.src[1:]
	return b
}

//go:noinline
func (d *decoder) bytes(n int) []byte {
	if n > len(d.src) {
		d.fail()
		return make([]byte, 8)
	}
	b := d.src[:n]
	d.src = d.src[n:]
	return b
}

// count reads a number of things that take at least one byte each.
func (d *decoder) count() int {
	v, n := binary.Uvarint(d.src)
	if n <= 0 || v > uint64(len(d.src)-n) {
		d.fail()
		return 0
	}
	d.src = d.src[n:]
	return int(v)
}

func (d *decoder) text() string {
	n := d.count()
	if d.bad {
		return ""
	}
	return string(d.bytes(n))
}

func (d *decoder) expr(depth int) Expr {
	op := Op(d.byte())
	if d.bad || op == OpNone {
		return Expr{}
	}
	d.nodes++
	if op >= opMax || depth > maxDepth || d.nodes > maxNodes {
		d.fail()
		return Expr{}
	}
	flags := d.byte()
	n := &node{op: op, not: flags&hasNot != 0}
	if flags&hasName != 0 {
		n.name = d.text()
	}
	if flags&hasConst != 0 {
		n.value = d.constant()
	}
	if flags&hasArgs != 0 {
		for range d.count() {
			n.args = append(n.args, d.expr(depth+1))
			if d.bad {
				return Expr{}
			}
		}
	}
	if flags&hasAttrs != 0 {
		for range d.count() {
			n.attrs = append(n.attrs, Attr{d.text(), d.text()})
			if d.bad {
				return Expr{}
			}
		}
	}
	if flags&hasAlias != 0 {
		n.alias = d.text()
	}
	if err := n.check(); err != nil {
		d.fail()
	}
	return Expr{n}
}

func (d *decoder) constant() any {
	switch d.byte() {
	case 1:
		return d.byte() == 1
	case 2:
		return int32(binary.LittleEndian.Uint32(d.bytes(4)))
	case 3:
		return int64(binary.LittleEndian.Uint64(d.bytes(8)))
	case 4:
		return math.Float32frombits(binary.LittleEndian.Uint32(d.bytes(4)))
	case 5:
		return math.Float64frombits(binary.LittleEndian.Uint64(d.bytes(8)))
	case 6:
		return d.text()
	}
	d.fail()
	return nil
}

// check refuses shapes that no constructor makes, which the printer and the
// planner rely on.
func (n *node) check() error {
	lo, hi := 0, 0
	switch n.op {
	case OpNeg, OpNot, OpLike, OpRegexp, OpIsNull, OpCast:
		lo, hi = 1, 1
	case OpAdd, OpSub, OpMul, OpDiv, OpMod, OpEq, OpNe, OpLt, OpLe, OpGt, OpGe, OpAnd, OpOr:
		lo, hi = 2, 2
	case OpBetween:
		lo, hi = 3, 3
	case OpIn:
		lo, hi = 1, maxNodes
	case OpCase, OpCall:
		lo, hi = 0, maxNodes
	}
	if len(n.args) < lo || len(n.args) > hi {
		return fmt.Errorf("operation %d with %d arguments", n.op, len(n.args))
	}
	for _, a := range n.args {
		if a.IsZero() {
			return errEncoding
		}
	}
	return nil
}
