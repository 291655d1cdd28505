//go:build !tickwell_small

package tickwell

const SmallProgram = false
