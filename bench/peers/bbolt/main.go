// Peer bbolt: go.etcd.io/bbolt as a raw key-value store, one bucket.
package main

import (
	"path/filepath"

	"github.com/tickwell/tickwell/bench/adapter/kv"
	"github.com/tickwell/tickwell/bench/harness"

	"go.etcd.io/bbolt"
)

type store struct{ db *bbolt.DB }

var bucket = []byte("p")

func open(c harness.Config) (harness.Store, error) {
	db, err := bbolt.Open(filepath.Join(c.Dir, "bolt.db"), 0o644, nil)
	if err != nil {
		return nil, err
	}
	db.NoSync = c.Variant == "nosync"
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	return &store{db}, err
}

func (s *store) WriteBatch(pts []harness.Point) error {
	buf := make([]byte, len(pts)*(kv.KeyLen+kv.ValLen)) // must live until the commit
	return s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		for i, p := range pts {
			k := buf[i*(kv.KeyLen+kv.ValLen):][:kv.KeyLen+kv.ValLen]
			kv.PutKey(k, p.Series, p.TS)
			kv.PutVal(k[kv.KeyLen:], p.V)
			if err := b.Put(k[:kv.KeyLen], k[kv.KeyLen:]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *store) Flush() error { return s.db.Sync() }
func (s *store) Close() error { return s.db.Close() }

func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	var lo [kv.KeyLen]byte
	kv.PutKey(lo[:], n, from)
	return s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k, v := c.Seek(lo[:]); k != nil && kv.Series(k) == n && kv.TS(k) <= to; k, v = c.Next() {
			fn(kv.TS(k), kv.Val(v))
		}
		return nil
	})
}

func main() {
	harness.Main(harness.Peer{Name: "bbolt", Module: "go.etcd.io/bbolt", Open: open,
		Class: map[string]harness.Class{"": harness.Synced, "nosync": harness.Process},
		Durability: map[string]string{
			"":       "fdatasync on every commit (its default)",
			"nosync": "NoSync: no fsync on commit"}})
}
