package lint

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoPrograms: what a build leaves behind is not part of the source.
func TestNoPrograms(t *testing.T) {
	root := filepath.Join("..", "..")
	list, err := exec.Command("git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Skip("not a checkout of git: ", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if kind := programKind(t, filepath.Join(root, name)); kind != "" {
			t.Errorf("%s is a program (%s): take it out of the repository", name, kind)
		}
	}
}

// programKind returns the format of a file that is a program, or "".
func programKind(t *testing.T, file string) string {
	f, err := os.Open(file)
	if os.IsNotExist(err) { // deleted, and not committed yet
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head := make([]byte, 4)
	if _, err := io.ReadFull(f, head); err != nil {
		return "" // shorter than any program
	}
	for magic, kind := range map[string]string{"\x7fELF": "ELF", "\xcf\xfa\xed\xfe": "Mach-O", "\x00asm": "WebAssembly", "MZ": "PE"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return kind
		}
	}
	return ""
}
