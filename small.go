//go:build tickwell_small

package tickwell

const small = true
