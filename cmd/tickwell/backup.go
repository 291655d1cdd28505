package main

import (
	"errors"
	"log/slog"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/zstd"
)

func backupCommand() *command {
	f := newFlags()
	quick := f.Bool("q", false, "do not read the copy again")
	return &command{
		name: "backup", args: "DIR TARGET", short: "Copies a store to another folder.", lo: 2, hi: 2, flags: f,
		long: `
Writes one cut of the store to TARGET, a new folder, which is a store itself: to
restore, copy it back or open it. The store must not be open elsewhere; a program
that has it open makes backups itself, with DB.Backup, while it goes on writing.
Nothing but what Open does anyway is written to the store.

What is damaged is copied as it is. So the copy is read again as a whole, as by
verify: damage is told, and is exit code 3. -q leaves that out.

    tickwell backup data /mnt/backup/2026-11-21 || echo "keep the backup before!"
`,
		run: func(c *call, args []string) error {
			if err := checkStore(args[0]); err != nil {
				return err
			}
			db, err := tickwell.Open(c, args[0], &tickwell.Options{Compress: zstd.Reader, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				return err
			}
			met := db.Recovery().Damage
			err = db.Backup(c, nil, args[1])
			if err = errors.Join(err, db.Close()); err != nil {
				return err
			}
			c.printf("%s is a copy of %s\n", args[1], args[0])
			var found []tickwell.Damage
			if !*quick {
				if found, err = damageIn(c, args[1]); err != nil {
					return err
				}
			}
			if len(found) > 0 {
				c.printDamage(found)
				c.printf("%s: damage in %s, copied as it is\n", args[1], plural(len(found), "place", "places"))
			} else if len(met) > 0 {
				c.printDamage(met)
				c.printf("%s: damage in %s; the copy is what is left\n", args[0], plural(len(met), "place", "places"))
			}
			if len(found)+len(met) > 0 {
				return exitError(exitDamage)
			}
			return nil
		},
	}
}
