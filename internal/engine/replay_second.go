package engine

import (
	"runtime"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
)

// second is a goroutine that puts rows of some devices into memory while the first
// one reads, checks and decodes what follows and puts in those of the others. The
// rows of a device are all put in by one of them, in the order of the log, so that
// memory is the same as with one. Everything that is not rows of one moment of many
// devices waits until the second has nothing to do.
type second struct {
	idle []*portion  // nobody uses them
	bare []*sheaf    // these too
	held *sheaf      // what was read last, to be put in next; nil: nothing
	out  int         // how many sheaves the second has
	todo chan *sheaf // nil: there is none
	back chan *sheaf
	seen int // sections that would be worth it
	off  bool
}

// sheaf is portions on their way into memory, in the order of the log.
type sheaf struct {
	list    []*portion
	cells   int
	texts   int                 // bytes
	moments [2]memtable.Moments // scratch, for each goroutine
}

// side says which of the two puts the rows of a device in.
type side uint8

const (
	firstSide  side = 0
	secondSide side = 1
	bothSides  side = 2
)

// sideOf gives a fourth of the devices to the first, which has to decode as well: four
// neighbours of sixteen, for what belongs to neighbours shares lines of the cache.
func sideOf(device uint32) side {
	if device%16 < 4 {
		return firstSide
	}
	return secondSide
}

const (
	sheaves      = 3       // that are under way at most
	sheafCells   = 1 << 14 // from which on a sheaf is put in
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
	return new(portion)
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

// put takes a portion that is to be put in after those before it.
func (s *second) put(e *Engine, p *portion) {
	cells, texts := len(p.times.Int64s)*len(p.kinds), p.textBytes()
	if cells > largePortion || texts > largeTexts {
		s.push(e)
		s.wait()
		e.applyPortion(p, bothSides)
		s.free(p)
		return
	}
	f := s.held
	if f == nil {
		if n := len(s.bare); n > 0 {
			f, s.bare = s.bare[n-1], s.bare[:n-1]
		} else {
			f = new(sheaf)
		}
		s.held = f
	}
	f.list = append(f.list, p)
	f.cells += cells
	f.texts += texts
	if len(f.list) == memtable.MaxMoments || f.cells >= sheafCells || f.texts >= largeTexts {
		s.push(e)
	}
}

// push puts in what is held, with the second goroutine where that is worth it.
func (s *second) push(e *Engine) {
	f := s.held
	if f == nil {
		return
	}
	s.held = nil
	if !s.worth(e, f) {
		e.applySheaf(f, bothSides)
		s.empty(f)
		return
	}
	if s.out == sheaves {
		s.out--
		s.empty(<-s.back)
	}
	s.out++
	s.todo <- f
	e.applySheaf(f, firstSide)
}

// worth reports whether the second goroutine is to help with f, and starts it.
func (s *second) worth(e *Engine, f *sheaf) bool {
	if f.cells < portionCells*len(f.list) && s.out == 0 {
		return false
	}
	if s.todo == nil {
		s.seen += len(f.list)
		return s.seen >= fewPortions && !s.off && s.start(e)
	}
	return true
}

// empty frees the portions of a sheaf that is put in.
func (s *second) empty(f *sheaf) {
	for i, p := range f.list {
		s.free(p)
		f.list[i] = nil
	}
	f.list, f.cells, f.texts = f.list[:0], 0, 0
	s.bare = append(s.bare, f)
}

// start begins the goroutine, if there is a processor and memory for it.
func (s *second) start(e *Engine) bool {
	if s.off = runtime.GOMAXPROCS(0) < 2 || e.cfg.MemtableBytes <= smallMemtable; s.off {
		return false
	}
	s.todo, s.back = make(chan *sheaf, sheaves), make(chan *sheaf, sheaves+1)
	go func(todo <-chan *sheaf, back chan<- *sheaf) {
		for f := range todo {
			e.applySheaf(f, secondSide)
			back <- f
		}
		back <- nil
	}(s.todo, s.back)
	return true
}

// wait returns when the second goroutine has put in all that it has.
func (s *second) wait() {
	for ; s.out > 0; s.out-- {
		s.empty(<-s.back)
	}
}

// stop ends the goroutine. What is held is not put in.
func (s *second) stop() {
	s.wait()
	if s.todo != nil {
		close(s.todo)
		<-s.back
		s.todo = nil
	}
	s.idle, s.bare, s.held = nil, nil, nil
}
