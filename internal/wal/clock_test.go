package wal

import "time"

// stoppedClock never fires.
type stoppedClock struct{}

func (*stoppedClock) Now() time.Time { return time.Unix(0, 0) }

func (*stoppedClock) Mono() time.Duration { return 0 }

func (*stoppedClock) AfterFunc(time.Duration, func()) func() bool { return func() bool { return true } }
