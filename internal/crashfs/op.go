package crashfs

import "fmt"

// Kind says which call an [Op] is.
type Kind uint8

// The calls. Write stands for Write and WriteAt, Open for Open and
// OpenReadWrite.
const (
	Open Kind = iota + 1
	Create
	Rename
	Remove
	Mkdir
	List
	Stat
	SyncDir
	Lock
	Read
	Write
	Sync
	Truncate
	Size
	Close
	Settle // not a call: see [FS.Settle]
)

var kindNames = [...]string{"", "open", "create", "rename", "remove", "mkdir", "list", "stat",
	"syncdir", "lock", "read", "write", "sync", "truncate", "size", "close", "settle"}

// String returns the name of the call, such as "syncdir".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// Op is one call as the program made it.
type Op struct {
	Kind Kind
	Name string // slashed and rooted; of a call on a file, the name it was opened by
	To   string // Rename: the new name
	Off  int64  // Read, Write
	Len  int64  // Read, Write: bytes; Truncate: the new size
	Site string // Sync, SyncDir: who called, as "package/file.go:line"
}

// String returns the call in words, for the messages of failing tests.
func (o Op) String() string {
	switch o.Kind {
	case Rename:
		return fmt.Sprintf("rename %s to %s", o.Name, o.To)
	case Read, Write:
		return fmt.Sprintf("%s %s [%d,%d)", o.Kind, o.Name, o.Off, o.Off+o.Len)
	case Truncate:
		return fmt.Sprintf("truncate %s to %d", o.Name, o.Len)
	case Sync, SyncDir:
		return fmt.Sprintf("%s %s at %s", o.Kind, o.Name, o.Site)
	}
	return o.Kind.String() + " " + o.Name
}
