//go:build !tickwell_small

package tickwell

// small says that the program is built for few bytes. It is a constant, so that the
// compiler drops what it cuts off, and the linker what only that calls.
const small = false
