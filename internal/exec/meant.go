package exec

import (
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// elsewhere is what functions are called in other systems, each followed by the name
// here.
const elsewhere = "mean avg average avg min min_value max max_value first first_value last last_value " +
	"median approx_quantile percentile approx_quantile quantile approx_quantile percentile_cont approx_quantile " +
	"count_distinct approx_count_distinct distinct approx_count_distinct " +
	"stdev stddev std stddev var variance moving_average moving_avg rolling_mean moving_avg sma moving_avg ema ewma " +
	"delta difference lag diff irate rate idelta difference " +
	"len length ucase upper lcase lower substr substring ceiling ceil log ln downsample m4 lttb m4"

// meant says which function may be meant by a name that no function has.
func meant(name string) string {
	if small {
		return ""
	}
	name = strings.ToLower(name)
	words := strings.Fields(elsewhere)
	for i := 0; i < len(words); i += 2 {
		if words[i] == name {
			return "; did you mean " + words[i+1] + "?"
		}
	}
	var names []string
	for n := range Builtins() {
		names = append(names, n)
	}
	if n := errs.Nearest(name, names); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}
