package engine

import (
	"runtime"

	"github.com/tickwell/tickwell/internal/column"
)

// second is a goroutine that puts rows of some devices into memory while the first
// one reads, checks and decodes what follows and puts in those of the others. The
// rows of a device are all put in by one of them, in the order of the log, so that
// memory is the same as with one. Everything that is not rows of one moment of many
// devices waits until the second has nothing to do.
type second struct {
	idle []*portion    // nobody uses them
	out  int           // how many the second has
	todo chan *portion // nil: there is none
	back chan *portion
	seen int // sections that would be worth it
	off  bool
}

// side says which of the two puts the rows of a device in.
type side uint8

const (
	firstSide  side = 0
	secondSide side = 1
	bothSides  side = 2
)

// sideOf gives three of eight devices to the first, which has to decode as well.
func sideOf(device uint32) side {
	if device%8 < 3 {
		return firstSide
	}
	return secondSide
}

const (
	portions     = 16      // that are under way at most
	portionCells = 256     // from which on one is worth handing over
	largePortion = 1 << 14 // cells from which on it is not, for the memory
	largeTexts   = 1 << 17 // bytes of texts from which on it is not
	fewPortions  = 16      // before which a goroutine is not worth it
)

// portion returns one that nobody uses.
func (s *second) portion() *portion {
	if n := len(s.idle); n > 0 {
		p := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return p
	}
	if s.out < portions {
		return new(portion)
	}
	s.out--
	return <-s.back
}

// free gives a portion back.
func (s *second) free(p *portion) {
	if p.large() || p.textBytes() > largeTexts {
		return
	}
	s.idle = append(s.idle, p)
}

func (p *portion) large() bool {
	return len(p.ids.Int64s)+len(p.times.Int64s)*len(p.kinds) > 2*largePortion
}

// textBytes returns how long the texts of p are together.
func (p *portion) textBytes() (n int) {
	for c, k := range p.kinds {
		if k == column.Text && c < len(p.cols) {
			for _, s := range p.cols[c].Texts {
				n += len(s)
			}
		}
	}
	return n
}

// take hands p to the second goroutine, which is to put in its side. It returns
// false where that is not worth it: then the caller puts in both.
func (s *second) take(e *Engine, p *portion) bool {
	cells := len(p.times.Int64s) * len(p.kinds)
	if cells > largePortion || p.textBytes() > largeTexts {
		s.drain()
		return false
	}
	if cells < portionCells && s.out == 0 {
		return false
	}
	if s.todo == nil {
		if s.seen++; s.seen < fewPortions || s.off || !s.start(e) {
			return false
		}
	}
	s.out++
	s.todo <- p
	return true
}

// start begins the goroutine, if there is a processor and memory for it.
func (s *second) start(e *Engine) bool {
	if s.off = runtime.GOMAXPROCS(0) < 2 || e.cfg.MemtableBytes <= smallMemtable; s.off {
		return false
	}
	s.todo, s.back = make(chan *portion, portions), make(chan *portion, portions+1)
	go func(todo <-chan *portion, back chan<- *portion) {
		for p := range todo {
			e.applyPortion(p, secondSide)
			back <- p
		}
		back <- nil
	}(s.todo, s.back)
	return true
}

// drain waits until the second goroutine has put in all that it has.
func (s *second) drain() {
	for ; s.out > 0; s.out-- {
		s.idle = append(s.idle, <-s.back)
	}
}

// stop ends the goroutine.
func (s *second) stop() {
	s.drain()
	if s.todo != nil {
		close(s.todo)
		<-s.back
		s.todo = nil
	}
	s.idle = nil
}
