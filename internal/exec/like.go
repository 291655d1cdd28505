package exec

import "unicode/utf8"

// like is a pattern of LIKE. Bytes that are no UTF-8 count as U+FFFD, in the
// pattern and in the text.
type like struct {
	want []rune
	kind []byte // of each of want: itself, or what stands for others
}

const (
	likeRune byte = iota // itself
	likeOne              // _: any one
	likeAny              // %: any number of any
)

func parseLike(pattern string) like {
	var l like
	escaped := false
	add := func(r rune, kind byte) { l.want, l.kind = append(l.want, r), append(l.kind, kind) }
	for _, r := range pattern {
		switch {
		case escaped:
			add(r, likeRune)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			add(r, likeAny)
		case r == '_':
			add(r, likeOne)
		default:
			add(r, likeRune)
		}
	}
	if escaped {
		add('\\', likeRune)
	}
	return l
}

// match says whether all of s is as the pattern says. Where it fails after a %,
// that % takes one more; earlier ones need not change then.
func (l like) match(s string) bool {
	k, i := 0, 0
	again, from := -1, 0 // the last %, and how far it reaches
	for i < len(s) {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case k < len(l.want) && l.kind[k] == likeAny:
			again, from = k, i
			if k++; k == len(l.want) {
				return true
			}
		case k < len(l.want) && (l.kind[k] == likeOne || l.want[k] == r):
			k++
			i += size
		case again >= 0:
			_, size = utf8.DecodeRuneInString(s[from:])
			from += size
			k, i = again+1, from
		default:
			return false
		}
	}
	for k < len(l.want) && l.kind[k] == likeAny {
		k++
	}
	return k == len(l.want)
}
