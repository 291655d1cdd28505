package main

import (
	"errors"
	"log/slog"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/zstd"
)

func backupCommand() *command {
	return &command{
		name: "backup", args: "DIR TARGET", short: "Copies a store to another folder.", lo: 2, hi: 2,
		long: `
Writes one cut of the store to TARGET, a new folder, which is a store itself: to
restore, copy it back or open it. The store must not be open elsewhere; a program
that has it open makes backups itself, with DB.Backup, while it goes on writing.
Nothing but what Open does anyway is written to the store.

    tickwell backup data /mnt/backup/2026-11-21 && tickwell verify /mnt/backup/2026-11-21
`,
		run: func(c *call, args []string) error {
			if err := checkStore(args[0]); err != nil {
				return err
			}
			db, err := tickwell.Open(c, args[0], &tickwell.Options{Compress: zstd.Reader, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				return err
			}
			err = db.Backup(c, nil, args[1])
			if err = errors.Join(err, db.Close()); err != nil {
				return err
			}
			c.printf("%s is a copy of %s\n", args[1], args[0])
			return nil
		},
	}
}
