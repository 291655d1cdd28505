package exec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/errs"
)

// holds reports whether a group of n rows is kept.
func (k Keep) holds(n int64) bool {
	if k.Op == expr.OpNone {
		return true
	}
	c := 0
	if n < k.N {
		c = -1
	} else if n > k.N {
		c = 1
	}
	return holds(k.Op, c)
}

// ParseKeep reads a condition such as ">=3"; a bare number means ">=".
func ParseKeep(s string) (Keep, error) {
	text := strings.TrimSpace(s)
	op := expr.OpGe
	for _, o := range []struct {
		text string
		op   expr.Op
	}{{">=", expr.OpGe}, {"<=", expr.OpLe}, {"!=", expr.OpNe}, {"<>", expr.OpNe}, {"==", expr.OpEq}, {"=", expr.OpEq}, {">", expr.OpGt}, {"<", expr.OpLt}} {
		if rest, ok := strings.CutPrefix(text, o.text); ok {
			text, op = strings.TrimSpace(rest), o.op
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return Keep{}, fmt.Errorf("keep condition %q is no comparison with a number: %w", s, errs.BadInput)
	}
	return Keep{op, n}, nil
}
