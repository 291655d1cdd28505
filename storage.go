package tickwell

import (
	"context"
	"time"

	"github.com/tickwell/tickwell/vfs"
)

// Compact writes what is in memory to files and merges all files: deleted,
// expired and overwritten points, and those of dropped series, are then gone
// from the disk. The store does what is needed in the background by itself;
// Compact is for moments that suit. In memory there is nothing to do.
func (db *DB) Compact(ctx context.Context) error {
	return db.maintain(ctx, "compact", "", func() error { return db.eng.Compact(ctx) })
}

// Backup writes a copy of the store to dir of a file system (nil means that of
// the operating system) while the store is in use. The copy is one cut with
// every insert that returned before the call, and is opened with [Open]. It is
// complete only when Backup returns nil. A dir that holds a store is refused
// with ErrExists, one inside a store and a store in memory with ErrBadInput.
func (db *DB) Backup(ctx context.Context, fs vfs.FS, dir string) error {
	if fs == nil {
		fs = vfs.OS()
	}
	return db.maintain(ctx, "backup", dir, func() error { return db.eng.Backup(ctx, fs, dir) })
}

// Verify reads and checks every byte of the store's files, beside everything
// else and without changing anything, and returns what is damaged. To verify a
// store that is not open, open it with Options.ReadOnly.
func (db *DB) Verify(ctx context.Context) ([]Damage, error) {
	var out []Damage
	err := db.maintain(ctx, "verify", "", func() error {
		v, err := db.eng.Verify(ctx)
		for _, d := range v.Damage {
			out = append(out, damageOf(&d))
		}
		return err
	})
	return out, err
}

// SetTTL sets how long points of all series at or below a path are kept. The
// setting with the longest path that fits a series counts, before Options.TTL.
// A ttl below 0 means for ever, 0 takes the setting back. It is stored. Points
// that are dropped already do not come back with a longer ttl.
func (db *DB) SetTTL(ctx context.Context, path string, ttl time.Duration) error {
	return db.maintain(ctx, "set ttl", path, func() error {
		if err := db.authorize(ctx, ActionCreateDatabase, path); err != nil {
			return err
		}
		return db.eng.SetTTL(ctx, path, ttl)
	})
}

// TTL returns how long points of a path are kept, 0 = for ever.
func (db *DB) TTL(path string) time.Duration {
	if !db.made() {
		return 0
	}
	return db.eng.TTL(path)
}

func (db *DB) maintain(ctx context.Context, op, subject string, f func() error) error {
	err := db.usable(ctx)
	if err == nil {
		err = f()
	}
	if err != nil {
		return &Error{Op: op, Subject: subject, Err: err}
	}
	return nil
}
