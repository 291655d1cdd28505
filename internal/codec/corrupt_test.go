package codec

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

func requireCorrupt(t testing.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, errs.Corrupt)
}
