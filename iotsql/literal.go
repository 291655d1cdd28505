package iotsql

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// span is a length of time: calendar months and nanoseconds.
type span struct {
	months int64
	ns     int64
}

// units are the units of durations, longer ones before their beginnings.
var units = [...]struct {
	name   string
	months int64
	ns     int64
}{
	{"mo", 1, 0}, {"ms", 0, 1e6}, {"us", 0, 1e3}, {"ns", 0, 1},
	{"y", 12, 0}, {"w", 0, 7 * 24 * 3600e9}, {"d", 0, 24 * 3600e9}, {"h", 0, 3600e9}, {"m", 0, 60e9}, {"s", 0, 1e9},
}

const tooLong = "is too long a duration"

// parseSpan reads a duration such as 1h30m. Case is not significant.
func parseSpan(s string) (span, error) {
	var out span
	if s == "" {
		return out, fmt.Errorf("no duration")
	}
	for rest := s; rest != ""; {
		n := 0
		for n < len(rest) && digit(rest[n]) {
			n++
		}
		if n == 0 {
			return out, fmt.Errorf("%q is no duration, such as 10s, 1h30m or 1mo", s)
		}
		v, err := strconv.ParseInt(rest[:n], 10, 64)
		if err != nil {
			return out, fmt.Errorf("%q "+tooLong, s)
		}
		rest = rest[n:]
		found := false
		for _, u := range units {
			if len(rest) >= len(u.name) && strings.EqualFold(rest[:len(u.name)], u.name) {
				rest, found = rest[len(u.name):], true
				months, ok1 := mulAdd(v, u.months, out.months)
				ns, ok2 := mulAdd(v, u.ns, out.ns)
				if !ok1 || !ok2 || months > math.MaxInt32 {
					return out, fmt.Errorf("%q "+tooLong, s)
				}
				out.months, out.ns = months, ns
				break
			}
		}
		if !found {
			return out, fmt.Errorf("%q is no duration: its units are y, mo, w, d, h, m, s, ms, us and ns", s)
		}
	}
	return out, nil
}

// mulAdd is v*by + to, for numbers that are not negative.
func mulAdd(v, by, to int64) (int64, bool) {
	if by != 0 && v > (math.MaxInt64-to)/by {
		return 0, false
	}
	return v*by + to, true
}

// fixed is the length of a span in nanoseconds, a month as 30 days and twelve
// of them as 365, cut to the precision.
func (s span) fixed(unit time.Duration) time.Duration {
	const day = int64(24 * time.Hour)
	years, months := s.months/12, s.months%12
	days := years*365 + months*30
	ns, ok := mulAdd(days, day, s.ns)
	if !ok {
		return math.MaxInt64
	}
	return time.Duration(ns - ns%int64(unit))
}

// duration takes a duration literal, or a parameter.
func (p *parser) duration(what string) span {
	tok := p.tok
	if tok.kind == tokParam {
		v, ok := p.param()
		if d, isDur := v.(time.Duration); isDur && d >= 0 {
			return span{ns: int64(d)}
		}
		if ok && !p.bind.open {
			p.fail(tok, fmt.Sprintf("the value of the parameter is %T, and %s is a duration that is not negative", v, what))
		}
		return span{ns: int64(time.Second)}
	}
	if tok.kind != tokWord || !digit(p.text[tok.pos]) {
		p.expected(what + ", such as 10s")
		return span{}
	}
	s, err := parseSpan(p.word())
	if err != nil {
		p.fail(tok, err.Error())
		return span{}
	}
	p.advance()
	return s
}

// isDuration reports whether a token is a duration, also one that is too long.
func (p *parser) isDuration(t token) bool {
	if t.kind != tokWord || !digit(p.text[t.pos]) {
		return false
	}
	_, err := parseSpan(p.text[t.pos:t.end])
	return err == nil || strings.HasSuffix(err.Error(), tooLong)
}

// parseTime reads a time literal such as 2021-05-11T22:18:14.598+08:00. What is
// left out is zero; without zone it is meant in zone.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	bad := func(what string) (time.Time, error) { return time.Time{}, fmt.Errorf("%q is no time: %s", s, what) }
	sep := s[4:5]
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	rest := s[5:]
	month, rest, _ := strings.Cut(rest, sep)
	n := 0
	for n < len(rest) && digit(rest[n]) {
		n++
	}
	day, ofDay := rest[:n], strings.TrimLeft(rest[n:], "Tt ")
	y, mo, d := number(s[:4]), number(month), number(day)
	if mo < 1 || mo > 12 {
		return bad("there is no month " + month)
	}
	if d < 1 || d > time.Date(y, time.Month(mo)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return bad("that month has no day " + day)
	}
	var h, mi, sec, ns int
	if ofDay != "" {
		var tail string
		hs, ofDay, _ := strings.Cut(ofDay, ":")
		ms, ofDay, _ := strings.Cut(ofDay, ":")
		k := 0
		for k < len(ofDay) && digit(ofDay[k]) {
			k++
		}
		h, mi, sec, tail = number(hs), number(ms), number(ofDay[:k]), ofDay[k:]
		if h > 23 || mi > 59 || sec > 59 {
			return bad("hours are 0 to 23, minutes and seconds 0 to 59")
		}
		if tail != "" && tail[0] == '.' {
			k = 1
			for k < len(tail) && digit(tail[k]) {
				k++
			}
			ns, tail = number((tail[1:k] + "000000000")[:9]), tail[k:]
		}
		if tail != "" {
			offset := 0
			if tail[0] != 'z' && tail[0] != 'Z' {
				oh, om := number(tail[1:3]), number(tail[4:6])
				if oh > 18 || om > 59 {
					return bad("there is no zone " + tail)
				}
				offset = (oh*60 + om) * 60
				if tail[0] == '-' {
					offset = -offset
				}
			}
			zone = time.FixedZone("", offset)
		}
	}
	return clock.Date(y, time.Month(mo), d, time.Date(y, 1, 1, h, mi, sec, ns, time.UTC), zone), nil
}

// instant takes a time: an integer in the precision of the connection, a
// literal, a parameter, or now() with durations added. It is returned in units
// of the precision.
func (p *parser) instant(what string) int64 {
	tok := p.tok
	switch {
	case tok.kind == tokParam:
		v, ok := p.given()
		switch v := v.(type) {
		case time.Time:
			return p.units(tok, v)
		case int64:
			return v
		}
		if !ok {
			return 0
		}
		p.fail(tok, fmt.Sprintf("the value of the parameter is %T, and %s is a time or an integer", v, what))
		return 0
	case p.isOne("-", "+"):
		minus := p.is("-")
		p.advance()
		if p.tok.kind != tokInteger {
			p.expected("an integer")
			return 0
		}
		return p.integer(minus)
	case tok.kind == tokInteger:
		return p.integer(false)
	case tok.kind == tokDatetime || p.isNow():
		return p.units(tok, p.moved(p.datum()))
	}
	p.expected(what + ", such as 1000, 2021-05-11T22:18:40 or now()")
	return 0
}

func (p *parser) isNow() bool { return p.is("now") && p.follows("(") }

// datum takes a time literal or now().
func (p *parser) datum() time.Time {
	tok := p.tok
	if tok.kind == tokDatetime {
		t, err := parseTime(p.word(), p.c.zone)
		if err != nil {
			p.fail(tok, err.Error())
			return time.Unix(0, 0)
		}
		p.advance()
		return t
	}
	p.advance()
	p.expectWords("(", ")")
	return p.c.db.Now()
}

// moved takes the durations that follow a time with + or -. Months are natural.
func (p *parser) moved(t time.Time) time.Time {
	for p.isOne("+", "-") && p.isDuration(p.peek()) {
		minus := p.is("-")
		p.advance()
		s := p.duration("a duration")
		if minus {
			s.months, s.ns = -s.months, -s.ns
		}
		t = addMonths(t.In(p.c.zone), int(s.months)).Add(time.Duration(s.ns))
	}
	return t
}

// addMonths adds calendar months; a day that the month does not have becomes its
// last.
func addMonths(t time.Time, months int) time.Time {
	if months == 0 {
		return t
	}
	y, m, d := t.Date()
	last := time.Date(y, m+time.Month(months)+1, 0, 0, 0, 0, 0, t.Location()).Day()
	return clock.Date(y, m+time.Month(months), min(d, last), t, t.Location())
}

// units is a time in the precision, rounded down.
func (p *parser) units(tok token, t time.Time) int64 {
	if y := t.Year(); y < 1678 || y > 2261 {
		p.fail(tok, fmt.Sprintf("time %s is outside the years 1678 to 2261", t.Format(time.RFC3339)))
		return 0
	}
	return floorDiv(t.UnixNano(), int64(p.c.unit))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// integer takes an integer literal, or a parameter.
func (p *parser) integer(minus bool) int64 {
	if tok := p.tok; tok.kind == tokParam {
		v, ok := p.given()
		n, isInt := v.(int64)
		if ok && (!isInt || minus && n < 0) {
			p.fail(tok, fmt.Sprintf("the value of the parameter is %v of type %T, and not an integer", v, v))
		}
		if minus {
			n = -n
		}
		return n
	}
	if p.tok.kind != tokInteger {
		p.expected("an integer")
		return 0
	}
	s := p.word()
	if minus {
		s = "-" + s
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		p.fail(p.tok, s+" is outside the range of INT64")
		return 0
	}
	p.advance()
	return v
}

// count takes an integer that is not negative, of LIMIT and the like.
func (p *parser) count(what string) int {
	tok := p.tok
	if tok.kind == tokParam {
		v, ok := p.given()
		n, isInt := v.(int64)
		if ok && (!isInt || n < 0 || n > math.MaxInt32) {
			p.fail(tok, fmt.Sprintf("%s %v is no integer from 0 to %d", what, v, math.MaxInt32))
		}
		return int(n)
	}
	if tok.kind != tokInteger {
		p.expected("an integer of " + what)
		return 0
	}
	n := p.integer(false)
	if n > math.MaxInt32 {
		p.fail(tok, fmt.Sprintf("%s %d is greater than %d", what, n, math.MaxInt32))
		return 0
	}
	return int(n)
}

// timeOf is a time in the precision as nanoseconds.
func (c *Conn) nanos(units int64) (int64, bool) {
	u := int64(c.unit)
	if units > math.MaxInt64/u || units < math.MinInt64/u {
		return 0, false
	}
	return units * u, true
}

// timeAt is nanos as a time.Time; what is out of range is an error at tok.
func (p *parser) timeAt(tok token, units int64) time.Time {
	ns, ok := p.c.nanos(units)
	if !ok {
		p.fail(tok, fmt.Sprintf("time %d is outside the years 1678 to 2261", units))
	}
	return time.Unix(0, ns).UTC()
}
