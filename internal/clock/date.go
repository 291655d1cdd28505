package clock

import "time"

// Date is the day with the time of day of like, in a zone. Where clocks are put
// forward over that time of day, it is what they show instead. time.Date may go
// back there: the 1st at a midnight that is skipped would be the evening before,
// and an hour of one month be counted with the next.
func Date(year int, month time.Month, day int, like time.Time, zone *time.Location) time.Time {
	h, m, s, ns := like.Hour(), like.Minute(), like.Second(), like.Nanosecond()
	at := time.Date(year, month, day, h, m, s, ns, zone)
	_, offset := at.Zone()
	shows := at.Unix() + int64(offset)
	if back := time.Date(year, month, day, h, m, s, ns, time.UTC).Unix() - shows; back > 0 {
		at = at.Add(time.Duration(back) * time.Second)
	}
	return at
}
