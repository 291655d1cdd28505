package exec

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

// TestRareFunctions: the names are those of the functions that the tag
// tickwell_small leaves out, which are then refused and stay taken.
func TestRareFunctions(t *testing.T) {
	names := slices.Concat(slices.Collect(maps.Keys(rareAggs())), slices.Collect(maps.Keys(rareScalars())), slices.Collect(maps.Keys(textScalars())),
		slices.Collect(maps.Keys(rareTables())), slices.Collect(maps.Keys(bucketSamples())))
	require.ElementsMatch(t, names, strings.Fields(rare))
	for _, name := range names {
		_, ok := Builtin(strings.ToUpper(name))
		require.True(t, ok, name)
	}
	err := errLeftOut("top_k")
	require.ErrorIs(t, err, errs.BadInput)
	require.EqualError(t, err, "function top_k is left out of programs that are built with the tag tickwell_small: bad input")
}
