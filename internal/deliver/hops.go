package deliver

import "context"

// A sink that writes into a store can feed the trigger whose events it takes.
// Each such turn is a hop: the context of the write carries how many there were,
// and the events it causes have it too, so that a loop can be ended.

type hopsKey struct{}

// WithHops returns a context for writes of events that come after n hops.
func WithHops(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, hopsKey{}, n)
}

// Hops returns the number of hops before what ctx belongs to.
func Hops(ctx context.Context) int {
	n, _ := ctx.Value(hopsKey{}).(int)
	return n
}
