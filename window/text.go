package window

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// String is the text form of s, such as
//
//	size(10, step 5)
//	time(1m0s, step 10s, anchor 2026-01-01T00:00:00Z)
//	calendar(1 month, zone "Europe/Berlin")
//	session(30s, max 5m0s, begin 2026-01-01T00:00:00Z)
//	state("temperature", delta 0.5)
//	condition("running", keep 3)
//
// [ParseSpec] reads it back to the same value.
func (s Spec) String() string {
	var b strings.Builder
	b.WriteString(s.Kind.String())
	b.WriteByte('(')
	switch s.Kind {
	case Size:
		fmt.Fprintf(&b, "%d", s.Rows)
		if s.Stride != s.Rows {
			fmt.Fprintf(&b, ", step %d", s.Stride)
		}
	case Time:
		b.WriteString(s.Interval.String())
		if s.Step != s.Interval {
			fmt.Fprintf(&b, ", step %s", s.Step)
		}
	case Calendar:
		fmt.Fprintf(&b, "%d %s", s.Units, s.Unit)
		if s.UnitStep != s.Units {
			fmt.Fprintf(&b, ", step %d", s.UnitStep)
		}
		if s.Zone != "" {
			fmt.Fprintf(&b, ", zone %s", strconv.Quote(s.Zone))
		}
	case Session:
		b.WriteString(s.Gap.String())
		if s.MaxSpan != 0 {
			fmt.Fprintf(&b, ", max %s", s.MaxSpan)
		}
	case State:
		b.WriteString(strconv.Quote(s.Column))
		if s.Delta != 0 {
			fmt.Fprintf(&b, ", delta %s", strconv.FormatFloat(s.Delta, 'g', -1, 64))
		}
	case Condition:
		b.WriteString(strconv.Quote(s.Column))
		if s.MinRows != 0 {
			fmt.Fprintf(&b, ", keep %d", s.MinRows)
		}
		if s.MaxRows != 0 {
			fmt.Fprintf(&b, ", most %d", s.MaxRows)
		}
	}
	switch s.Anchor {
	case FirstPoint:
		b.WriteString(", anchor first")
	case Instant:
		b.WriteString(", anchor " + instant(s.Origin))
	}
	if s.HasBegin {
		b.WriteString(", begin " + instant(s.Begin))
	}
	if s.HasEnd {
		b.WriteString(", end " + instant(s.End))
	}
	b.WriteByte(')')
	return b.String()
}

func instant(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }

// ParseSpec reads the text form of a [Spec] and validates it. Instants may be
// written as RFC 3339 or as a plain number.
func ParseSpec(text string) (Spec, error) {
	s, err := parseSpec(text)
	if err != nil {
		return Spec{}, fmt.Errorf("window: parse %.80q: %w", text, err)
	}
	if err := s.Validate(); err != nil {
		return Spec{}, err
	}
	return s, nil
}

func parseSpec(text string) (s Spec, err error) {
	name, rest, ok := strings.Cut(strings.TrimSpace(text), "(")
	if !ok || !strings.HasSuffix(rest, ")") {
		return s, fmt.Errorf("want kind(…)")
	}
	for k, n := range kindNames {
		if n == strings.TrimSpace(name) && k > 0 {
			s.Kind = Kind(k)
		}
	}
	args, err := splitArgs(strings.TrimSuffix(rest, ")"))
	if err != nil {
		return s, err
	}
	if err := s.parseHead(args[0]); err != nil {
		return s, err
	}
	seen := map[string]bool{}
	for _, a := range args[1:] {
		key, val, _ := strings.Cut(a, " ")
		if seen[key] {
			return s, fmt.Errorf("%q is given twice", key)
		}
		seen[key] = true
		if err := s.parseArg(key, strings.TrimSpace(val)); err != nil {
			return s, err
		}
	}
	return s, nil
}

// splitArgs cuts at commas outside double quotes.
func splitArgs(list string) (args []string, err error) {
	for {
		list = strings.TrimSpace(list)
		i := 0
		for i < len(list) && list[i] != ',' {
			if list[i] == '"' {
				q, err := strconv.QuotedPrefix(list[i:])
				if err != nil {
					return nil, err
				}
				i += len(q)
				continue
			}
			i++
		}
		args = append(args, strings.TrimSpace(list[:i]))
		if i == len(list) {
			return args, nil
		}
		list = list[i+1:]
	}
}

// parseHead reads the first argument and sets the steps to their defaults.
func (s *Spec) parseHead(a string) (err error) {
	switch s.Kind {
	case Size:
		s.Rows, err = strconv.Atoi(a)
		s.Stride = s.Rows
	case Time:
		s.Interval, err = time.ParseDuration(a)
		s.Step = s.Interval
	case Calendar:
		n, unit, _ := strings.Cut(a, " ")
		if s.Units, err = strconv.Atoi(n); err != nil {
			return err
		}
		s.UnitStep = s.Units
		for u, name := range unitNames {
			if u > 0 && strings.TrimSuffix(strings.TrimSpace(unit), "s") == name {
				s.Unit = Unit(u)
			}
		}
	case Session:
		s.Gap, err = time.ParseDuration(a)
	case State, Condition:
		s.Column, err = unquote(a)
	default:
		err = fmt.Errorf("unknown kind")
	}
	return err
}

func (s *Spec) parseArg(key, val string) (err error) {
	switch {
	case key == "step" && s.Kind == Size:
		s.Stride, err = strconv.Atoi(val)
	case key == "step" && s.Kind == Time:
		s.Step, err = time.ParseDuration(val)
	case key == "step" && s.Kind == Calendar:
		s.UnitStep, err = strconv.Atoi(val)
	case key == "zone" && s.Kind == Calendar:
		s.Zone, err = unquote(val)
	case key == "max" && s.Kind == Session:
		s.MaxSpan, err = time.ParseDuration(val)
	case key == "delta" && s.Kind == State:
		s.Delta, err = strconv.ParseFloat(val, 64)
		if s.Delta == 0 {
			s.Delta = math.Abs(s.Delta)
		}
	case key == "keep" && s.Kind == Condition:
		s.MinRows, err = strconv.Atoi(val)
	case key == "most" && s.Kind == Condition:
		s.MaxRows, err = strconv.Atoi(val)
	case key == "anchor" && val == "first":
		s.Anchor = FirstPoint
	case key == "anchor" && val == "epoch":
		s.Anchor = Epoch
	case key == "anchor":
		s.Anchor = Instant
		s.Origin, err = parseInstant(val)
	case key == "begin":
		s.HasBegin = true
		s.Begin, err = parseInstant(val)
	case key == "end":
		s.HasEnd = true
		s.End, err = parseInstant(val)
	default:
		err = fmt.Errorf("a %s window has no argument %q", s.Kind, key)
	}
	return err
}

func unquote(a string) (string, error) {
	if !strings.HasPrefix(a, `"`) {
		return a, nil
	}
	return strconv.Unquote(a)
}

var (
	firstInstant = time.Unix(0, math.MinInt64)
	lastInstant  = time.Unix(0, math.MaxInt64)
)

func parseInstant(a string) (int64, error) {
	if n, err := strconv.ParseInt(a, 10, 64); err == nil {
		return n, nil
	}
	t, err := time.Parse(time.RFC3339Nano, a)
	if err != nil {
		return 0, err
	}
	if t.Before(firstInstant) || t.After(lastInstant) {
		return 0, fmt.Errorf("%s is outside the years 1678 to 2261", a)
	}
	return t.UnixNano(), nil
}
