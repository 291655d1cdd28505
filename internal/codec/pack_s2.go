//go:build amd64 || arm64

package codec

import "github.com/klauspost/compress/s2"

// packer packs texts: here by s2, which is written in assembly for these
// processors; see lz for the others.
type packer struct{}

func (packer) pack(dst, src []byte) []byte { return s2.Encode(dst[:cap(dst)], src) }

func textLen(block []byte) (int, bool) {
	n, err := s2.DecodedLen(block)
	return n, err == nil
}

// unpackText fills dst, which is as long as textLen says.
func unpackText(dst, block []byte) bool {
	out, err := s2.Decode(dst, block)
	return err == nil && len(out) == len(dst) && (len(out) == 0 || &out[0] == &dst[0])
}
