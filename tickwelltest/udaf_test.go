package tickwelltest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

// mean is a UDAF with every optional method; bug plants a mistake.
type mean struct {
	bug  string
	n    int64
	nans int64
	sum  float64
}

func (m *mean) BeforeStart(*tickwell.UDFInput) (tickwell.Kind, error) {
	return tickwell.KindFloat64, nil
}

func (m *mean) Reset() {
	bug := m.bug
	n := m.n
	*m = mean{bug: bug}
	if bug == "reset" {
		m.n = n
	}
}

func (m *mean) change(row tickwell.Row, by int64) {
	v := row.Float64(0)
	if math.IsNaN(v) && m.bug != "nan remove" {
		m.nans += by
		return
	}
	m.n += by
	m.sum += float64(by) * v
}

func (m *mean) Add(row tickwell.Row) error {
	m.change(row, 1)
	return nil
}

func (m *mean) Remove(row tickwell.Row) error {
	if m.bug == "remove" && m.n > 3 {
		return nil
	}
	m.change(row, -1)
	return nil
}

func (m *mean) Merge(other tickwell.UDAF) error {
	o := other.(*mean)
	switch m.bug {
	case "merge":
		m.sum = (m.sum + o.sum) / 2 // not associative
		m.n += o.n
		return nil
	case "merge empty":
		if o.n == 0 {
			m.Reset()
			return nil
		}
	case "merge steals":
		defer o.Reset()
	}
	m.n, m.nans, m.sum = m.n+o.n, m.nans+o.nans, m.sum+o.sum
	return nil
}

func (m *mean) Result() (tickwell.Value, error) {
	if m.bug == "result" {
		m.sum++
	}
	if m.bug == "empty" && m.n == 0 {
		return tickwell.Value{}, errors.New("no rows")
	}
	if m.n == 0 {
		return tickwell.Value{}, nil
	}
	return tickwell.Float64Value(m.sum / float64(m.n)), nil
}

func (m *mean) AppendState(dst []byte) []byte {
	if m.bug == "state" {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(int64(m.sum))) // loses the fraction
	} else {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(m.sum))
	}
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, uint64(m.n)), uint64(m.nans))
}

func (m *mean) SetState(b []byte) error {
	if m.bug != "state panics" && len(b) != 24 {
		return fmt.Errorf("%d bytes", len(b))
	}
	bits := binary.LittleEndian.Uint64(b)
	m.sum = math.Float64frombits(bits)
	if m.bug == "state" {
		m.sum = float64(int64(bits))
	}
	if m.bug == "state adds" {
		m.n += int64(binary.LittleEndian.Uint64(b[8:]))
		return nil
	}
	m.n, m.nans = int64(binary.LittleEndian.Uint64(b[8:])), int64(binary.LittleEndian.Uint64(b[16:]))
	return nil
}

// complaints is a testing.TB that keeps what it is told.
type complaints struct {
	testing.TB
	lines []string
}

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

// A right function passes, and every planted bug is found under its law.
func TestCheckUDAF(t *testing.T) {
	in := tickwell.UDFInput{Function: "mean", Inputs: []tickwell.ColumnInfo{{Name: "root.d.s", Kind: tickwell.KindFloat64}}}
	CheckUDAF(t, func() tickwell.UDAF { return &mean{} }, in)
	for bug, law := range map[string]string{
		"reset": "Reset:", "result": "Result:", "empty": "Result:", "merge": "Merge:", "merge empty": "Merge with an empty group:",
		"merge steals": "Merge leaves the other group:", "remove": "Remove:", "nan remove": "Remove:", "state": "State:",
		"state adds": "State:", "state panics": "State:",
	} {
		c := &complaints{TB: t}
		CheckUDAF(c, func() tickwell.UDAF { return &mean{bug: bug} }, in)
		found := false
		for _, l := range c.lines {
			found = found || strings.HasPrefix(l, law)
		}
		if !found {
			t.Errorf("bug %q: not found under %q: %q", bug, law, c.lines)
		}
	}
}
