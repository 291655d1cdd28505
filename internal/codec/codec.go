// Package codec turns columns of values into bytes and back: integers and times
// as bit-packed distances from a line, floats as decimal integers where that is
// exact, bit sets as bitmaps or runs, text as a dictionary. Every encoder picks
// among a few encodings by the data and appends an encoding byte and the
// payload; the same values always give the same bytes, on every architecture.
//
// Decoders are told how many values to expect and must consume their input to
// the last byte. Bytes that no encoder writes give an error wrapping
// errs.Corrupt, without a panic and without memory beyond what n values and the
// input need.
package codec

// MaxValues is the largest number of values of one encoded column. Encoders may
// be given no more.
const MaxValues = 1 << 16

// Encoder holds the scratch memory of encoding. It may not be used by two
// goroutines at once. The zero value is ready. What it appends depends on the
// values only, never on earlier calls.
type Encoder struct {
	// Compress lets text be compressed with s2 where that pays.
	Compress bool

	// Quick takes the first good encoding of numbers, not the one of the fewest
	// bytes.
	Quick bool

	ints   intEncoder
	wide   []int64
	bits   []uint64 // float bits
	high   []uint64 // their dictionary codes
	dec    decimals
	set    []uint64 // bit set of bools
	text   textDictionary
	lumps  []byte // text before compression
	packed []byte // and after
	packer packer
}

// Decoder holds the scratch memory of decoding. It may not be used by two
// goroutines at once. The zero value is ready.
type Decoder struct {
	wide []int64
	low  []int64
	set  []uint64
	dict []string
	text []byte
}
