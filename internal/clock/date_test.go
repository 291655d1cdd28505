package clock

import (
	"testing"
	"time"
	_ "time/tzdata"
)

func TestDate(t *testing.T) {
	for _, c := range []struct{ zone, like, day, want string }{
		{"UTC", "2026-01-31T10:20:30", "2026-02-03", "2026-02-03T10:20:30Z"},
		{"Europe/Berlin", "2026-01-01T02:30:00", "2026-03-29", "2026-03-29T03:30:00+02:00"},
		{"Europe/Berlin", "2026-01-01T00:00:00", "2026-03-29", "2026-03-29T00:00:00+01:00"},
		{"America/Asuncion", "2023-01-01T00:00:00", "2023-10-01", "2023-10-01T01:00:00-03:00"},
		{"America/Asuncion", "2023-01-01T00:30:00", "2023-10-01", "2023-10-01T01:30:00-03:00"},
		{"America/New_York", "2026-01-01T02:15:00", "2026-03-08", "2026-03-08T03:15:00-04:00"},
		{"Asia/Beirut", "2024-01-01T00:00:00", "2024-03-31", "2024-03-31T01:00:00+03:00"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		like, err := time.ParseInLocation("2006-01-02T15:04:05", c.like, zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse("2006-01-02", c.day)
		if err != nil {
			t.Fatal(err)
		}
		y, m, d := day.Date()
		if got := Date(y, m, d, like, zone).Format(time.RFC3339); got != c.want {
			t.Errorf("%s on %s in %s: %s, want %s", c.like, c.day, c.zone, got, c.want)
		}
	}
}
