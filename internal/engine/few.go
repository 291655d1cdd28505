package engine

import (
	"github.com/tickwell/tickwell/internal/merge"
)

// Few returns the points of one series with from <= time < to (to = math.MaxInt64:
// to the end) as they are now, if they are few and lie decoded in memory, as the
// newest ones do. Else it returns nil: a cursor tells. Who has it closes it.
//
// One series is read under the locks of its device, one table after the other, so
// that neither a snapshot nor a cursor is needed: a commit holds the locks of all
// its devices until all its rows are there, and the gate keeps tables and files
// from being exchanged.
func (e *Engine) Few(ser *Series, from, to int64) *merge.Few {
	f := merge.NewFew(ser.Kind, from, to)
	e.gate.RLock()
	ok := e.few(f, ser)
	e.gate.RUnlock()
	if !ok {
		f.Close()
		return nil
	}
	return f
}

// few adds the points of a series, oldest first. The gate is held.
func (e *Engine) few(f *merge.Few, ser *Series) bool {
	v := e.version
	if e.closed || ser.Gone() || e.retention.on.Load() || len(v.masks) > 0 {
		return false
	}
	from, _ := f.Range()
	for _, file := range v.files {
		if !f.Touches(file.meta.MinTime, file.meta.MaxTime) {
			continue
		}
		src, ok := file.tails.Load().since(ser.ID, from)
		if !ok {
			return false
		}
		if c := src[0].Chunk.(*tailChunk); !f.Add(c.times, &c.values, nil) {
			return false
		}
	}
	if e.frozen != nil {
		if d := e.frozen.table.Device(ser.Dev.ID, false); d != nil && !d.Few(f, ser.ID) {
			return false
		}
	}
	d := e.mem.Device(ser.Dev.ID, false)
	return d == nil || d.Few(f, ser.ID)
}
