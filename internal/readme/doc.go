// Package readme holds the documentation to the code. It consists of tests
// only: the programs in the Markdown pages are built and run and must print what
// the page says they print, and links between pages must lead somewhere.
package readme
