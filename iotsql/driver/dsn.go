package driver

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// source is a data source name, understood.
type source struct {
	dir      string // "": in memory
	sql      iotsql.Options
	ints     bool // the column Time is an integer
	readOnly bool
	sync     *tickwell.SyncPolicy
}

func parseDSN(dsn string) (*source, error) {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("driver: data source %q: %s: %w", dsn, fmt.Sprintf(format, args...), tickwell.ErrBadInput)
	}
	dir, params, _ := strings.Cut(dsn, "?")
	s := &source{dir: dir}
	if dir == "memory" || dir == ":memory:" {
		s.dir = ""
	} else if dir == "" {
		return nil, fail("no folder; memory means a store in memory")
	}
	values, err := url.ParseQuery(params)
	if err != nil {
		return nil, fail("%v", err)
	}
	for key, all := range values {
		if len(all) != 1 {
			return nil, fail("%s is given twice", key)
		}
		v := all[0]
		switch key {
		case "precision":
			unit, ok := map[string]time.Duration{"ms": time.Millisecond, "us": time.Microsecond, "ns": time.Nanosecond}[v]
			if !ok {
				return nil, fail("precision is ms, us or ns, not %q", v)
			}
			s.sql.Precision = unit
		case "zone":
			if _, err := time.LoadLocation(v); err != nil {
				return nil, fail("%v", err)
			}
			s.sql.Zone = v
		case "time":
			if v != "time" && v != "int" {
				return nil, fail("time is time or int, not %q", v)
			}
			s.ints = v == "int"
		case "readonly":
			if v != "true" && v != "false" {
				return nil, fail("readonly is true or false, not %q", v)
			}
			s.readOnly = v == "true"
		case "sync":
			p, err := policy(v)
			if err != nil {
				return nil, fail("%v", err)
			}
			s.sync = &p
		default:
			return nil, fail("there is no parameter %q", key)
		}
	}
	if s.readOnly && s.dir == "" {
		return nil, fail("a store in memory cannot be read-only")
	}
	return s, nil
}

func policy(v string) (tickwell.SyncPolicy, error) {
	switch v {
	case "always":
		return tickwell.SyncAlways(), nil
	case "never":
		return tickwell.SyncNever(), nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return tickwell.SyncPolicy{}, fmt.Errorf("sync is always, never or a duration, not %q", v)
	}
	return tickwell.SyncInterval(d), nil
}
