package window

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// A snapshot is "tww1", the length of a text that names what it is of, that
// text, the body, and a CRC-32C of all before. The text holds the spec, the
// types and the options that shape the state: only a handler made with the same
// can load it. Evaluations that wait are finished first, so that none is lost
// and none comes twice. All numbers are little-endian.

const snapshotMagic = "tww1"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sealSnapshot(dst []byte, from int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
}

func openSnapshot(dst []byte, text string) []byte {
	dst = append(dst, snapshotMagic...)
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

// unseal checks a snapshot and returns its body.
func unseal(src []byte, text string) ([]byte, error) {
	if len(src) < len(snapshotMagic)+4 || string(src[:len(snapshotMagic)]) != snapshotMagic {
		return nil, fmt.Errorf("window: load: not a window's state: %w", ErrState)
	}
	body, sum := src[:len(src)-4], binary.LittleEndian.Uint32(src[len(src)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, fmt.Errorf("window: load: checksum differs: %w", ErrState)
	}
	got, rest, err := loadString(body[len(snapshotMagic):])
	if err != nil {
		return nil, err
	}
	if got != text {
		return nil, fmt.Errorf("window: load: state of %.200q, not of %.200q: %w", got, text, ErrState)
	}
	return rest, nil
}

// stateText names what shapes the state.
func stateText[T any](face string, s Spec, o *Options[T]) string {
	if o == nil {
		o = new(Options[T])
	}
	return fmt.Sprintf("%s %s of %T, strict %t, lateness %d, emission %d, empty %t %d", face, s, *new(T), o.Strict, int64(o.Lateness), o.Emit, o.Empty, o.EmptyCap)
}

// reader takes numbers off a body; after an error it gives zeros.
type reader struct {
	src []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("window: load: %w", ErrState)
	}
	r.src = nil
}

func (r *reader) int() int64 {
	if len(r.src) < 8 {
		r.fail()
		return 0
	}
	v := int64(binary.LittleEndian.Uint64(r.src))
	r.src = r.src[8:]
	return v
}

// count reads a number of things of at least size bytes each.
func (r *reader) count(size int) int {
	n := r.int()
	if n < 0 || n > int64(len(r.src)/max(size, 1)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) must(ok bool) {
	if !ok {
		r.fail()
	}
}

func readValue[T any](r *reader, c Codec[T]) T {
	v, rest, err := loadValue(r.src, c)
	if err != nil {
		r.fail()
		return v
	}
	r.src = rest
	return v
}

func putInts(dst []byte, v ...int64) []byte {
	for _, x := range v {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
	}
	return dst
}

func appendRows[T any](dst []byte, c *column[T], codec Codec[T]) ([]byte, error) {
	dst = putInts(dst, c.low(), int64(c.live()))
	dst = appendInts(dst, c.ts[c.head:])
	for _, v := range c.vals[c.head:] {
		var ok bool
		if dst, ok = appendValue(dst, v, codec); !ok {
			return dst, noCodec[T]()
		}
	}
	return dst, nil
}

func readRows[T any](r *reader, codec Codec[T]) (c column[T]) {
	c.base = r.int()
	n := r.count(8)
	r.must(c.base >= 0 && c.base < math.MaxInt64/2)
	if r.err != nil || n == 0 {
		return c
	}
	c.ts, c.vals = make([]int64, n), make([]T, n)
	r.src, _ = loadInts(r.src, c.ts)
	for i := range c.vals {
		c.vals[i] = readValue(r, codec)
		r.must(i == 0 || c.ts[i-1] <= c.ts[i])
	}
	return c
}

func (r *revisions) append(dst []byte) []byte {
	if r == nil {
		return dst
	}
	dst = putInts(dst, r.upTo, int64(len(r.open)))
	for id, v := range r.open {
		bits := int64(v.given) << 3
		for i, b := range []bool{v.dirty, v.due > 0, v.over} {
			if b {
				bits |= 1 << i
			}
		}
		dst = putInts(dst, id, bits)
	}
	return dst
}

func (r *revisions) load(in *reader, clk Clock) {
	if r == nil {
		return
	}
	r.upTo = in.int()
	clear(r.open)
	for range in.count(16) {
		id, bits := in.int(), in.int()
		v := r.get(id)
		*v = revision{given: uint32(bits >> 3), dirty: bits&1 != 0, over: bits&4 != 0}
		if bits&2 != 0 {
			v.due = clk.Mono() + r.delay
		}
	}
}

func (s *Stats) append(dst []byte) []byte {
	return putInts(dst, int64(s.Late), int64(s.NotNewer), int64(s.Future), int64(s.Refused), int64(s.Windows), int64(s.Empty), int64(s.Skipped), int64(s.Accepted))
}

func readStats(r *reader) (s Stats) {
	for _, p := range []*uint64{&s.Late, &s.NotNewer, &s.Future, &s.Refused, &s.Windows, &s.Empty, &s.Skipped, &s.Accepted} {
		*p = uint64(r.int())
	}
	return s
}

const savedFlags = begun | marked | given | anchored

// AppendState appends a snapshot of h to dst, after the windows that wait have
// been evaluated. A handler made alike that loads it goes on as h would. Like
// Close it must not be called from an evaluator of a pool, a timer or a shared
// handler: it would wait for itself.
func (h *Handler[T]) AppendState(dst []byte) (out []byte, err error) {
	if h.busy {
		return dst, wrap("save", ErrReentrant)
	}
	if h.gate != nil {
		h.gate.lockIdle(h.lane)
		defer h.gate.mu.Unlock()
	} else if err := h.Wait(context.Background()); err != nil {
		return dst, err
	}
	from := len(dst)
	err = protect(func() error {
		dst, err = h.appendState(dst)
		return err
	})
	if err != nil {
		return dst[:from], err
	}
	return sealSnapshot(dst, from), nil
}

func (h *Handler[T]) appendState(dst []byte) ([]byte, error) {
	h.catchUp()
	o := h.option()
	dst = openSnapshot(dst, stateText("rows", h.spec.spec(), h.opts))
	origin := int64(0)
	if h.grid != nil && h.is(anchored) && h.spec.Anchor == FirstPoint {
		origin = h.grid.Start(h.grid.lowest)
	}
	dst = putInts(dst, int64(h.flags&savedFlags), h.seen, h.mark, h.settled, h.next, h.end, h.begin, int64(h.emptyRun), origin)
	var s Stats
	if h.cold != nil {
		s = *h.cold
	}
	s.Windows = h.windows
	dst = s.append(dst)
	dst, err := appendRows(dst, &h.rows, o.Codec)
	if err == nil && h.kind == State && h.end >= 0 {
		dst, _ = appendValue(dst, h.first, o.Codec)
	}
	return h.revs.append(dst), err
}

// LoadState replaces the state of h, which must be made with the same spec and
// options, by a snapshot. After an error h is as it was.
func (h *Handler[T]) LoadState(src []byte) error {
	return h.locked(func() error {
		if h.busy {
			return wrap("load", ErrReentrant)
		}
		return protect(func() error { return h.loadState(src) })
	})
}

func (h *Handler[T]) loadState(src []byte) error {
	body, err := unseal(src, stateText("rows", h.spec.spec(), h.opts))
	if err != nil {
		return err
	}
	o := h.option()
	n := &Handler[T]{spec: h.spec, opts: h.opts, kind: h.kind, grid: h.grid}
	r := &reader{src: body}
	n.flags = uint8(r.int()) & savedFlags
	for _, p := range []*int64{&n.seen, &n.mark, &n.settled, &n.next, &n.end, &n.begin} {
		*p = r.int()
	}
	n.mark = min(n.mark, math.MaxInt64-1) // as raise holds it
	n.emptyRun = int(min(max(r.int(), 0), math.MaxInt32))
	origin := r.int()
	stats := readStats(r)
	n.rows = readRows(r, o.Codec)
	if h.kind == State && n.end >= 0 && r.err == nil {
		n.first = readValue(r, o.Codec)
	}
	n.check(r, origin)
	if r.err != nil {
		return r.err
	}
	if h.revs != nil {
		clk := clockOr(o.Clock)
		if h.gate != nil {
			clk = h.gate.clk // the only one whose Mono means anything here
		}
		h.revs.load(r, clk)
	}
	r.must(len(r.src) == 0)
	if r.err != nil {
		return r.err
	}
	h.flags = h.flags&^savedFlags | n.flags
	h.seen, h.mark, h.settled, h.next, h.end, h.begin = n.seen, n.mark, n.settled, n.next, n.end, n.begin
	h.emptyRun, h.first, h.rows, h.grid, h.windows = n.emptyRun, n.first, n.rows, n.grid, stats.Windows
	stats.Windows = 0
	h.cold = &stats
	if h.gate != nil {
		h.gate.arrived = h.gate.clk.Mono()
	}
	h.rearm()
	return nil
}

// check refuses positions that do not fit each other, and sets the grid.
func (h *Handler[T]) check(r *reader, origin int64) {
	if h.grid == nil {
		h.flags &^= anchored | given
	} else if h.spec.Anchor != FirstPoint || h.spec.HasBegin {
		h.flags |= anchored
	}
	low, total := h.rows.low(), h.rows.total()
	r.must(h.settled >= 0 && h.settled <= total && (h.grid != nil || h.next >= 0 && h.next < math.MaxInt64/2))
	switch h.kind {
	case Time, Calendar:
		if h.spec.Anchor == FirstPoint && h.is(anchored) {
			h.grid = h.grid.from(origin)
		}
		if h.is(begun) && r.err == nil {
			r.must(h.is(anchored))
			h.moveTo(h.next)
			r.must(h.end > h.mark || h.spec.HasEnd)
		}
	case Size:
		r.must(h.next > h.settled && h.next-h.settled <= max(h.spec.rows(), h.spec.stride()))
		from := h.next - h.spec.rows()
		r.must(from >= low && h.settled >= low)
	default:
		r.must(h.settled >= low && h.end >= -1 && h.end <= h.settled && (h.end < 0 || h.end >= low && h.end < h.settled))
	}
}
