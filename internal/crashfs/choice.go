package crashfs

import "slices"

// choice decides, for one image, on each change that is not durable.
type choice struct {
	mode Mode
	seed uint64

	names []bool // Random: which pending operations on names are kept
	torn  *edit  // Torn: the write that is cut
	keep  int    // Torn: how many of its bytes are kept

	data     dataStyle // Random
	limit    int       // Random, keepPrefix: the last operation kept; keepButOne: the one lost
	sizeKept bool      // Random: a lost write has grown the file all the same
}

// dataStyle is how a Random image treats writes.
type dataStyle uint8

const (
	byOperation dataStyle = iota // each by the toss of a coin
	bySector                     // each 512-byte sector of each
	keepPrefix                   // in order up to some operation, over all files
	keepButOne                   // all but one
	dataStyles
)

const sectorSize = 512

func newChoice(d *disk, mode Mode, seed uint64) *choice {
	ch := &choice{mode: mode, seed: seed}
	switch mode {
	case Torn:
		if ch.torn = d.lastWrite(); ch.torn != nil {
			ch.keep = int(seed % uint64(len(ch.torn.data)))
		}
	case Random:
		ch.data = dataStyle(ch.toss(1) % uint64(dataStyles))
		ch.sizeKept = ch.toss(2)%2 == 0
		ch.limit = ch.pickOp(d)
		ch.names = ch.pickNames(d.pending)
	}
	return ch
}

// toss returns a number that depends on the seed and on what it is for alone,
// so that an image does not depend on the order in which files are visited.
// It is splitmix64.
func (ch *choice) toss(what ...uint64) uint64 {
	z := ch.seed
	for _, w := range what {
		z += w*0xD1342543DE82EF95 + 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
	}
	return z
}

// pickOp picks one of the operations that changed bytes.
func (ch *choice) pickOp(d *disk) int {
	var ops []int
	for _, f := range d.files {
		for i := range f.edits {
			if !f.edits[i].durable {
				ops = append(ops, f.edits[i].op)
			}
		}
	}
	if len(ops) == 0 {
		return 0
	}
	slices.Sort(ops)
	return ops[ch.toss(3)%uint64(len(ops))]
}

// pickNames picks operations on names: all, none, the first ones as a journal
// would, or any of them. An operation that is kept keeps the earlier ones on
// the same names, for their order is in one directory block.
func (ch *choice) pickNames(pending []renaming) []bool {
	keep := make([]bool, len(pending))
	switch style := ch.toss(4) % 8; {
	case style == 0:
	case style == 1:
		for i := range keep {
			keep[i] = true
		}
	case style <= 3:
		for i := range ch.toss(5) % uint64(len(pending)+1) {
			keep[i] = true
		}
	default:
		type key struct {
			dir  int
			name string
		}
		needed := map[key]bool{}
		for i := len(pending) - 1; i >= 0; i-- {
			keep[i] = ch.toss(6, uint64(pending[i].op))%2 == 0
			for _, c := range pending[i].changes {
				keep[i] = keep[i] || needed[key{c.dir, c.name}]
			}
			if keep[i] {
				for _, c := range pending[i].changes {
					needed[key{c.dir, c.name}] = true
				}
			}
		}
	}
	return keep
}

// keepNames reports whether the i-th pending operation on names is kept.
func (ch *choice) keepNames(i int) bool {
	switch ch.mode {
	case None, DirLost:
		return false
	case Random:
		return ch.names[i]
	}
	return true
}

// edit returns data after as much of the edit as the image holds.
func (ch *choice) edit(data []byte, e *edit) []byte {
	switch ch.mode {
	case None, DataLost:
		return data
	case SizeOnly:
		return e.grow(data)
	case Torn:
		if e == ch.torn {
			return put(data, e.off, e.data[:ch.keep])
		}
	case Random:
		return ch.random(data, e)
	}
	return e.apply(data)
}

// grow applies what the edit does to the size.
func (e *edit) grow(data []byte) []byte {
	if e.data == nil {
		return resize(data, int(e.off))
	}
	return resize(data, max(len(data), int(e.off)+len(e.data)))
}

func (ch *choice) random(data []byte, e *edit) []byte {
	keep := true
	switch ch.data {
	case byOperation:
		keep = ch.toss(7, uint64(e.op))%2 == 0
	case keepPrefix:
		keep = e.op <= ch.limit
	case keepButOne:
		keep = e.op != ch.limit
	case bySector:
		if e.data != nil {
			return ch.sectors(data, e)
		}
		keep = ch.toss(8, uint64(e.op))%2 == 0
	}
	switch {
	case keep:
		return e.apply(data)
	case ch.sizeKept && e.data != nil:
		return e.grow(data)
	}
	return data
}

// sectors applies the sectors of a write that the coin is for.
func (ch *choice) sectors(data []byte, e *edit) []byte {
	for at := e.off; at < e.off+int64(len(e.data)); {
		end := min((at/sectorSize+1)*sectorSize, e.off+int64(len(e.data)))
		if ch.toss(9, uint64(e.op), uint64(at))%2 == 0 {
			data = put(data, at, e.data[at-e.off:end-e.off])
		}
		at = end
	}
	if ch.sizeKept {
		data = e.grow(data)
	}
	return data
}
