package exec

// fewOrdinals is how many keys are looked up one by one: a map costs more to make.
const fewOrdinals = 8

// ordinals numbers keys in the order in which they come.
type ordinals[K string | *Series] struct {
	keys []K
	at   map[K]int // once there are many
}

// of returns the number of k.
func (o *ordinals[K]) of(k K) (int, bool) {
	if o.at != nil {
		i, ok := o.at[k]
		return i, ok
	}
	for i, have := range o.keys {
		if have == k {
			return i, true
		}
	}
	return 0, false
}

// add gives k, which has none, the next number.
func (o *ordinals[K]) add(k K) int {
	n := len(o.keys)
	if n == 0 {
		o.keys = make([]K, 0, fewOrdinals/2)
	}
	o.keys = append(o.keys, k)
	switch {
	case o.at != nil:
		o.at[k] = n
	case n == fewOrdinals:
		o.at = make(map[K]int, 2*n)
		for i, have := range o.keys {
			o.at[have] = i
		}
	}
	return n
}
