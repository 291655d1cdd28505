//go:build !tickwell_small

package schedule

import "time"

// civil is a cron pattern as bit sets over plain calendar fields. It knows
// nothing of zones: local time is given as seconds since 1970-01-01 00:00 on
// the local calendar.
type civil struct {
	second, minute, hour, dom, month, dow uint64
	domStar, dowStar                      bool
}

const day = 86400

// next returns the first matching local time in [from, to).
func (c *civil) next(from, to int64) (int64, bool) {
	for at := from; at < to; {
		date := time.Unix(at, 0).UTC()
		midnight := at - int64(date.Hour()*3600+date.Minute()*60+date.Second())
		if c.month&(1<<uint(date.Month())) == 0 {
			at = time.Date(date.Year(), date.Month()+1, 1, 0, 0, 0, 0, time.UTC).Unix()
			continue
		}
		if c.onDay(date) {
			if s, ok := c.inDay(at - midnight); ok {
				at = midnight + s
				return at, at < to
			}
		}
		at = midnight + day
	}
	return 0, false
}

// onDay reports whether the day of the month and of the week match: both when
// one of them is a star, either otherwise (the cron rule).
func (c *civil) onDay(date time.Time) bool {
	dom := c.dom&(1<<uint(date.Day())) != 0
	dow := c.dow&(1<<uint(date.Weekday())) != 0
	if c.domStar || c.dowStar {
		return dom && dow
	}
	return dom || dow
}

// inDay returns the first matching second of the day at or after s.
func (c *civil) inDay(s int64) (int64, bool) {
	for h := s / 3600; h < 24; h++ {
		if c.hour&(1<<uint(h)) == 0 {
			continue
		}
		for m := max(s-h*3600, 0) / 60; m < 60; m++ {
			if c.minute&(1<<uint(m)) == 0 {
				continue
			}
			for sec := max(s-h*3600-m*60, 0); sec < 60; sec++ {
				if c.second&(1<<uint(sec)) != 0 {
					return h*3600 + m*60 + sec, true
				}
			}
		}
	}
	return 0, false
}
