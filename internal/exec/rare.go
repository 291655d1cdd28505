package exec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// rare is the built-in functions that programs with the tag tickwell_small do
// without; they weigh 0.2 MB.
const rare = "sin cos tan asin acos atan sinh cosh tanh exp ln log10 degrees radians sign " +
	"upper lower trim string_contains startswith endswith string_matches length locate strcmp replace substring concat " +
	"mode linear_slope linear_r2 approx_quantile approx_count_distinct max_by min_by " +
	"top_k bottom_k zero_duration non_zero_duration zero_count non_zero_count change_points m4 ewma " +
	"equal_size_bucket_random_sample equal_size_bucket_agg_sample equal_size_bucket_m4_sample equal_size_bucket_outlier_sample"

func leftOut(name string) bool {
	if !small {
		return false
	}
	name = strings.ToLower(name)
	return builtinAggs[name] == nil && scalars[name] == nil && tables[name] == nil && slices.Contains(strings.Fields(rare), name)
}

func errLeftOut(name string) error {
	return fmt.Errorf("function %s is left out of programs that are built with the tag tickwell_small: %w", name, errs.BadInput)
}
