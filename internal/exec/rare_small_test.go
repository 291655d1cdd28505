//go:build tickwell_small

package exec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func init() {
	if !leftOut("Top_K") || leftOut("avg") {
		panic("functions are linked that should be left out")
	}
	LinkRare()
}

func TestLinkRare(t *testing.T) { require.False(t, leftOut("top_k")) }
