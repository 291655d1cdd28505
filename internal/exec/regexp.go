//go:build !tickwell_small

package exec

import "regexp"

// compileRegexp returns whether a text is matched by a regular expression.
func compileRegexp(pattern string) (func(string) bool, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return re.MatchString, nil
}
