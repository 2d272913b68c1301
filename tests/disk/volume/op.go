package volume

// Kind is what an Op does.
type Kind uint8

// The kinds of operations.
const (
	// Write puts Data at Off of the file Node.
	Write Kind = iota
	// Resize makes the file Node Size bytes long.
	Resize
	// Sync returns once everything done to Node, a file or a directory, is durable.
	Sync
	// SyncFails is a Sync that reports an error: of what it was to make durable, a part chosen by Seed is, and the rest is gone, but for the
	// length it gave the file. A system that has read or written the pages goes on showing what they held as long as it caches them. That
	// is what Linux does with pages that it could not write.
	SyncFails
	// Create makes an empty file Child as Name in the directory Node.
	Create
	// Mkdir makes an empty directory Child as Name in the directory Node.
	Mkdir
	// Remove takes Name out of the directory Node.
	Remove
	// Rename makes what is Name in the directory Node To there, in place of what was.
	Rename
	// Mark does nothing: it notes in a log of operations what happened outside when.
	Mark
	// lengthen makes the file Node at least Size bytes long: what is left of a write that made it longer, should its data be lost.
	lengthen
)

// Op is one operation on a volume.
type Op struct {
	Kind     Kind
	Node     uint64
	Child    uint64
	Name, To string
	Off      int64
	Size     int64
	Data     []byte
	Seed     uint64
}
