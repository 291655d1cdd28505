package window

import "hash/maphash"

// keyIndex finds the entry of a key in a table of entry numbers. It takes 16
// bytes a key where a map takes three times that: the keys are in the entries.
type keyIndex[K comparable] struct {
	seed  maphash.Seed
	slots []uint64 // hash in the upper half, number+1 in the lower; 0: free
	n     int
	key   func(id int32) *K
}

func newKeyIndex[K comparable](key func(id int32) *K) *keyIndex[K] {
	return &keyIndex[K]{seed: maphash.MakeSeed(), slots: make([]uint64, 8), key: key}
}

const hashMask = ^uint64(1<<32 - 1)

func (x *keyIndex[K]) hash(key K) uint64 { return maphash.Comparable(x.seed, key) & hashMask }

// home is where a hash belongs.
func (x *keyIndex[K]) home(hash uint64) int { return int(hash>>32) & (len(x.slots) - 1) }

func (x *keyIndex[K]) find(key K) (id int32, ok bool) {
	h := x.hash(key)
	for i := x.home(h); x.slots[i] != 0; i = (i + 1) & (len(x.slots) - 1) {
		if s := x.slots[i]; s&hashMask == h {
			if id := int32(uint32(s) - 1); *x.key(id) == key {
				return id, true
			}
		}
	}
	return 0, false
}

// add makes key, which is not there, known.
func (x *keyIndex[K]) add(key K, id int32) {
	if x.n++; 4*x.n > 3*len(x.slots) {
		old := x.slots
		x.slots = make([]uint64, 2*len(old))
		for _, s := range old {
			if s != 0 {
				x.put(s)
			}
		}
	}
	x.put(x.hash(key) | uint64(uint32(id)+1))
}

func (x *keyIndex[K]) put(s uint64) {
	i := x.home(s)
	for x.slots[i] != 0 {
		i = (i + 1) & (len(x.slots) - 1)
	}
	x.slots[i] = s
}

// remove forgets key, which has number id, and moves up what it pushed away.
func (x *keyIndex[K]) remove(key K, id int32) {
	mask := len(x.slots) - 1
	want := x.hash(key) | uint64(uint32(id)+1)
	i := x.home(want)
	for x.slots[i] != want {
		if x.slots[i] == 0 {
			return // a key that is not equal to itself
		}
		i = (i + 1) & mask
	}
	x.n--
	for j := (i + 1) & mask; x.slots[j] != 0; j = (j + 1) & mask {
		if (j-x.home(x.slots[j]))&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
}
