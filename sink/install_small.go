//go:build tickwell_small

package sink

import (
	"context"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
)

func init() {
	deliver.Install = func(ctx context.Context, db, spec any) error {
		return db.(*tickwell.DB).AddSink(ctx, spec.(tickwell.SinkSpec))
	}
}
