package crashfs

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
)

const modulePrefix = "github.com/tickwell/tickwell/"

// sites knows who calls Sync and SyncDir.
type sites struct {
	mu   sync.Mutex
	seen map[string]bool // true: elided
}

// Elide turns the Sync and SyncDir calls made at one place into nothing: they
// return nil, and what they should have made durable stays lost in images. The
// place is one of those [FS.Sites] returns; the empty string is none.
func (c *FS) Elide(site string) {
	if site == "" {
		return
	}
	c.sites.mu.Lock()
	defer c.sites.mu.Unlock()
	if c.sites.seen == nil {
		c.sites.seen = map[string]bool{}
	}
	c.sites.seen[site] = true
}

// Sites returns the places, as "package/file.go:line", that have called Sync or
// SyncDir so far, or were elided, sorted. The package's path lacks the module's.
func (c *FS) Sites() []string {
	c.sites.mu.Lock()
	defer c.sites.mu.Unlock()
	var list []string
	for site := range c.sites.seen {
		list = append(list, site)
	}
	slices.Sort(list)
	return list
}

// elided notes the site and reports whether its calls do nothing.
func (s *sites) elided(site string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	elided := s.seen[site]
	s.seen[site] = elided
	return elided
}

// callSite returns the nearest caller outside vfs and this package.
func callSite() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		pkg := packageOf(frame.Function)
		if pkg != "vfs" && pkg != "internal/crashfs" {
			return fmt.Sprintf("%s/%s:%d", pkg, path.Base(frame.File), frame.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

// packageOf returns the path of the package a function is in, without the
// module's.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	if dot := strings.IndexByte(function[slash:], '.'); dot >= 0 {
		function = function[:slash+dot]
	}
	return strings.TrimPrefix(function, modulePrefix)
}
