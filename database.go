package tickwell

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// A database is a prefix of paths. It is declared, or it is the first two nodes
// of the series that are below no declared one.

func databaseKey(path string) string { return "def/database/" + path }

// CreateDatabase declares that path is a database: what is below it can be
// listed and dropped as one. It is stored. ErrExists: it is one, or there is
// one above or below it.
func (db *DB) CreateDatabase(ctx context.Context, path string) error {
	return db.onDatabase(ctx, "create database", path, ActionCreateDatabase, func(path string) error {
		if err := db.lockReg(ctx); err != nil {
			return err
		}
		defer db.unlockReg()
		if len(pattern.Nodes(path)) < 2 {
			return fmt.Errorf("a database has at least two nodes, such as root.ln: %w", errs.BadInput)
		}
		for _, d := range db.databases() {
			if d == path || strings.HasPrefix(d, path+".") || strings.HasPrefix(path, d+".") {
				return fmt.Errorf("%s has already been created as database: %w", d, errs.Exists)
			}
		}
		b := engine.Batch{Puts: []engine.Put{{Kind: engine.PutDefinition, Key: databaseKey(path), Value: []byte{1}}}}
		_, err := db.eng.Commit(ctx, &b, false)
		return err
	})
}

// DropDatabase removes a database with its series, their points, the triggers
// that were made for one of them alone, and its time to live. ErrNotFound: there
// is none of that path.
func (db *DB) DropDatabase(ctx context.Context, path string) error {
	return db.onDatabase(ctx, "drop database", path, ActionDropDatabase, func(path string) error {
		if !slices.Contains(db.databases(), path) {
			return fmt.Errorf("it does not exist: %w", errs.NotFound)
		}
		p, err := pattern.Parse(path + ".**")
		if err != nil {
			return err
		}
		all, err := db.commitDrop(ctx, path, p)
		if err != nil {
			return err
		}
		err = db.dropTriggersOf(ctx, all)
		if _, ok := db.eng.TTLs()[path]; ok {
			err = errs.Join(err, db.eng.SetTTL(ctx, path, 0))
		}
		return errs.Join(err, db.forget(ctx, hintKey(path+".")), db.forgetKeys(databaseKey(path)))
	})
}

func (db *DB) onDatabase(ctx context.Context, op, path string, a Action, f func(path string) error) error {
	err := db.usable(ctx)
	if err == nil {
		if err := db.authorize(ctx, a, path); err != nil {
			return err
		}
		var c string
		if c, err = pattern.Canonical(path); err == nil {
			err = f(c)
		}
	}
	if err != nil {
		return &Error{Op: op, Subject: path, Err: err}
	}
	return nil
}

// Databases yields the databases, sorted.
func (db *DB) Databases() iter.Seq[string] { return slices.Values(db.databases()) }

func (db *DB) databases() []string {
	if !db.made() {
		return nil
	}
	var all []string
	for key := range db.eng.Scan(databaseKey("")) {
		all = append(all, key[len(databaseKey("")):])
	}
	declared := len(all)
	for _, device := range db.eng.Devices("") {
		nodes := pattern.Nodes(device)
		if len(nodes) < 2 || slices.ContainsFunc(all[:declared], func(d string) bool {
			return device == d || strings.HasPrefix(device, d+".")
		}) {
			continue
		}
		d := pattern.Join(pattern.Quote(nodes[0]), pattern.Quote(nodes[1]))
		if len(all) == declared || all[len(all)-1] != d {
			all = append(all, d)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TTLs returns the settings of [DB.SetTTL] by path.
func (db *DB) TTLs() iter.Seq2[string, time.Duration] {
	var all map[string]time.Duration
	if db.made() {
		all = db.eng.TTLs()
	}
	return func(yield func(string, time.Duration) bool) {
		for _, path := range sortedKeys(all) {
			if !yield(path, all[path]) {
				return
			}
		}
	}
}

func hintKey(path string) string { return "hint/" + path }

// SetSeriesHints records what a program wants to remember of a series, such as
// the encoding it would have elsewhere; the store does nothing with it. It is
// stored until the series is dropped. Nil removes it.
func (db *DB) SetSeriesHints(ctx context.Context, path string, hints Params) error {
	err := db.usable(ctx)
	if err == nil {
		if err := db.authorize(ctx, ActionCreateSeries, path); err != nil {
			return err
		}
		var device, name string
		if device, name, err = splitPath(path); err == nil {
			if _, ok := db.eng.Lookup(device, name); !ok {
				err = fmt.Errorf("it does not exist: %w", errs.NotFound)
			} else {
				key := hintKey(pattern.Join(device, name))
				put := engine.Put{Kind: engine.PutDefinition, Key: key, Value: appendPairs(nil, hints), Delete: len(hints) == 0}
				_, err = db.eng.Commit(ctx, &engine.Batch{Puts: []engine.Put{put}}, false)
			}
		}
	}
	if err != nil {
		return &Error{Op: "set hints", Subject: path, Err: err}
	}
	return nil
}

// SeriesHints returns what [DB.SetSeriesHints] has recorded of a series; nil if
// nothing.
func (db *DB) SeriesHints(path string) Params {
	device, name, err := splitPath(path)
	if err != nil || !db.made() {
		return nil
	}
	b, ok := db.eng.Get(hintKey(pattern.Join(device, name)))
	if !ok {
		return nil
	}
	r := wireReader{codec.Reader{Src: b}}
	hints := r.pairs()
	if r.Bad {
		return nil
	}
	return hints
}

// forgetHints removes the hints of series that are gone.
func (db *DB) forgetHints(gone []*engine.Series) error {
	keys := make([]string, len(gone))
	for i, s := range gone {
		keys[i] = hintKey(s.Device + "." + s.Name)
	}
	return db.forgetKeys(keys...)
}
