package engine

import "sync/atomic"

// positions counts commits where there is no log. Points that come one after the
// other share a position, as in the log they share a record, until a commit takes the
// next one or the last is cut off: the atomic write of each would cost as much as the
// lock of its device.
type positions struct {
	word atomic.Uint64 // twice the last position, and 1 while points may share it
}

// last returns the last position taken, 0 if none.
func (p *positions) last() uint64 { return p.word.Load() >> 1 }

// next takes a position that nobody shares.
func (p *positions) next() uint64 {
	for {
		if w := p.word.Load(); p.word.CompareAndSwap(w, (w>>1+1)<<1) {
			return w>>1 + 1
		}
	}
}

// isShared reports whether shared returns the last position.
func (p *positions) isShared() bool { return p.word.Load()&1 != 0 }

// shared returns a position for a point. It is beyond those of all commits before.
func (p *positions) shared() uint64 {
	for {
		w := p.word.Load()
		if w&1 != 0 {
			return w >> 1
		}
		if p.word.CompareAndSwap(w, (w>>1+1)<<1|1) {
			return w>>1 + 1
		}
	}
}

// cut returns the last position, which nobody takes from then on.
func (p *positions) cut() uint64 { return p.word.And(^uint64(1)) >> 1 }
