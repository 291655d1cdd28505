package segment

import (
	"encoding/binary"
	"fmt"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// Coder compresses bytes and gives them back. It may be used by several
// goroutines at once.
type Coder interface {
	// Compress appends src, compressed, to dst.
	Compress(dst, src []byte) []byte
	// Decompress appends the size bytes to dst that src was made of. It returns an
	// error if they are not so many, and takes no more memory than for them.
	Decompress(dst, src []byte, size int) ([]byte, error)
}

// ErrCoder is returned for compressed blocks when there is no Coder. They are not
// damaged.
var ErrCoder = fmt.Errorf("blocks are compressed with zstd, but Options.Compress is not set (to zstd.New): %w", errs.BadInput)

// A compressed block begins with the first byte of the block and this flag, then
// the byte of the coder, the size of what follows the first byte as a uvarint, and
// that, compressed.
const (
	flagCompressed = 0x80
	coderZstd      = 1
	// maxPlain bounds what is compressed, and what a block may become.
	maxPlain = 4 << 20
	// A block is compressed if that leaves at most keepParts of 100 parts.
	keepParts = 92
	// timesKind is no kind of values.
	timesKind column.Kind = 0
)

// packer is the scratch memory of compressing.
type packer struct {
	coder Coder
	out   []byte
	enc   block.Encoder
	dec   block.Decoder
	texts column.Vector
	nulls column.Bitmap
	plain []byte
}

// pack returns b compressed if that is worth it, and b if not. It is valid until
// the next call.
func (p *packer) pack(b []byte) []byte { return p.packed(b, b) }

// packed returns plain, which says the same as b, compressed if that is much
// smaller than b, and b if not.
func (p *packer) packed(b, plain []byte) []byte {
	if len(plain) > maxPlain {
		return b
	}
	p.out = append(p.out[:0], plain[0]|flagCompressed, coderZstd)
	p.out = binary.AppendUvarint(p.out, uint64(len(plain)-1))
	p.out = p.coder.Compress(p.out, plain[1:])
	if len(p.out)*100 <= len(b)*keepParts {
		return p.out
	}
	return b
}

// values is pack for a block of n values. Text that is compressed already is
// made plain first, which saves more.
func (p *packer) values(b []byte, kind column.Kind, n int) []byte {
	if kind != column.Text {
		return p.pack(b)
	}
	nulls, err := p.dec.Values(&p.texts, p.nulls, b, kind, n)
	if err != nil {
		return b // the checksum held, so it is as it was written
	}
	if nulls != nil {
		p.nulls = nulls
	}
	p.plain = p.enc.AppendValues(p.plain[:0], &p.texts, nulls)
	clear(p.texts.Texts)
	return p.packed(b, p.plain)
}

// unpack returns the block of n rows that src says, in the memory of scratch if
// it is compressed.
func (r *Reader) unpack(scratch *Scratch, src []byte, n int, kind column.Kind) ([]byte, error) {
	if len(src) == 0 || src[0]&flagCompressed == 0 {
		return src, nil
	}
	if len(src) < 2 || src[1] != coderZstd {
		return nil, fmt.Errorf("compressed block: unknown coder: %w", errs.Corrupt)
	}
	size, k := binary.Uvarint(src[2:])
	limit := uint64(maxPlain)
	if kind != column.Text {
		limit = min(limit, 64+24*uint64(n)) // no encoding of numbers takes more
	}
	if k <= 0 || size > limit {
		return nil, fmt.Errorf("compressed block: size: %w", errs.Corrupt)
	}
	if r.coder == nil {
		return nil, fmt.Errorf("read segment %s: %w", r.name, ErrCoder)
	}
	var err error
	scratch.plain = append(scratch.plain[:0], src[0]&^flagCompressed)
	scratch.plain, err = r.coder.Decompress(scratch.plain, src[2+k:], int(size))
	return scratch.plain, err
}
