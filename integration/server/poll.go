package server

import (
	"context"
	"fmt"
	"time"
)

// Poll asks again and again until done says so, fails, or ctx ends. It is for
// what only the outside of a server shows.
func Poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}
