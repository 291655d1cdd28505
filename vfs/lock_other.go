//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package vfs

import (
	"os"
	"path/filepath"
	"sync"
)

// locked holds the absolute names locked in this process. These systems have no
// lock of their own that the standard library offers, and two openers in one
// process are the only ones it can keep apart; hence the package's one global.
var locked = struct {
	sync.Mutex
	names map[string]bool
}{names: map[string]bool{}}

func lockFile(f *os.File) (unlock func() error, err error) {
	name, err := filepath.Abs(f.Name())
	if err != nil {
		return nil, err
	}
	locked.Lock()
	defer locked.Unlock()
	if locked.names[name] {
		return nil, ErrLocked
	}
	locked.names[name] = true
	var once sync.Once
	return func() error {
		once.Do(func() {
			locked.Lock()
			defer locked.Unlock()
			delete(locked.names, name)
		})
		return nil
	}, nil
}
