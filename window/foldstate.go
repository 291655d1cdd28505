package window

import (
	"encoding/binary"
	"fmt"
	"math"
)

// AppendState appends a snapshot of r to dst, after the results that wait have
// been evaluated. It needs a reducer that is a [StateCodec].
func (r *Reducing[T, A, R]) AppendState(dst []byte) ([]byte, error) {
	codec, err := r.p.codec()
	if err != nil {
		return dst, err
	}
	if r.p.busy {
		return dst, wrap("save", ErrReentrant)
	}
	defer r.out.enterIdle()()
	from := len(dst)
	err = protect(func() error {
		dst = openSnapshot(dst, r.p.text("fold"))
		dst = r.p.stats.append(dst)
		dst, err = r.p.appendCell(dst, r.c, codec, nil)
		return err
	})
	if err != nil {
		return dst[:from], err
	}
	return sealSnapshot(dst, from), nil
}

// LoadState replaces the state of r by a snapshot; see [Handler.LoadState].
func (r *Reducing[T, A, R]) LoadState(src []byte) error {
	codec, err := r.p.codec()
	if err != nil {
		return err
	}
	return r.change("load", func() error {
		return protect(func() error {
			body, err := unseal(src, r.p.text("fold"))
			if err != nil {
				return err
			}
			in := &reader{src: body}
			stats := readStats(in)
			c := r.p.newCell()
			r.p.loadCell(in, c, codec)
			in.must(len(in.src) == 0)
			if in.err != nil {
				return in.err
			}
			r.c, *r.p.stats = c, stats
			if g := r.out.gate; g != nil {
				g.arrived = g.clk.Mono()
			}
			return nil
		})
	})
}

func (p *reduction[T, A, R]) text(face string) string {
	return fmt.Sprintf("%s by %T", stateText(face, p.spec, &p.opts), p.red)
}

func (p *reduction[T, A, R]) codec() (StateCodec[A], error) {
	c, ok := p.red.(StateCodec[A])
	if !ok {
		return nil, fmt.Errorf("window: %T can not be saved, it is no StateCodec: %w", p.red, ErrState)
	}
	return c, nil
}

const savedCellFlags = begun | marked | given | isOpen

// appendCell writes the state of one key. scratch is for the accumulators.
func (p *reduction[T, A, R]) appendCell(dst []byte, c *cell[T, A], codec StateCodec[A], scratch *[]A) (_ []byte, err error) {
	p.catchUp(c)
	origin := int64(0)
	if c.grid != nil && p.spec.Anchor == FirstPoint {
		origin = c.grid.Start(c.grid.lowest)
	}
	dst = putInts(dst, int64(c.flags&savedCellFlags), c.seen, c.mark, c.next, c.begin, c.end, c.rows, int64(c.emptyRun), origin, c.own.n)
	if c.own.n > 0 {
		dst = codec.AppendState(dst, []A{c.own.acc})
	}
	if p.spec.Kind == State && c.is(isOpen) {
		var ok bool
		if dst, ok = appendValue(dst, c.first, p.opts.Codec); !ok {
			return dst, noCodec[T]()
		}
	}
	if c.ring != nil {
		dst = c.ring.append(dst, codec, scratch)
	}
	if c.held != nil {
		if dst, err = appendRows(dst, c.held, p.opts.Codec); err != nil {
			return dst, err
		}
	}
	return c.revs.append(dst), nil
}

func (p *reduction[T, A, R]) loadCell(r *reader, c *cell[T, A], codec StateCodec[A]) {
	c.flags = uint8(r.int()) & savedCellFlags
	for _, q := range []*int64{&c.seen, &c.mark, &c.next, &c.begin, &c.end, &c.rows} {
		*q = r.int()
	}
	c.mark = min(c.mark, math.MaxInt64-1) // as raise holds it
	c.emptyRun = int(min(max(r.int(), 0), math.MaxInt32))
	origin := r.int()
	c.own.n = r.int()
	r.must(c.own.n >= 0 && c.rows >= 0 && c.rows < math.MaxInt64/2 && (p.grid != nil || c.next >= 0 && c.next < math.MaxInt64/2))
	if p.spec.Kind == Size {
		r.must(c.next > c.rows && c.next-c.rows <= max(p.rows, p.stride))
	}
	if c.own.n > 0 && r.err == nil {
		acc := make([]A, 1)
		loadAccs(r, codec, acc)
		c.own.acc = acc[0]
	}
	if p.spec.Kind == State && c.is(isOpen) && r.err == nil {
		c.first = readValue(r, p.opts.Codec)
		if p.words {
			c.word = word(c.first)
		}
	}
	if p.grid != nil && c.is(begun) && r.err == nil {
		p.anchor(c, origin)
		end, begin := c.end, c.begin
		p.moveTo(c, c.next)
		r.must(c.end == end && (c.ring != nil || c.begin == begin))
	}
	if c.ring != nil {
		c.ring.load(r, codec)
		p.checkRing(r, c)
	}
	if c.held != nil {
		*c.held = readRows(r, p.opts.Codec)
	}
	if c.revs != nil {
		c.revs.load(r, p.opts.Clock)
	}
}

// checkRing refuses panes that the windows do not ask for.
func (p *reduction[T, A, R]) checkRing(r *reader, c *cell[T, A]) {
	switch {
	case r.err != nil:
	case p.spec.Kind == Size:
		g := p.paneRows()
		from := c.next - p.rows
		r.must(from >= 0 && from%g == 0 && c.rows < c.next && c.ring.high == max((c.rows+g-1)/g, from/g) && c.ring.low <= from/g)
		if into := c.rows % g; r.err == nil && into > 0 {
			c.cur = c.ring.at(c.rows / g)
		}
	case c.is(begun):
		r.must(c.ring.low == p.firstPane(c, c.next))
	}
}

func (p *panes[A]) append(dst []byte, codec StateCodec[A], scratch *[]A) []byte {
	dst = putInts(dst, p.low, p.high)
	n := int(p.high - p.low)
	if scratch == nil {
		scratch = new([]A)
	}
	accs := (*scratch)[:0]
	most := int64(0)
	for i := range n {
		if q := p.at(p.low + int64(i)); q.n > 0 {
			accs = append(accs, q.acc)
			most = max(most, q.n)
		}
	}
	*scratch = accs
	dst = p.appendCounts(dst, n, most)
	dst = codec.AppendState(dst, accs)
	if p.first != nil {
		for i := p.low; i < p.high; i++ {
			dst = putInts(dst, p.first[i&int64(len(p.first)-1)])
		}
	}
	return dst
}

// appendCounts writes the panes' row counts, in a byte each where they fit.
func (p *panes[A]) appendCounts(dst []byte, n int, most int64) []byte {
	width := 8
	if most < 256 {
		width = 1
	}
	dst = append(dst, byte(width))
	at := len(dst)
	dst = append(dst, make([]byte, width*n)...)
	for i := range n {
		if q := p.at(p.low + int64(i)); width == 1 {
			dst[at+i] = byte(q.n)
		} else {
			binary.LittleEndian.PutUint64(dst[at+8*i:], uint64(q.n))
		}
	}
	return dst
}

func (p *panes[A]) load(r *reader, codec StateCodec[A]) {
	low, high := r.int(), r.int()
	r.must(high >= low && uint64(high)-uint64(low) <= uint64(len(p.ring)))
	if r.err != nil {
		return
	}
	p.start(low)
	p.high, p.some = high, low
	filled := 0
	width := readValue[uint8](r, nil)
	r.must(width == 1 || width == 8)
	for i := low; i < high; i++ {
		q := p.at(i)
		if width == 1 {
			q.n = int64(readValue[uint8](r, nil))
		} else {
			q.n = r.int()
		}
		r.must(q.n >= 0)
		if q.n > 0 {
			filled++
		}
	}
	r.must(filled <= len(r.src))
	if r.err != nil {
		return
	}
	accs := make([]A, filled)
	loadAccs(r, codec, accs)
	for i := low; i < high; i++ {
		if q := p.at(i); q.n > 0 {
			q.acc, accs = accs[0], accs[1:]
		}
	}
	if p.first != nil {
		for i := low; i < high; i++ {
			p.first[i&int64(len(p.first)-1)] = r.int()
		}
	}
}

func loadAccs[A any](r *reader, codec StateCodec[A], accs []A) {
	rest, err := codec.LoadState(r.src, accs)
	if err != nil {
		r.fail()
		return
	}
	r.src = rest
}
