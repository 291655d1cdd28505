// Peer sqlite-modernc: modernc.org/sqlite through database/sql.
package main

import (
	"github.com/tickwell/tickwell/bench/adapter/sqlite"
	"github.com/tickwell/tickwell/bench/harness"

	_ "modernc.org/sqlite"
)

func main() {
	harness.Main(harness.Peer{Name: "sqlite-modernc", Module: "modernc.org/sqlite", Class: sqlite.Class, Durability: sqlite.Durability,
		InMemory: func(v string) bool { return v == "mem" },
		Open:     func(c harness.Config) (harness.Store, error) { return sqlite.Open("sqlite", "file:", c) }})
}
