// Peer sqlite-mattn: github.com/mattn/go-sqlite3 through database/sql.
package main

import (
	"github.com/tickwell/tickwell/bench/adapter/sqlite"
	"github.com/tickwell/tickwell/bench/harness"

	_ "github.com/mattn/go-sqlite3"
)

func main() {
	harness.Main(harness.Peer{Name: "sqlite-mattn", Module: "github.com/mattn/go-sqlite3", Class: sqlite.Class, Durability: sqlite.Durability,
		InMemory: func(v string) bool { return v == "mem" },
		Open:     func(c harness.Config) (harness.Store, error) { return sqlite.Open("sqlite3", "file:", c) }})
}
