package tickwell

import (
	"context"
	"encoding/binary"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
)

// A query may come to own a series that has rows: the program's, or results of a
// definition before. Those that no window of its own replaces stay, and are no
// results: which windows may have such rows is stored, for [DB.openRollups], until
// they are computed.

// written is the range of the times of rows of series.
//
//go:noinline
func (db *DB) written(paths []string) (incremental.Range, bool, error) {
	var all []*engine.Series
	for _, path := range paths {
		if ser, ok := db.eng.Lookup(pattern.Split(path)); ok {
			all = append(all, ser)
		}
	}
	snap := db.eng.Snapshot()
	defer snap.Release()
	return extentOf(context.Background(), snap, all)
}

// windowsWritten returns the windows that rows which are stored at r belong to.
//
//go:noinline
func (v *cqView) windowsWritten(r incremental.Range) incremental.Range {
	return incremental.Range{From: max(v.windowOf(r.From), v.from), To: v.grid.Start(v.grid.Last(v.windowOf(r.To)) + 1)}
}

// noteFound adds to puts what is to be stored of the rows of series that are q's
// now.
//
//go:noinline
func (db *DB) noteFound(q *cq, paths []string, puts []engine.Put) ([]engine.Put, error) {
	v := q.view
	if v == nil || v.grouped() {
		return puts, nil
	}
	r, ok, err := db.written(paths)
	if ok {
		v.mu.Lock()
		puts = v.addFound(v.windowsWritten(r), puts)
		v.mu.Unlock()
	}
	return puts, err
}

// addFound notes that there are rows in the windows of r, and adds to puts what is
// stored of that. Runs look for rows there from now on. The lock is held.
//
//go:noinline
func (v *cqView) addFound(r incremental.Range, puts []engine.Put) []engine.Put {
	if v.found.Add(r); !r.Empty() {
		v.frontier = max(v.frontier, r.To)
	}
	var b []byte
	for _, r := range v.found.All() {
		b = appendWord(appendWord(b, uint64(r.From)), uint64(r.To))
	}
	return append(puts, engine.Put{Kind: engine.PutProgress, Key: cqKey(v.name, "found"), Value: b, Delete: b == nil})
}

func (v *cqView) loadFound(e *engine.Engine) {
	b, _ := e.Get(cqKey(v.name, "found"))
	for ; len(b) >= 16; b = b[16:] {
		v.addFound(incremental.Range{From: int64(binary.LittleEndian.Uint64(b)), To: int64(binary.LittleEndian.Uint64(b[8:]))}, nil)
	}
}

// claimWritten makes what run wrote its query's, and adds to in what is to be stored
// of that. It returns what was nobody's before, also after an error.
func (db *DB) claimWritten(ctx context.Context, run *CQRun, in *insertion) (added []string, err error) {
	paths, err := targetPaths(run.wrote)
	if err != nil {
		return nil, err
	}
	v := run.spec.view
	if v != nil {
		v.claiming.Store(true)
	}
	if added, err = db.cqs.claim(run.Name, paths, true); err == nil && v != nil {
		err = db.cqs.barrier(ctx) // then what was let in before is there
	}
	if err == nil {
		in.fx.puts, err = db.noteFound(run.spec, added, in.fx.puts)
	}
	for _, p := range added {
		in.fx.puts = append(in.fx.puts, engine.Put{Kind: engine.PutProgress, Key: cqKey(run.Name, "t/") + p, Value: []byte{1}})
	}
	run.claimed = len(added) > 0
	if v != nil {
		v.claiming.Store(false)
	}
	return added, err
}
