package window

import "math"

// Keys of basic types can be saved; those of other types can not.

func appendKey[K comparable](dst []byte, key K) ([]byte, error) {
	dst, ok := appendValue(dst, key, nil)
	if !ok {
		return dst, noCodec[K]()
	}
	return dst, nil
}

// AppendState appends a snapshot of all keys to dst, after the results that
// wait have been evaluated. It needs a reducer that is a [StateCodec], and keys
// of a basic type.
func (h *KeyedReducing[K, T, A, R]) AppendState(dst []byte) ([]byte, error) {
	codec, err := h.p.codec()
	if err != nil {
		return dst, err
	}
	if h.p.busy {
		return dst, wrap("save", ErrReentrant)
	}
	defer h.out.enterIdle()()
	from := len(dst)
	err = protect(func() error {
		dst = openSnapshot(dst, h.p.text("keyed"))
		dst = h.p.stats.append(dst)
		dst = putInts(dst, h.b.mark, h.b.keys.newest, int64(h.b.keys.index.n))
		var scratch []A
		return h.b.eachSaved(func(e *entry[K, cell[T, A]]) (err error) {
			if dst, err = appendKey(dst, e.key); err != nil || e.state == nil {
				dst = putInts(dst, e.newest, 0)
				return err
			}
			dst = putInts(dst, e.newest, 1)
			dst, err = h.p.appendCell(dst, e.state, codec, &scratch)
			return err
		})
	})
	if err != nil {
		return dst[:from], err
	}
	return sealSnapshot(dst, from), nil
}

// eachSaved calls f for each entry, the one longest without a row first where
// that matters.
func (b *book[K, S]) eachSaved(f func(*entry[K, S]) error) (err error) {
	if !b.keys.lru {
		b.keys.all(func(e *entry[K, S]) bool { err = f(e); return err == nil })
		return err
	}
	for id := b.keys.oldest; id >= 0 && err == nil; id = b.keys.at(id).next {
		err = f(b.keys.at(id))
	}
	return err
}

// LoadState replaces the state of all keys by a snapshot; see
// [Handler.LoadState].
func (h *KeyedReducing[K, T, A, R]) LoadState(src []byte) error {
	codec, err := h.p.codec()
	if err != nil {
		return err
	}
	return h.change("load", func() error {
		return protect(func() error {
			body, err := unseal(src, h.p.text("keyed"))
			if err != nil {
				return err
			}
			in := &reader{src: body}
			stats := readStats(in)
			b := newBook(h.b.keys.opts, h.p.late, h.b.do)
			b.mark, b.keys.newest = min(in.int(), math.MaxInt64-1), in.int()
			for range in.count(17) {
				b.load(in, func(e *entry[K, cell[T, A]]) *cell[T, A] {
					c := h.p.newCell()
					c.key = e.id
					h.p.loadCell(in, c, codec)
					if g := h.out.gate; g != nil {
						c.arrived = g.clk.Mono()
					}
					if in.err == nil {
						h.p.rearm(c)
					}
					return c
				})
			}
			in.must(len(in.src) == 0)
			if in.err != nil {
				return in.err
			}
			h.b, *h.p.stats = b, stats
			return nil
		})
	})
}

// load reads an entry; state reads what it has open.
func (b *book[K, S]) load(in *reader, state func(*entry[K, S]) *S) {
	key := readValue[K](in, nil)
	newest, open := in.int(), in.int()
	in.must(b.keys.find(key) == nil && open >= 0 && open <= 1)
	if in.err != nil {
		return
	}
	e := b.keys.add(key)
	e.newest = newest
	if open == 0 {
		return
	}
	s := state(e)
	if in.err != nil {
		return
	}
	e.state = s
	b.open++
	b.keys.bytes += b.do.bytes(s)
	b.note(e)
}

// AppendState appends a snapshot of all keys to dst, after the windows that wait
// have been evaluated. Keys must be of a basic type.
func (h *KeyedHandler[K, T]) AppendState(dst []byte) ([]byte, error) {
	if h.busy {
		return dst, wrap("save", ErrReentrant)
	}
	from := len(dst)
	dst = openSnapshot(dst, stateText("keyed rows", h.spec, h.opts))
	dst = putInts(dst, h.b.mark, h.b.keys.newest, int64(h.b.keys.index.n))
	var one []byte
	err := h.b.eachSaved(func(e *entry[K, rowState[T]]) (err error) {
		if dst, err = appendKey(dst, e.key); err != nil || e.state == nil {
			dst = putInts(dst, e.newest, 0)
			return err
		}
		one, err = e.state.AppendState(one[:0])
		dst = putInts(dst, e.newest, 1, int64(len(one)))
		dst = append(dst, one...)
		return err
	})
	if err != nil {
		return dst[:from], err
	}
	return sealSnapshot(dst, from), nil
}

// LoadState replaces the state of all keys by a snapshot; see
// [Handler.LoadState].
func (h *KeyedHandler[K, T]) LoadState(src []byte) error {
	if err := h.usable("load"); err != nil {
		return err
	}
	return protect(func() error {
		body, err := unseal(src, stateText("keyed rows", h.spec, h.opts))
		if err != nil {
			return err
		}
		in := &reader{src: body}
		b := newBook(h.b.keys.opts, h.b.late, h.b.do)
		mark := in.int()
		b.keys.newest = in.int()
		for range in.count(17) {
			b.load(in, func(e *entry[K, rowState[T]]) *rowState[T] {
				n := in.count(1)
				s, err := b.do.create(e)
				if err == nil && in.err == nil {
					err = s.LoadState(in.src[:n])
				}
				if err != nil || in.err != nil {
					in.fail()
					return nil
				}
				in.src = in.src[n:]
				return s
			})
		}
		in.must(len(in.src) == 0)
		if in.err != nil {
			return in.err
		}
		b.mark = min(mark, math.MaxInt64-1)
		old := h.b
		h.b = b
		old.keys.all(func(e *entry[K, rowState[T]]) bool {
			if e.state != nil {
				_ = e.state.Close() // stops its timer
			}
			return true
		})
		return nil
	})
}
