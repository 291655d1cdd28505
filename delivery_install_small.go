//go:build tickwell_small

package tickwell

import (
	"context"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/errs"
)

// installSink adds a sink that the options name, if the delivery of events is in
// the program. It weighs 0.17 MB.
func (db *DB) installSink(ctx context.Context, spec SinkSpec) error {
	if deliver.Install == nil {
		return &Error{Op: "add sink", Subject: spec.Name, Err: errs.Badf(
			"sinks in Options are left out of programs that are built with the tag tickwell_small, unless they import package sink; or use AddSink")}
	}
	return deliver.Install(ctx, db, spec)
}
