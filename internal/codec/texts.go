package codec

// Encoding bytes of text columns. They are written to disk and never change.
const (
	textPlain      = 1 + iota // lengths, then the bytes
	textDict                  // distinct values, then codes
	textCompressed            // lengths, then the bytes as a block of package s2, or of lz
)

const (
	// maxCompressed bounds what a compressed column can swell to: more is kept
	// plain.
	maxCompressed = 4 << 20
	// minCompressed is the size below which compression is not tried.
	minCompressed = 256
)

// AppendTexts appends the encoding of at most MaxValues strings, of any bytes,
// together shorter than 2^31 bytes.
func (e *Encoder) AppendTexts(dst []byte, v []string) []byte {
	if len(v) == 0 {
		return dst
	}
	if e.text.build(v) {
		return e.appendTextDict(dst)
	}
	total := 0
	e.wide = sized(e.wide, len(v))
	for i, s := range v {
		e.wide[i] = int64(len(s))
		total += len(s)
	}
	start := len(dst)
	dst = e.ints.append(append(dst, textPlain), e.wide)
	if e.Compress && total >= minCompressed && total <= maxCompressed {
		e.lumps = e.lumps[:0]
		for _, s := range v {
			e.lumps = append(e.lumps, s...)
		}
		e.packed = e.packer.pack(e.packed, e.lumps)
		if len(e.packed) < total-total/8 {
			dst[start] = textCompressed
			dst = appendUvarint(dst, uint64(len(e.packed)))
			return append(dst, e.packed...)
		}
	}
	for _, s := range v {
		dst = append(dst, s...)
	}
	return dst
}

// Texts decodes n strings into dst[:0]. Strings of one call share memory.
func (d *Decoder) Texts(dst []string, src []byte, n int) ([]string, error) {
	dst, err := begin("texts", dst, n)
	if err != nil {
		return dst, err
	}
	r := Reader{Src: src}
	if n > 0 {
		d.decodeTexts(dst, &r)
	}
	if err := finish("texts", &r, n, len(src)); err != nil {
		clear(dst)
		return dst[:0], err
	}
	return dst, nil
}

func (d *Decoder) decodeTexts(dst []string, r *Reader) {
	switch r.Byte() {
	case textPlain:
		total := d.lengths(len(dst), r, len(r.Src))
		all := r.Bytes(total)
		if r.Bad {
			return
		}
		cut(dst, d.wide, string(all))
	case textCompressed:
		d.decodeCompressed(dst, r)
	case textDict:
		d.decodeTextDict(dst, r)
	default:
		r.Fail()
	}
}

// lengths reads n lengths into d.wide and returns their sum, which may be at most
// limit.
func (d *Decoder) lengths(n int, r *Reader, limit int) int {
	d.wide = sized(d.wide, n)
	decodeInts(d.wide, r)
	total := int64(0)
	for _, l := range d.wide {
		if l < 0 || l > int64(limit) {
			r.Fail()
		}
		if total += l; r.Bad || total > int64(limit) {
			r.Fail()
			return 0
		}
	}
	return int(total)
}

// cut slices s, which is as long as the lengths together; none is negative.
func cut(dst []string, lengths []int64, s string) {
	for i, l := range lengths {
		dst[i] = s[:l]
		s = s[l:]
	}
}

func (d *Decoder) decodeCompressed(dst []string, r *Reader) {
	total := d.lengths(len(dst), r, maxCompressed)
	packed := r.Bytes(r.AtMost(len(r.Src)))
	if r.Bad {
		return
	}
	// The length is checked before memory is taken.
	if size, ok := textLen(packed); !ok || size != total {
		r.Fail()
		return
	}
	d.text = sized(d.text, total)
	if !unpackText(d.text, packed) {
		r.Fail()
		return
	}
	cut(dst, d.wide, string(d.text))
}
