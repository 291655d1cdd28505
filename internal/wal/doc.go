// Package wal is the store's one log: a sequence of checksummed records in
// segment files, written by group commit and replayed at Open.
//
// Every record has a log sequence number (LSN). LSNs start at 1 and are dense:
// [Log.Append] hands them out in order, and a missing one is either a write
// that failed for want of space, which the log states with a record of its own,
// or damage. A record is an atomic unit: it is replayed whole or not at all.
//
// The bytes are described in docs/format/wal.md.
//
// # What is kept
//
// A record that [Log.Commit] acknowledged survives as the policy says: synced
// (Always, or durable set) survives power loss, written (Interval, Never)
// survives the death of the process. After a power cut the surviving records of
// an undamaged log are a prefix of what was appended.
//
// When the disk is full, the waiting writers get an error that wraps
// errs.NoSpace, their records are cut off the file and never appear again, and
// the log goes on as soon as space returns. After a failed sync or any other
// failed write the log takes no more records (errs.StorageFailed); the records
// concerned may or may not be there after reopening, each whole.
//
// # Damage
//
// Open tells the torn end of a crash from damage: a bad record is damage when
// it is not in the last segment, or when a later record of the segment says
// that the bad one had been synced. Damage is reported with file, offset and
// LSN range, replay goes on behind it, and the file is moved to the directory
// quarantine instead of being deleted.
package wal
