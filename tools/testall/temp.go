package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Everything that a run writes beside Go's caches lies in a folder of its own,
// which whatever it starts takes for the folder of temporary files. It is emptied
// after each part, for test binaries and stores that were cut off would add up to
// gigabytes, and removed at the end; what a run leaves that is killed is removed by
// the next.

const (
	runPrefix = "tickwell-testall-"
	runLock   = "lock"
)

// newRunFolder makes the folder of a run below parent. closing gives it up.
func newRunFolder(parent string) (folder string, closing func(), err error) {
	removeLeft(parent)
	folder, err = os.MkdirTemp(parent, runPrefix)
	if err != nil {
		return "", nil, err
	}
	unlock, err := lockFile(filepath.Join(folder, runLock))
	if err == nil {
		err = os.Chmod(folder, 0o755) // some servers change their user
	}
	if err != nil {
		os.RemoveAll(folder)
		return "", nil, err
	}
	return folder, func() { os.RemoveAll(folder); unlock() }, nil
}

// removeLeft removes the folders of runs that are no more.
func removeLeft(parent string) {
	locks, _ := filepath.Glob(filepath.Join(parent, runPrefix+"*", runLock))
	for _, name := range locks {
		if unlock, err := lockFile(name); err == nil {
			os.RemoveAll(filepath.Dir(name))
			unlock()
		}
	}
}

// tempNames are what systems call the folder of temporary files.
var tempNames = []string{"TMPDIR", "TMP", "TEMP"}

// enter makes the folder for temporary files of a part. leave removes it and says
// what was in it.
func (r *repo) enter() (leave func() (left []string), err error) {
	r.temp = filepath.Join(r.folder, "tmp")
	if err := os.MkdirAll(r.temp, 0o755); err != nil {
		return nil, err
	}
	// For all, as the system's is: some servers change their user.
	if err := os.Chmod(r.temp, 0o777|os.ModeSticky); err != nil {
		return nil, err
	}
	before := map[string]string{}
	for _, name := range tempNames {
		if v, ok := os.LookupEnv(name); ok {
			before[name] = v
		}
		if err := os.Setenv(name, r.temp); err != nil {
			return nil, err
		}
	}
	return func() (left []string) {
		for _, name := range tempNames {
			if v, ok := before[name]; ok {
				os.Setenv(name, v)
			} else {
				os.Unsetenv(name)
			}
		}
		entries, _ := os.ReadDir(r.temp)
		for _, e := range entries {
			left = append(left, e.Name())
		}
		os.RemoveAll(r.temp)
		return left
	}, nil
}

// leftNote is what the table says of files that a part has left.
func leftNote(left []string) string {
	const most = 3
	if n := len(left); n > most {
		left = append(left[:most:most], fmt.Sprintf("%d more", n-most))
	}
	return "left in the folder of temporary files: " + strings.Join(left, ", ")
}
