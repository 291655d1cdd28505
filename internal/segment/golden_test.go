package segment

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

var update = flag.Bool("update", false, "write the example of docs/format/segment.md instead of comparing with it")

var docName = filepath.Join("..", "..", "docs", "format", "segment.md")

// goldenData is the example of the document.
func goldenData() testData {
	return testData{
		head:   Header{StoreID: 0x1122334455667788, FileNo: 5, MinLSN: 10, MaxLSN: 20},
		chunks: [][]int64{{1000, 2000, 3000}},
		blocks: []testBlock{
			{series: 3, values: column.Vector{Kind: column.Float64, Float64s: []float64{20.5, 20.25, 20.75}}},
			{series: 4, values: column.Vector{Kind: column.Bool, Bools: []bool{true, false, false}}, nulls: column.Bitmap{2}},
		},
	}
}

// dump lists the pieces of a file.
func dump(b []byte, r *Reader) string {
	var out strings.Builder
	line := func(title string, off, n int64) {
		fmt.Fprintf(&out, "    %4d  %s\n", off, title)
		for i := off; i < off+n; i += 24 {
			fmt.Fprintf(&out, "          %s\n", hex.EncodeToString(b[i:min(i+24, off+n)]))
		}
	}
	line("header", 0, headSize)
	seen := map[Ref]bool{}
	for id := range r.Series() {
		blocks, _ := r.Blocks(id)
		for i := range blocks {
			if t := blocks[i].Times; !seen[t] {
				seen[t] = true
				line("times", t.Offset, int64(t.Length)+crcSize)
			}
			line(fmt.Sprintf("values of series %d", id), blocks[i].Values.Offset, int64(blocks[i].Values.Length)+crcSize)
		}
	}
	for _, p := range r.dir.pages {
		line("index page", p.offset, int64(p.length)+crcSize)
	}
	line("directory", r.foot.directory, int64(r.foot.dirLen)+crcSize)
	line("footer", r.size-footSize, footSize)
	return out.String()
}

// TestGolden compares a file with the bytes in docs/format/segment.md, and reads
// it back.
func TestGolden(t *testing.T) {
	fsys := vfs.NewMem()
	d := goldenData()
	_, want := d.write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", d.head.StoreID, d.head.FileNo, nil)
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, compare(t, r, want))
	got := dump(readFile(t, fsys, "f.blk"), r)

	doc, err := os.ReadFile(docName)
	require.NoError(t, err)
	text, example, ok := strings.Cut(string(doc), "## Example\n")
	require.True(t, ok)
	intro, old, _ := strings.Cut(example, "    ")
	if *update {
		require.NoError(t, os.WriteFile(docName, []byte(text+"## Example\n"+intro+got), 0o644))
		return
	}
	require.Equal(t, "    "+old, got)
}

// TestDocumentedTables holds that the byte tables of the document add up to the
// sizes in the code and name the places where the fields are.
func TestDocumentedTables(t *testing.T) {
	doc, err := os.ReadFile(docName)
	require.NoError(t, err)
	h := Header{StoreID: 0x1111111111111111, FileNo: 0x2222222222222222, MinLSN: 0x3333333333333333, MaxLSN: 0x4444444444444444}
	f := footer{index: 0x11, directory: 0x22, dirLen: 0x33, series: 0x44, blocks: 0x55, points: 0x66, minTime: 0x77, maxTime: 0x88, minLSN: 0x99, maxLSN: 0xaa}
	var sum checksum
	for _, tt := range []struct {
		section string
		bytes   []byte
		fields  map[string]string
	}{
		{"## Header", appendHeader(nil, &h, &sum), map[string]string{
			"magic `TWblk\\r\\n\\x1a`": hex.EncodeToString([]byte(headMagic)), "format version": "01", "flags: 1 compressing was tried for all blocks": "00", "zero": "0000",
			"store id": "1111111111111111", "file number": "2222222222222222",
			"first log position of the rows": "3333333333333333", "last log position of the rows": "4444444444444444",
		}},
		{"## Footer", f.append(nil, &sum, 0), map[string]string{
			"offset of the first index page = end of the blocks": "1100000000000000", "offset of the directory": "2200000000000000",
			"length of the directory": "33000000", "number of series": "44000000", "number of blocks": "55000000", "format version": "01",
			"coder of compressed blocks, 0 if there are none": "00",
			"number of points": "6600000000000000", "time of the first point": "7700000000000000", "time of the last point": "8800000000000000",
			"first log position": "9900000000000000", "last log position": "aa00000000000000",
			"magic `TWblkEND`": hex.EncodeToString([]byte(footMagic)), "zero": "",
		}},
	} {
		t.Run(tt.section, func(t *testing.T) {
			_, rest, ok := strings.Cut(string(doc), tt.section+"\n")
			require.True(t, ok)
			section, _, _ := strings.Cut(rest, "\n## ")
			next := 0
			found := map[string]bool{}
			for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \| (.*) \|$`).FindAllStringSubmatch(section, -1) {
				at, _ := strconv.Atoi(row[1])
				size, _ := strconv.Atoi(row[2])
				require.Equal(t, next, at, "field %q", row[3])
				next = at + size
				if row[3] == "checksum" {
					continue
				}
				want, ok := tt.fields[row[3]]
				require.True(t, ok, "field %q", row[3])
				if row[3] == "zero" {
					want = strings.Repeat("00", size)
				}
				require.Equal(t, want, hex.EncodeToString(tt.bytes[at:next]), "field %q", row[3])
				found[row[3]] = true
			}
			require.Equal(t, len(tt.bytes), next, "size")
			require.Len(t, found, len(tt.fields))
		})
	}
}

// TestPieceKinds holds the numbers that checksums contain.
func TestPieceKinds(t *testing.T) {
	require.Equal(t, []byte{1, 2, 3, 4, 5, 6}, []byte{pieceHeader, pieceTimes, pieceValues, pieceIndex, pieceDirectory, pieceFooter})
	require.Equal(t, []uint8{1, 2, 4}, []uint8{block.FlagNaN, block.FlagNoRange, block.FlagOverflow})
}
