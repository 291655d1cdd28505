//go:build !tickwell_small

package exec

// small says that the program is built for few bytes: the rare functions, which
// no other code calls, are then not linked.
const small = false
