package engine

import "math"

// coldBefore returns the time before which points are compressed when they are
// compacted.
func (e *Engine) coldBefore(v *version) int64 {
	if v.newest < math.MinInt64+int64(e.cfg.ColdAfter) {
		return math.MinInt64
	}
	return v.newest - int64(e.cfg.ColdAfter)
}

// cooled returns a file that is compacted to compress its blocks: all its points
// are old, and it was not tried before. Each file is so at most once.
func (e *Engine) cooled(files []*blockFile) []*blockFile {
	if e.cfg.Coder == nil {
		return nil
	}
	e.gate.RLock()
	before := e.coldBefore(e.version)
	e.gate.RUnlock()
	for _, f := range files {
		if f.fit() && f.meta.MaxTime < before && !f.reader.Meta().Cold {
			return []*blockFile{f}
		}
	}
	return nil
}
