//go:build tickwell_small

package tickwell

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/errs"
)

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
