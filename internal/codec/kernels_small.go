//go:build tickwell_small

package codec

// Without kernels, which weigh 0.1 MB, all widths are unpacked by unpackWords.
const widestKernel = 0

func unpack32(uint, *[32]int64, []byte, int64) {}

// hasQuick: all encodings are measured, which weighs less than to do without.
const hasQuick = false
