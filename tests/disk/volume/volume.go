// Package volume is a file system in memory that knows what of it a crash could leave.
//
// A file's bytes and length are durable once a Sync of the file has returned, a directory's entries once one of the directory has; before
// that, a crash keeps any part of what was written, whatever the order (see Crash). A volume is a function of the operations applied to
// it, so that a log of them is enough to look at every moment again.
package volume

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Root is the number of the directory that is always there.
const Root uint64 = 1

// Volume is the state of a file system. It is not safe for use by several goroutines.
type Volume struct {
	nodes map[uint64]*node
}

// node is a file or a directory.
type node struct {
	dir     bool
	now     content // what reading returns
	kept    content // what is durable
	pending []Op    // what was done to it since its last Sync
}

// content is a file's bytes or a directory's entries.
type content struct {
	bytes   []byte
	entries map[string]uint64
}

// New returns an empty volume.
func New() *Volume { return &Volume{nodes: map[uint64]*node{Root: newDir()}} }

func newDir() *node {
	return &node{dir: true, now: content{entries: map[string]uint64{}}, kept: content{entries: map[string]uint64{}}}
}

// Apply does an operation, which must be possible.
func (v *Volume) Apply(op Op) {
	switch op.Kind {
	case Mark:
	case Sync:
		v.nodes[op.Node].sync(nil)
	case SyncFails:
		v.nodes[op.Node].sync(rand.New(rand.NewPCG(op.Seed, 0)))
	default:
		switch op.Kind {
		case Create:
			v.nodes[op.Child] = &node{}
		case Mkdir:
			v.nodes[op.Child] = newDir()
		default:
		}
		n := v.nodes[op.Node]
		n.now.apply(op)
		n.pending = append(n.pending, op)
	}
}

// sync makes durable what is pending or, with a source of chance, the part of it that was written before the error.
func (n *node) sync(failing *rand.Rand) {
	if failing != nil {
		n.pending = survivors(failing, n.pending, Loss{Keep: 0.5, Tear: 0.5})
	}
	for _, op := range n.pending {
		n.kept.apply(op)
	}
	n.pending = nil
	if failing != nil && !n.dir {
		length := Op{Kind: Resize, Size: int64(len(n.now.bytes))}
		n.now.bytes = slices.Clone(n.kept.bytes)
		n.now.apply(length)
		n.pending = []Op{length}
	}
}

func (c *content) apply(op Op) {
	switch op.Kind {
	case Write:
		c.grow(op.Off + int64(len(op.Data)))
		copy(c.bytes[op.Off:], op.Data)
	case Resize:
		c.grow(op.Size)
		clear(c.bytes[op.Size:]) // should it grow again
		c.bytes = c.bytes[:op.Size]
	case lengthen:
		c.grow(op.Size)
	case Create, Mkdir:
		c.entries[op.Name] = op.Child
	case Remove:
		delete(c.entries, op.Name)
	case Rename:
		if child, ok := c.entries[op.Name]; ok {
			delete(c.entries, op.Name)
			c.entries[op.To] = child
		}
	default:
	}
}

func (c *content) grow(size int64) {
	if have := int64(len(c.bytes)); size > have {
		c.bytes = slices.Grow(c.bytes, int(size-have))[:size]
		clear(c.bytes[have:])
	}
}

// Lookup returns what a name stands for in a directory.
func (v *Volume) Lookup(dir uint64, name string) (child uint64, ok bool) {
	child, ok = v.nodes[dir].now.entries[name]
	return child, ok
}

// IsDir says whether a node is a directory.
func (v *Volume) IsDir(number uint64) bool { return v.nodes[number].dir }

// Names lists a directory.
func (v *Volume) Names(dir uint64) []string {
	return slices.Sorted(maps.Keys(v.nodes[dir].now.entries))
}

// Bytes returns what reading the file returns. It is good until the next operation.
func (v *Volume) Bytes(file uint64) []byte { return v.nodes[file].now.bytes }
