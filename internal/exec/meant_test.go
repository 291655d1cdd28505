package exec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMeant: what is suggested is there, and what it is suggested for is not.
func TestMeant(t *testing.T) {
	if small { // it suggests nothing
		return
	}
	words := strings.Fields(elsewhere)
	for i, name := range words {
		_, ok := Builtin(name)
		require.Equal(t, i%2 == 1, ok, name)
	}
	require.Equal(t, "; did you mean avg?", meant("MEAN"))
	require.Equal(t, "; did you mean derivative?", meant("derivativ"))
	require.Empty(t, meant("frobnicate"))
}
