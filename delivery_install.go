//go:build !tickwell_small

package tickwell

import "context"

// installSink adds a sink that the options name.
func (db *DB) installSink(ctx context.Context, spec SinkSpec) error { return db.addSink(ctx, spec) }
