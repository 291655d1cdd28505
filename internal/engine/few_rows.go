package engine

import "github.com/tickwell/tickwell/internal/merge"

// FewRows copies the rows of some series of one device with from <= time < to
// (to = math.MaxInt64: to the end) to f, if they are few and lie decoded in memory,
// as the newest ones do. It reports whether it did; else Rows tells.
func (s *Snapshot) FewRows(f *merge.FewRows, series []*Series, from, to int64) bool {
	if s.closed || s.released.Load() || s.reach.on || len(s.version.masks) > 0 {
		return false
	}
	f.Start(len(series), from, to)
	dev := series[0].Dev
	for i, ser := range series {
		if !f.Want(i, ser.ID, ser.Kind) || ser.Dev != dev {
			return false
		}
	}
	for _, file := range s.version.files {
		if f.Touches(file.meta.MinTime, file.meta.MaxTime) {
			return false
		}
	}
	for _, t := range s.tables {
		if d := t.Device(dev.ID, false); d != nil && !d.FewRows(f, s.epoch) {
			return false
		}
	}
	return true
}
