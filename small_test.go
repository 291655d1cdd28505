//go:build tickwell_small

package tickwell

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/errs"
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

func TestSinksInOptionsNeedPackageSink(t *testing.T) {
	was := deliver.Install
	deliver.Install = nil
	t.Cleanup(func() { deliver.Install = was })
	out := SinkSpec{Name: "out", Sink: SinkFunc(func(context.Context, []Event) error { return nil })}
	_, err := Open(t.Context(), "", &Options{Sinks: []SinkSpec{out}})
	require.ErrorIs(t, err, errs.BadInput)
	require.ErrorContains(t, err, "add sink out: sinks in Options are left out of programs that are built with the tag tickwell_small")
	db, err := Open(t.Context(), "", nil)
	require.NoError(t, err)
	require.NoError(t, db.AddSink(t.Context(), out))
	require.NoError(t, db.Close())
}
