// Peer pebble: github.com/cockroachdb/pebble as a raw key-value store.
package main

import (
	"github.com/tickwell/tickwell/bench/adapter/kv"
	"github.com/tickwell/tickwell/bench/harness"

	"github.com/cockroachdb/pebble/v2"
)

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) { panic("pebble: fatal") }

type store struct {
	db *pebble.DB
	wo *pebble.WriteOptions
}

func open(c harness.Config) (harness.Store, error) {
	db, err := pebble.Open(c.Dir, &pebble.Options{Logger: quiet{}})
	wo := pebble.Sync
	if c.Variant == "nosync" {
		wo = pebble.NoSync
	}
	return &store{db, wo}, err
}

func (s *store) WriteBatch(pts []harness.Point) error {
	b := s.db.NewBatch()
	defer b.Close()
	for _, p := range pts {
		op := b.SetDeferred(kv.KeyLen, kv.ValLen)
		kv.PutKey(op.Key, p.Series, p.TS)
		kv.PutVal(op.Value, p.V)
		if err := op.Finish(); err != nil {
			return err
		}
	}
	return b.Commit(s.wo)
}

func (s *store) Flush() error { return s.db.Flush() }
func (s *store) Close() error { return s.db.Close() }

func (s *store) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	var lo, hi [kv.KeyLen]byte
	kv.PutKey(lo[:], n, from)
	kv.PutKey(hi[:], n, to+1)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lo[:], UpperBound: hi[:]})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		fn(kv.TS(it.Key()), kv.Val(it.Value()))
	}
	return it.Close()
}

func main() {
	harness.Main(harness.Peer{Name: "pebble", Module: "github.com/cockroachdb/pebble/v2", Open: open,
		Class: map[string]harness.Class{"": harness.Synced, "nosync": harness.Buffered},
		Durability: map[string]string{
			"":       "WAL fsynced on every commit (its default)",
			"nosync": "WAL in a buffer of the process that is written and not fsynced a little later"}})
}
