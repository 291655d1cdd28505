//go:build race

package tickwell

const raceEnabled = true
