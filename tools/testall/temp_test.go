package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPartsHaveAFolderOfTheirOwn holds that what a part leaves in the folder of
// temporary files is said and gone before the next.
func TestPartsHaveAFolderOfTheirOwn(t *testing.T) {
	parent, before := t.TempDir(), os.TempDir()
	folder, closing, err := newRunFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r := &repo{out: &out, folder: folder}
	drop := func(names ...string) func(context.Context) outcome {
		return func(context.Context) outcome {
			if !strings.HasPrefix(os.TempDir(), folder) {
				t.Errorf("temporary files lie in %s, want them in %s", os.TempDir(), folder)
			}
			if entries, err := os.ReadDir(os.TempDir()); err != nil || len(entries) > 0 {
				t.Errorf("a part begins with %v, %v", entries, err)
			}
			for _, name := range names {
				if err := os.MkdirAll(filepath.Join(os.TempDir(), name, "deep"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			return passed("")
		}
	}
	var notes []string
	for _, names := range [][]string{{"a"}, nil, {"a", "b", "c", "d", "e"}} {
		notes = append(notes, r.do(t.Context(), part{"p", time.Minute, drop(names...)}).note)
	}
	const left = "left in the folder of temporary files: "
	if want := []string{left + "a", "", left + "a, b, c, 2 more"}; !slices.Equal(notes, want) {
		t.Errorf("got %q, want %q", notes, want)
	}
	if now := os.TempDir(); now != before {
		t.Errorf("temporary files lie in %s afterwards, want them in %s", now, before)
	}
	closing()
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("the run leaves %v, %v", entries, err)
	}
}

// TestFoldersOfKilledRuns holds that a run removes what one has left that was
// killed, and nothing of one that goes on or of others.
func TestFoldersOfKilledRuns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no locks of files here")
	}
	parent := t.TempDir()
	goesOn, closing, err := newRunFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer closing()
	killed := filepath.Join(parent, runPrefix+"1")
	for _, file := range []string{filepath.Join(killed, runLock), filepath.Join(killed, "tmp", "big"), filepath.Join(parent, "other", runLock)} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, closing, err := newRunFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer closing()
	var got []string
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want := []string{"other", filepath.Base(goesOn), filepath.Base(folder)}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
