//go:build !amd64 && !arm64

package codec

// packer packs texts.
type packer struct{ lz lz }

func (p *packer) pack(dst, src []byte) []byte { return p.lz.encode(dst, src) }

func textLen(block []byte) (int, bool) { return lzLen(block) }

// unpackText fills dst, which is as long as textLen says.
func unpackText(dst, block []byte) bool { return lzDecode(dst, block) }
