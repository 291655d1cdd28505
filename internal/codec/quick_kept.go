//go:build !tickwell_small

package codec

// hasQuick: Encoder.Quick is heeded.
const hasQuick = true
