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
	var damaged damagedError
	if quiet && errors.As(err, &damaged) {
		return exitError(exitDamage)
	}
	if err != nil {
		return err
	}
	defer closing(db, &err)
	found, err := damageOf(c, db)
	if err != nil {
		return err
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
	c.printDamage(found)
	c.printf("%s: damage in %s\n", dir, plural(len(found), "place", "places"))
	return exitError(exitDamage)
}

// damageOf reads everything of an open store.
func damageOf(c *call, db *tickwell.DB) ([]tickwell.Damage, error) {
	found, err := db.Verify(c)
	return together(found, db.Recovery().Damage), err
}

// damageIn reads everything of a store.
func damageIn(c *call, dir string) (found []tickwell.Damage, err error) {
	db, err := openForReading(c, dir)
	if err != nil {
		return nil, err
	}
	defer closing(db, &err)
	return damageOf(c, db)
}

// together adds damage that is not among what was found already.
func together(found, more []tickwell.Damage) []tickwell.Damage {
	for _, d := range more {
		if !slices.Contains(found, d) {
			found = append(found, d)
		}
	}
	return found
}

// printDamage says which files are damaged, why, and what that may affect.
func (c *call) printDamage(found []tickwell.Damage) {
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
}
