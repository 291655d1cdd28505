// Package crashfs is a file system for tests of durability. It works in memory,
// remembers every change, and makes images: what a disk could hold had the
// power been cut after any one of the changes. It also makes calls fail, fills
// up, and turns single sync calls of the program under test into nothing, which
// must make a good test suite fail.
//
// The model is stricter than most real file systems, and is what POSIX
// promises: Sync makes a file's bytes and size durable but not its name;
// SyncDir makes the names in one directory durable but not the bytes behind
// them, nor the directory's own name in its parent. Unsynced changes survive in
// any combination, except that changes to one name in a directory keep their
// order and that a rename within a directory is atomic. After a Sync that
// failed, the bytes it was to make durable stay in doubt for ever, as on Linux.
//
// A typical test runs a store on New(), notes which writes were acknowledged at
// which [FS.Ops] number, and then opens the store on every image of [FS.Sweep].
package crashfs
