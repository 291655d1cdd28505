module github.com/tickwell/tickwell/bench

go 1.25.0
