package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// journal notes in a small file how far an import or export is. It is written
// after what it tells of is durable, so it is never ahead.
type journal struct {
	name  string
	Files map[string]filePlace `json:"files"`
}

// filePlace is how far one file is, and which file it was.
type filePlace struct {
	Size   int64     `json:"size"`
	Mod    time.Time `json:"modified"`
	Offset int64     `json:"offset"`
	Line   int64     `json:"line"` // lines before Offset
	Done   bool      `json:"done,omitempty"`
}

// openJournal reads the journal of an import into a store.
func openJournal(dir string, restart bool) (*journal, error) {
	j := &journal{name: filepath.Join(dir, "import.resume"), Files: map[string]filePlace{}}
	b, err := os.ReadFile(j.name)
	if errors.Is(err, fs.ErrNotExist) || restart {
		return j, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, j); err != nil {
		return nil, fmt.Errorf("%s makes no sense; -restart begins at the beginning: %w", j.name, err)
	}
	return j, nil
}

// key tells apart files, and what becomes of one that goes to several devices.
func (s *source) key() string {
	name := s.path
	if abs, err := filepath.Abs(s.path); err == nil {
		name = abs
	}
	return name + " " + s.how
}

// place returns how far a file is; one that has changed begins again.
func (j *journal) place(s source) filePlace {
	p := j.Files[s.key()]
	if s.path == "-" || p.Size != s.size || !p.Mod.Equal(s.mod) {
		return filePlace{Size: s.size, Mod: s.mod}
	}
	return p
}

func (j *journal) set(s source, p filePlace) {
	if s.path != "-" {
		j.Files[s.key()] = p
	}
}

// save writes the journal so that a crash leaves the old one or the new one.
func (j *journal) save() error {
	if len(j.Files) == 0 {
		return nil
	}
	b, err := json.MarshalIndent(j, "", " ")
	if err != nil {
		return err
	}
	return replaceFile(j.name, b)
}

// finish forgets files that are done.
func (j *journal) finish(sources []source) error {
	for _, s := range sources {
		delete(j.Files, s.key())
	}
	if len(j.Files) > 0 {
		return j.save()
	}
	if err := os.Remove(j.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
