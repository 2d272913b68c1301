package volume

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Store writes the tree into a directory that exists. What ends a file in zeros is left a hole.
func (t Tree) Store(dir string) error {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, bytes.TrimRight(t[name], "\x00"), 0o600); err != nil {
			return err
		}
		if err := os.Truncate(path, int64(len(t[name]))); err != nil {
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
