package post

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/sink"
)

// MaxRetryAfter is the longest wait a target may ask for.
const MaxRetryAfter = time.Hour

// Classify returns nil for a success, or what the answer means for what was
// sent, as an error of package sink:
//
//	2xx                       accepted
//	401, 403, 407             retry with the secrets read again: the credentials are at
//	                          fault, not the event
//	408, 425, 429, 5xx, 3xx   retry, after Retry-After if there is one; redirects are not
//	                          followed, and a captive portal answers with one
//	410                       disabled
//	413                       too large
//	other 4xx, 501            permanent
func (c *Client) Classify(a *Answer, detail string) error {
	s := a.Status
	if s >= 200 && s <= 299 {
		return nil
	}
	err := c.Answered(a, detail)
	switch {
	case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusProxyAuthRequired:
		c.outdate()
		return sink.Retry(err, a.retryAfter())
	case s == http.StatusGone:
		return sink.Disabled(err)
	case s == http.StatusRequestEntityTooLarge:
		return sink.TooLarge(err)
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests:
		return sink.Retry(err, a.retryAfter())
	case s >= 300 && s <= 399:
		return sink.Retry(c.fail(fmt.Errorf("answered %d: redirects are not followed", s)), 0)
	case s == http.StatusNotImplemented, s >= 400 && s <= 499:
		return sink.Permanent(err)
	}
	return sink.Retry(err, a.retryAfter())
}

// Answered is an error that says what was answered, unclassified. The detail
// must hold no secret.
func (c *Client) Answered(a *Answer, detail string) error {
	if detail != "" {
		detail = ": " + detail
	}
	return c.fail(fmt.Errorf("answered %d %s%s", a.Status, http.StatusText(a.Status), detail))
}

// retryAfter returns what the header Retry-After asks for, in seconds or as a
// date, bounded by MaxRetryAfter; 0 if nothing or nonsense. A date is compared
// with the target's own, for this machine's clock may be wrong.
func (a *Answer) retryAfter() time.Duration {
	h := strings.TrimSpace(a.Header.Get("Retry-After"))
	if n, err := strconv.ParseUint(h, 10, 63); err == nil {
		if n >= uint64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter
		}
		return time.Duration(n) * time.Second
	}
	until, err := http.ParseTime(h)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), MaxRetryAfter)
}
