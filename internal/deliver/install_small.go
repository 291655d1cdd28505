//go:build tickwell_small

package deliver

import "context"

// Install adds a sink that the options of a store name: db and spec are those of
// the root. With the tag tickwell_small the delivery of events is in a program
// only if it calls AddSink or imports package sink, as the adapters do. That
// sets Install before main begins, and nothing sets it later.
var Install func(ctx context.Context, db, spec any) error
