package pattern

import (
	"strings"
	"testing"
)

// TestCheckSeries holds that a series is refused where its path is.
func TestCheckSeries(t *testing.T) {
	long := strings.Repeat("n", MaxNodeBytes)
	parts := []string{"", "a", "a.b", "root.a", ".", "a.", ".b", "a..b", "`", "`a", "a`", "`a.b`", "``", "```", "`a``b`", "a b", "`a b`",
		"*", "a*", "**", "`*`", "\x00", "é", "\xff", long, long + "n", strings.Repeat(long+".", 3) + "a", strings.Repeat(long+".", 15) + long,
		strings.Repeat("a.", MaxNodes-2) + "a", strings.Repeat("a.", MaxNodes-1) + "a", strings.Repeat("`a b`.", 40) + "a"}
	for _, device := range parts {
		for _, measurement := range parts {
			want, got := CheckPath(Join(device, measurement)), CheckSeries(device, measurement)
			if (want == nil) != (got == nil) || want != nil && got.Error() != want.Error() {
				t.Errorf("%q and %q: %v, want %v", device, measurement, got, want)
			}
		}
	}
}
