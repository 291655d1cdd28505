//go:build !unix

package vfs

// syncDir does nothing: these systems cannot sync a directory.
func syncDir(string) error { return nil }
