package main

import (
	"errors"
	"slices"

	"github.com/tickwell/tickwell"
)

func verifyCommand() *command {
	f := newFlags()
	quiet := f.Bool("q", false, "print nothing, only the exit code tells")
	return &command{
		name: "verify", args: "DIR", short: "Checks every byte of a store.", lo: 1, hi: 1, flags: f,
		long: `
Reads the whole store, compares all checksums and decodes everything, without
changing anything. A line for each damage says which file, why, and which points
of which series it may affect: what is outside is sound. The end of the log that
a crash cut off is no damage: those records were never acknowledged as durable.

Exit code 3 means damage. A damaged store can still be opened: queries of the
damaged ranges fail, everything else works.

    tickwell verify data && tickwell backup data /mnt/backup/today
`,
		run: func(c *call, args []string) error { return verify(c, args[0], *quiet) },
	}
}

func verify(c *call, dir string, quiet bool) (err error) {
	if err := checkStore(dir); err != nil {
		return err
	}
	db, err := openForReading(c, dir)
	if errors.Is(err, tickwell.ErrCorrupt) || errors.Is(err, tickwell.ErrDamaged) {
		if !quiet {
			c.printf("the store cannot be opened: %v\n", err)
		}
		return exitError(exitDamage)
	}
	if err != nil {
		return err
	}
	defer closing(db, &err)
	found, err := db.Verify(c)
	if err != nil {
		return err
	}
	for _, d := range db.Recovery().Damage {
		if !slices.Contains(found, d) {
			found = append(found, d)
		}
	}
	s := db.Stats()
	if len(found) == 0 {
		if !quiet {
			c.printf("%s is sound: %d series, %s of %s, %s of log\n", dir, s.Series, plural(s.Files, "block file", "block files"), size(s.DiskBytes), size(s.LogBytes))
		}
		return nil
	}
	if quiet {
		return exitError(exitDamage)
	}
	for _, d := range found {
		c.printf("%s: %s\n", d.File, d.Reason)
		what := d.Series
		if what == "" {
			what = "any series"
		}
		switch {
		case !d.Start.IsZero():
			c.printf("    may affect %s from %s to %s\n", what, stamp(d.Start), stamp(d.End))
		case d.Series != "":
			c.printf("    may affect %s at any time\n", what)
		}
	}
	c.printf("%s: damage in %s\n", dir, plural(len(found), "place", "places"))
	return exitError(exitDamage)
}
