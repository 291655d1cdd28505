package engine

import (
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
)

// The last frame of a CATALOG or STATE file may be one that makes up for any other:
// section sectionParity, with the number of frames before it, their lengths, and all
// their payloads, filled up with zeros to the longest, taken together by exclusive
// or. What reads sections passes it over, and so do versions that do not know it.

// maxParity is the longest frame that is made up for: one that is longer is a single
// large value of the state, which would be written twice.
const maxParity = 2 * frameTarget

// parity adds up the frames of a file.
type parity struct {
	lengths []uint32
	sum     []byte
}

func (p *parity) add(payload []byte) {
	p.lengths = append(p.lengths, uint32(len(payload)))
	if n := len(payload) - len(p.sum); n > 0 {
		p.sum = append(p.sum, make([]byte, n)...)
	}
	p.mix(payload)
}

func (p *parity) mix(payload []byte) {
	for i, b := range payload {
		p.sum[i] ^= b
	}
}

// section returns the payload of the frame that ends the file.
func (p *parity) section() []byte {
	body := appendUvarint(nil, uint64(len(p.lengths)))
	for _, n := range p.lengths {
		body = appendUvarint(body, uint64(n))
	}
	return appendSection(nil, sectionParity, append(body, p.sum...))
}

// parityOf reads the frame that ends a file.
func parityOf(payload []byte) (p parity, ok bool) {
	_ = eachSection(payload, func(kind uint8, body []byte) error {
		if kind != sectionParity {
			return nil
		}
		w := wire{codec.Reader{Src: body}}
		for range w.Count(1) {
			p.lengths = append(p.lengths, uint32(w.Uvarint()))
		}
		p.sum, ok = slices.Clone(w.Src), !w.Bad
		return nil
	})
	return p, ok
}

// repair puts the damaged frame of b, a whole file, right. It returns false if more
// than that is damaged, or nothing tells.
func repair(b []byte, store, no uint64) bool {
	good := map[int][]byte{}
	var p parity
	known, end := false, 0
	_, _, err := salvageAt(b, store, no, func(off int, payload []byte, _ bool) error {
		good[off] = payload
		if q, ok := parityOf(payload); ok {
			p, known, end = q, true, off
		}
		return nil
	})
	if err != nil || !known {
		return false
	}
	at, lost, n := headerSize, 0, 0
	for _, length := range p.lengths {
		if int64(length) > int64(len(p.sum)) || at+frameHeader+int(length) > end {
			return false
		}
		if payload, ok := good[at]; ok && len(payload) == int(length) {
			p.mix(payload)
		} else if lost != 0 {
			return false
		} else {
			lost, n = at, int(length)
		}
		at += frameHeader + int(length)
	}
	if at == end && lost != 0 {
		appendFrame(b[:lost], store, no, int64(lost), p.sum[:n])
	}
	return at == end
}

// errRepaired says that a file was damaged and nothing of it is lost.
var errRepaired = fmt.Errorf("damaged, and nothing of it is lost: %w", errs.Corrupt)
