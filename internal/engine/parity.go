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

// repair puts the damaged frame of b, a whole file, right; frames are its good ones. It
// returns false if more than that is damaged, or nothing tells.
func repair(b []byte, store, no uint64, frames []found) bool {
	if len(frames) == 0 {
		return remake(b, store, no, nil)
	}
	end := frames[len(frames)-1]
	p, known := parityOf(end.payload)
	if !known {
		return remake(b, store, no, frames)
	}
	at, lost, n := headerSize, 0, 0
	for _, length := range p.lengths {
		if int64(length) > int64(len(p.sum)) || at+frameHeader+int(length) > end.off {
			return false
		}
		for frames[0].off < at {
			frames = frames[1:]
		}
		if fr := frames[0]; fr.off == at && len(fr.payload) == int(length) {
			p.mix(fr.payload)
		} else if lost != 0 {
			return false
		} else {
			lost, n = at, int(length)
		}
		at += frameHeader + int(length)
	}
	if at == end.off && lost != 0 {
		appendFrame(b[:lost], store, no, int64(lost), p.sum[:n])
	}
	return at == end.off
}

// remake writes the frame that makes up for the others anew where it alone is damaged.
// It returns false unless that is sure: the others are without a gap, the rest up to the
// end frame is as long as theirs needs, and its checksum or most of its bytes are the
// ones that it has to have. Had one more frame been there, the rest would be longer.
func remake(b []byte, store, no uint64, frames []found) bool {
	at := headerSize
	var p parity
	for _, fr := range frames {
		if fr.off != at || len(fr.payload) > maxParity {
			return false
		}
		p.add(fr.payload)
		at += frameHeader + len(fr.payload)
	}
	want := appendFrame(nil, store, no, int64(at), p.section())
	if _, n, ok := frameAt(b, store, no, at+len(want), 0); !ok || n != len(b) {
		return false
	}
	same := 0
	for i, c := range want {
		if b[at+i] == c {
			same++
		}
	}
	if string(b[at:at+frameHeader]) != string(want[:frameHeader]) && same <= len(want)/2 {
		return false
	}
	copy(b[at:], want)
	return true
}

// errRepaired says that a file was damaged and nothing of it is lost.
var errRepaired = fmt.Errorf("damaged, and nothing of it is lost: %w", errs.Corrupt)
