package volume

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// Loss says how much of what was not synced a crash takes.
type Loss struct {
	// Keep is the chance of each operation to survive.
	Keep float64
	// Tear is the chance of a write that survives to do so with some of its sectors only.
	Tear float64
	// Ordered makes what happened to a directory survive in the order in which it happened, up to some operation, as file systems with a
	// journal do it. Otherwise any of it may survive without what came before.
	Ordered bool
}

// AnyLoss chooses how a crash goes: nothing and everything that was not synced may survive, and anything between.
func AnyLoss(chance *rand.Rand) Loss {
	l := Loss{Keep: chance.Float64(), Ordered: chance.IntN(4) > 0}
	switch chance.IntN(6) {
	case 0:
		l.Keep = 0
	case 1:
		l.Keep = 1
	default:
	}
	if chance.IntN(2) == 0 {
		l.Tear = chance.Float64()
	}
	return l
}

// Tree is the content of a file system: bytes of files by their path, and directories, whose path ends in a slash.
type Tree map[string][]byte

// Crash returns what a file system that was left as the volume is now could hold when it is mounted again: what is durable, and of what
// else was done to each file and directory a part drawn by chance. For a third of the files all or nothing of it, since files are written
// back one at a time.
func (v *Volume) Crash(chance *rand.Rand, loss Loss) Tree {
	t := Tree{}
	v.crash(chance, loss, Root, "", t)
	return t
}

func (v *Volume) crash(chance *rand.Rand, loss Loss, number uint64, at string, into Tree) {
	n := v.nodes[number]
	if !n.dir {
		into[at] = n.crash(chance, loss).bytes
		return
	}
	if at != "" {
		into[at+"/"] = nil
	}
	after := n.crash(chance, loss)
	for _, name := range slices.Sorted(maps.Keys(after.entries)) {
		v.crash(chance, loss, after.entries[name], path.Join(at, name), into)
	}
}

func (n *node) crash(chance *rand.Rand, loss Loss) content {
	after := content{bytes: bytes.Clone(n.kept.bytes), entries: maps.Clone(n.kept.entries)}
	switch chance.IntN(6) {
	case 0:
		loss.Keep = 0
	case 1:
		loss.Keep, loss.Tear = 1, 0
	default:
	}
	if n.dir && loss.Ordered {
		for _, op := range n.pending[:chance.IntN(len(n.pending)+1)] {
			after.apply(op)
		}
		return after
	}
	for _, op := range survivors(chance, n.pending, loss) {
		after.apply(op)
	}
	return after
}

// survivors returns a part of the operations. Of two writes to a sector any may be the one that survives.
func survivors(chance *rand.Rand, pending []Op, loss Loss) []Op {
	var left []Op
	for _, op := range pending {
		switch {
		case chance.Float64() >= loss.Keep:
		case op.Kind == Write && chance.Float64() < loss.Tear:
			left = append(left, torn(chance, op)...)
		default:
			left = append(left, op)
		}
	}
	return left
}

// torn returns a write as some of its sectors, beside the length of the file that it makes, which is not kept in them.
func torn(chance *rand.Rand, op Op) []Op {
	var left []Op
	keep := chance.Float64()
	for from := int64(0); from < int64(len(op.Data)); {
		to := min((op.Off+from)/sector*sector+sector-op.Off, int64(len(op.Data)))
		if chance.Float64() < keep {
			left = append(left, Op{Kind: Write, Node: op.Node, Off: op.Off + from, Data: op.Data[from:to]})
		}
		from = to
	}
	if chance.IntN(2) == 0 {
		left = append(left, Op{Kind: lengthen, Node: op.Node, Size: op.Off + int64(len(op.Data))})
	}
	return left
}
