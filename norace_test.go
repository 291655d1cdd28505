//go:build !race

package tickwell

const raceEnabled = false
