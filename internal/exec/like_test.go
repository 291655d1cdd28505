package exec

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// likeRegexp is the model: the pattern as a regular expression.
func likeRegexp(pattern string) *regexp.Regexp {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(r)))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	if escaped {
		b.WriteString(`\\`)
	}
	return regexp.MustCompile(`(?s)\A` + b.String() + `\z`)
}

func TestLikeAsARegexp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	of := func(alphabet []string, longest int) string {
		var b strings.Builder
		for range r.IntN(longest + 1) {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	matched := 0
	for range 20_000 {
		pattern := of([]string{"a", "b", "%", "%", "_", `\`, "é", "\n", "\xff", "\uFFFD", "."}, 6)
		model, l := likeRegexp(pattern), parseLike(pattern)
		for range 5 {
			s := of([]string{"a", "b", "%", `\`, "é", "\n", "\xff", "\xc3", "\uFFFD", "."}, 8)
			want := model.MatchString(s)
			require.Equal(t, want, l.match(s), "%q LIKE %q", s, pattern)
			if want {
				matched++
			}
		}
	}
	require.Greater(t, matched, 1000)
}

// BenchmarkLike is beside the regular expression that it replaces.
func BenchmarkLike(b *testing.B) {
	text := "the pressure of valve 17 is above its limit since noon"
	for _, pattern := range []string{"the%", "%valve%limit%", "%noon", "%cold%"} {
		l, re := parseLike(pattern), likeRegexp(pattern)
		b.Run(pattern, func(b *testing.B) {
			for b.Loop() {
				l.match(text)
			}
		})
		b.Run(pattern+"/regexp", func(b *testing.B) {
			for b.Loop() {
				re.MatchString(text)
			}
		})
	}
}
