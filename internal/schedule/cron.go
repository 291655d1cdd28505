//go:build !tickwell_small

package schedule

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Cron is a parsed cron expression. It is immutable and safe for concurrent
// use.
//
// Daylight saving: a local time that the clock skips is made up for at the
// instant the clock jumps, once however many are skipped; a local time that
// occurs twice counts the first time only. Expressions whose hour field is *
// follow real time instead: they run in every hour that really passes and
// nothing is made up for or left out.
type Cron struct {
	text  string
	zone  *time.Location
	rules civil
	hours bool  // the hour field is *
	every int64 // of @every, seconds; 0 otherwise
}

// horizon is how far ahead an expression may fire: 29 February recurs within
// eight years (1896 to 1904, 2096 to 2104).
const horizon = 9 * 366 * day

// ParseCron parses the five standard fields (minute, hour, day of month,
// month, day of week), @hourly, @daily, @midnight, @weekly, @monthly, @yearly,
// @annually, and "@every <duration>" in whole seconds, which fires on
// multiples of the duration since 1970 UTC. A leading "CRON_TZ=<zone> " or
// "TZ=<zone> " names the zone; otherwise zone does, and "" is UTC. The
// machine's own zone ("Local") is refused: a stored definition must mean the
// same everywhere. Expressions that never fire are refused. Errors wrap
// errs.BadInput.
func ParseCron(expr, zone string) (c *Cron, err error) {
	defer func() { // the parser is known to panic on some input
		if v := recover(); v != nil {
			c, err = nil, bad("cron expression %q: %v", expr, v)
		}
	}()
	body, zone, err := cutZone(expr, zone)
	if err != nil {
		return nil, err
	}
	loc, err := loadZone(zone)
	if err != nil {
		return nil, bad("cron expression %q: %v", expr, err)
	}
	c = &Cron{text: expr, zone: loc}
	if d, ok := strings.CutPrefix(body, "@every "); ok {
		return c, c.parseEvery(strings.TrimSpace(d))
	}
	for field := range strings.FieldsSeq(body) {
		if err := checkField(field); err != nil {
			return nil, bad("cron expression %q: %v", expr, err)
		}
	}
	parsed, err := cron.ParseStandard(body)
	if err != nil {
		return nil, bad("cron expression %q: %v", expr, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, bad("cron expression %q is not supported", expr)
	}
	const star = 1 << 63 // how the parser marks * and ?
	c.rules = civil{
		second: spec.Second, minute: spec.Minute, hour: spec.Hour,
		dom: spec.Dom, month: spec.Month, dow: spec.Dow,
		domStar: spec.Dom&star != 0, dowStar: spec.Dow&star != 0,
	}
	c.hours = spec.Hour&star != 0
	if _, ok := c.rules.next(0, horizon); !ok {
		return nil, bad("cron expression %q never fires", expr)
	}
	return c, nil
}

// String returns the expression as it was given.
func (c *Cron) String() string { return c.text }

// Zone returns the zone of the expression.
func (c *Cron) Zone() *time.Location { return c.zone }

func cutZone(expr, zone string) (body, name string, err error) {
	body = strings.TrimSpace(expr)
	if !strings.HasPrefix(body, "TZ=") && !strings.HasPrefix(body, "CRON_TZ=") {
		return body, zone, nil
	}
	_, rest, _ := strings.Cut(body, "=")
	end := strings.IndexAny(rest, " \t")
	if end < 0 {
		return "", "", bad("cron expression %q: fields are missing after the time zone", expr)
	}
	name = rest[:end]
	if name == "" {
		return "", "", bad("cron expression %q: time zone is empty", expr)
	}
	if zone != "" && zone != name {
		return "", "", bad("cron expression %q: time zone differs from zone %q", expr, zone)
	}
	body = strings.TrimSpace(rest[end:])
	if strings.HasPrefix(body, "TZ=") || strings.HasPrefix(body, "CRON_TZ=") {
		return "", "", bad("cron expression %q: time zone is given twice", expr)
	}
	return body, name, nil
}

func loadZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if name == "Local" {
		return nil, fmt.Errorf("time zone must be named, not Local")
	}
	return time.LoadLocation(name)
}

// checkField refuses what the parser lets pass with a meaning nobody wrote:
// empty list elements and an end after a star.
func checkField(field string) error {
	for part := range strings.SplitSeq(field, ",") {
		if part == "" {
			return fmt.Errorf("field %q has an empty element", field)
		}
		if strings.HasPrefix(part, "*-") || strings.HasPrefix(part, "?-") {
			return fmt.Errorf("field %q has a range that begins with a star", field)
		}
	}
	return nil
}

func (c *Cron) parseEvery(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return bad("cron expression %q: %v", c.text, err)
	}
	if d < time.Second {
		return bad("cron expression %q: interval must not be lower than 1s", c.text)
	}
	if d%time.Second != 0 {
		return bad("cron expression %q: interval must be whole seconds", c.text)
	}
	c.every = int64(d / time.Second)
	return nil
}

// Next returns the first instant after t, or false when there is none before
// the end of time.
func (c *Cron) Next(t int64) (int64, bool) {
	from := floorDiv(t, int64(time.Second)) + 1 // whole seconds after t
	if c.every > 0 {
		rest := from - floorDiv(from, c.every)*c.every
		if rest != 0 {
			from += c.every - rest
		}
		return nanos(from)
	}
	for at, end := from, from+horizon; at < end; {
		found, next, ok := c.inSpan(at)
		if ok {
			return nanos(found)
		}
		at = next
	}
	return 0, false
}

// inSpan looks for the first match at or after from within the stretch of
// constant offset that from lies in, and returns where the next one begins.
func (c *Cron) inSpan(from int64) (found, next int64, ok bool) {
	t := time.Unix(from, 0).In(c.zone)
	_, offset := t.Zone()
	off := int64(offset)
	begin, end := t.ZoneBounds()
	next = from + horizon
	if !end.IsZero() {
		next = min(next, end.Unix())
	}
	lower := from + off
	if !begin.IsZero() && !c.hours {
		start := begin.Unix()
		_, o := time.Unix(start-1, 0).In(c.zone).Zone()
		before := start + int64(o) // local time at which the stretch before ended
		if from == start && before < start+off {
			if _, skipped := c.rules.next(before, start+off); skipped {
				return start, next, true
			}
		}
		lower = max(lower, before) // what was repeated has had its turn
	}
	at, ok := c.rules.next(lower, next+off)
	return at - off, next, ok
}

// Prev returns the last instant before t, or false when there is none within
// the horizon.
func (c *Cron) Prev(t int64) (int64, bool) {
	if t == math.MinInt64 {
		return 0, false
	}
	last := floorDiv(t-1, int64(time.Second)) // whole seconds before t
	if c.every > 0 {
		return nanos(floorDiv(last, c.every) * c.every)
	}
	// Next never decreases with its argument: find the largest argument whose
	// successor still lies before t.
	fires := func(back int) bool {
		at, in := nanos(last - int64(back))
		if !in {
			return false
		}
		n, ok := c.Next(at)
		return ok && n < t
	}
	span := 1
	for ; !fires(span); span *= 2 {
		if span > horizon {
			return 0, false
		}
	}
	back := sort.Search(span, fires)
	at, _ := nanos(last - int64(back))
	return c.Next(at)
}

// nanos converts Unix seconds, or reports that they leave int64.
func nanos(sec int64) (int64, bool) {
	if sec > math.MaxInt64/int64(time.Second) || sec < math.MinInt64/int64(time.Second) {
		return 0, false
	}
	return sec * int64(time.Second), true
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
