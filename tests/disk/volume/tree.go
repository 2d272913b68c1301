package volume

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Store writes the tree into a directory that exists. What ends a file in zeros is left a hole.
func (t Tree) Store(dir string) error {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(target, 0o700); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(target, bytes.TrimRight(t[name], "\x00"), 0o600); err != nil {
			return err
		}
		if err := os.Truncate(target, int64(len(t[name]))); err != nil {
			return err
		}
	}
	return nil
}

// Load returns a volume that holds the tree, all of it durable, and the operations that make it.
func (t Tree) Load() (*Volume, []Op) {
	v, numbers, next := New(), map[string]uint64{".": Root}, Root+1
	var log []Op
	do := func(op Op) {
		v.Apply(op)
		log = append(log, op)
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		kind, clean := Create, strings.TrimSuffix(name, "/")
		if clean != name {
			kind = Mkdir
		}
		parent := numbers[filepath.ToSlash(filepath.Dir(clean))]
		do(Op{Kind: kind, Node: parent, Child: next, Name: filepath.Base(clean)})
		do(Op{Kind: Sync, Node: parent})
		if kind == Create {
			do(Op{Kind: Write, Node: next, Data: t[name]})
			do(Op{Kind: Sync, Node: next})
		}
		numbers[clean] = next
		next++
	}
	return v, log
}

// Sum returns a hash of the tree.
func (t Tree) Sum(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		_, _ = fmt.Fprintf(&h, "%q %d ", name, len(t[name]))
		_, _ = h.Write(t[name])
	}
	return h.Sum64()
}

// Is says whether the volume reads as the tree.
func (v *Volume) Is(t Tree) bool {
	return maps.EqualFunc(v.Tree(), t, bytes.Equal)
}

// Tree returns what the volume reads as.
func (v *Volume) Tree() Tree {
	now := Tree{}
	v.read(Root, "", now)
	return now
}

func (v *Volume) read(number uint64, at string, into Tree) {
	n := v.nodes[number]
	if !n.dir {
		into[at] = n.now.bytes
		return
	}
	if at != "" {
		into[at+"/"] = nil
	}
	for name, child := range n.now.entries {
		v.read(child, path.Join(at, name), into)
	}
}
