//go:build tickwell_small

package tickwell

import (
	"context"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/exec"
)

// SmallProgram says which tests cannot hold: those of cron, of regular
// expressions and of incremental queries over windows that depend on rows, and
// those that read what went to Options.Logger.
const SmallProgram = true

// The tests of this package cannot import package sink, which does this.
func init() {
	exec.LinkRare()
	deliver.Install = func(ctx context.Context, db, spec any) error {
		return db.(*DB).AddSink(ctx, spec.(SinkSpec))
	}
}
