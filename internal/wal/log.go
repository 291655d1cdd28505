package wal

import (
	"context"
	"errors"
)

// Log is an open log. All methods may be called from several goroutines.
type Log struct{ cfg Config }

var errSkeleton = errors.New("log is being built")

// Open replays the records with LSN > after in order and returns the log ready for Append.
func Open(cfg Config, after uint64, apply func(lsn uint64, kind uint8, payload []byte) error) (*Log, Report, error) {
	return nil, Report{}, errSkeleton
}

// Append takes the next log position.
func (l *Log) Append(kind uint8, payload []byte) (lsn uint64, err error) { return 0, errSkeleton }

// Commit waits until the record is acknowledged.
func (l *Log) Commit(ctx context.Context, lsn uint64, durable bool) error { return errSkeleton }

// Sync makes all records appended so far durable.
func (l *Log) Sync(ctx context.Context) error { return errSkeleton }

// Written returns the last position handed to the operating system.
func (l *Log) Written() uint64 { return 0 }

// Durable returns the last synced position.
func (l *Log) Durable() uint64 { return 0 }

// Last returns the last position taken.
func (l *Log) Last() uint64 { return 0 }

// Rotate ends the active segment.
func (l *Log) Rotate() error { return errSkeleton }

// Retire drops whole segments whose last LSN <= lsn.
func (l *Log) Retire(lsn uint64) error { return errSkeleton }

// Bytes returns the size of all segments.
func (l *Log) Bytes() int64 { return 0 }

// ReadAt returns one record.
func (l *Log) ReadAt(lsn uint64) (kind uint8, payload []byte, err error) { return 0, nil, errSkeleton }

// Close writes and syncs everything and ends the log.
func (l *Log) Close() error { return errSkeleton }

// Cursor reads written records in order from a position on.
type Cursor struct{}

// Cursor returns a reader from the record lsn on.
func (l *Log) Cursor(lsn uint64) *Cursor { return &Cursor{} }

// Next moves to the next written record; false at the end (call again later) or on error.
func (c *Cursor) Next() bool { return false }

// LSN, Kind and Payload describe the current record; Payload is valid until Next.
func (c *Cursor) LSN() uint64 { return 0 }

// Kind returns the record's kind.
func (c *Cursor) Kind() uint8 { return 0 }

// Payload returns the record's payload.
func (c *Cursor) Payload() []byte { return nil }

// Err returns the error that ended Next.
func (c *Cursor) Err() error { return nil }

// Close releases the segment the cursor reads.
func (c *Cursor) Close() error { return nil }
