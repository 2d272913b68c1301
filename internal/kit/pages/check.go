package pages

import (
	"bytes"
	"context"
	"slices"
)

// What is known of a page.
const (
	used = 1 << iota
	free
)

// maxDepth is deeper than any tree of bbolt's, whose branches lead to at least two pages, and its buckets.
const maxDepth = 128

// visit is a page that is still to be looked at, and what its parent says of it.
type visit struct {
	id           uint64
	least, limit []byte
	depth        int
}

// walk is one examination of a file.
type walk struct {
	file   *File
	marks  []uint8
	todo   []visit
	nested bool // whether buckets in buckets are looked at too
	found  func(error)
}

// Head checks what bbolt uses when it opens the file: the list of free pages and the root, and the buckets in it that lie on no page of
// their own. It reads these pages only, so that it is quick however large the file is.
func (f *File) Head() error {
	var first error
	w := f.walk(func(err error) {
		if first == nil {
			first = err
		}
	})
	w.freelist()
	w.todo = append(w.todo, visit{id: f.root})
	_ = w.run(context.Background())
	return first
}

// Check tells found of everything that is wrong with the pages, each as ErrDamaged naming the page, and says whether all of them can be
// followed: if not, reading the file with bbolt may end the process. The error is that of ctx.
func (f *File) Check(ctx context.Context, found func(error)) (followable bool, err error) {
	problems := 0
	w := f.walk(func(err error) { problems++; found(err) })
	w.nested = true
	for _, id := range f.Torn {
		found(damaged(id, "it is no meta page: what the last transaction wrote may be missing"))
	}
	w.freelist()
	w.todo = append(w.todo, visit{id: f.root})
	if err := w.run(ctx); err != nil {
		return false, err
	}
	if problems > 0 {
		return false, nil // what hangs on the damaged pages was not seen, and would be called lost
	}
	for id := uint64(2); id < f.pages; id++ {
		if w.marks[id] == 0 {
			found(damaged(id, "it is neither used nor free"))
		}
	}
	return true, nil
}

func (f *File) walk(found func(error)) *walk {
	return &walk{file: f, marks: make([]uint8, f.pages), found: found}
}

// take marks a page and those that it goes on in, and refuses what was marked before.
func (w *walk) take(p page, as uint8) error {
	for id := p.id; id <= p.id+p.overflow; id++ {
		if w.marks[id]&used != 0 {
			return damaged(id, "it is used twice")
		}
		if w.marks[id]&free != 0 {
			return damaged(id, "it is used and free")
		}
		w.marks[id] |= as
	}
	return nil
}

// freelist checks the list of free pages.
func (w *walk) freelist() {
	if w.file.freelist == noFreelist {
		return
	}
	if err := w.readFreelist(); err != nil {
		w.found(err)
	}
}

func (w *walk) readFreelist() error {
	id := w.file.freelist
	p, err := w.file.header(id)
	if err != nil {
		return err
	}
	if p.flags != freelistFlag {
		return damaged(id, "it is not the list of free pages: flags %#x", p.flags)
	}
	if err := w.take(p, used); err != nil {
		return err
	}
	if err := w.file.read(&p); err != nil {
		return err
	}
	ids, count := p.bytes[headerBytes:], uint64(p.count) // of 16 bits
	if p.count == 0xFFFF {
		ids, count = ids[8:], u64(ids)
	}
	if count > uint64(len(ids)/8) {
		return damaged(id, "the list of %d free pages does not fit on it", count)
	}
	for i := range count {
		one := u64(ids[i*8:])
		switch {
		case one < 2 || one >= w.file.pages:
			return damaged(id, "it names page %d as free, which the file does not have", one)
		case w.marks[one] != 0:
			return damaged(one, "it is free twice, or used and free")
		}
		w.marks[one] = free
	}
	return nil
}

func (w *walk) run(ctx context.Context) error {
	for n := 0; len(w.todo) > 0; n++ {
		if n%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		next := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if err := w.look(next); err != nil {
			w.found(err)
		}
	}
	return nil
}

func (w *walk) look(v visit) error {
	if v.depth > maxDepth {
		return damaged(v.id, "it lies deeper than any page can")
	}
	p, err := w.file.header(v.id)
	if err != nil {
		return err
	}
	if err := w.take(p, used); err != nil {
		return err
	}
	if err := w.file.read(&p); err != nil {
		return err
	}
	found, err := elements(p, p.id)
	if err != nil {
		return err
	}
	if err := within(found, p.id, v.least, v.limit); err != nil {
		return err
	}
	if p.flags == leafFlag {
		return w.buckets(found, p.id, v.depth)
	}
	for i, e := range slices.Backward(found) { // so that pages are looked at in the order of their keys
		limit := v.limit
		if i+1 < len(found) {
			limit = found[i+1].key
		}
		w.todo = append(w.todo, visit{e.child, bytes.Clone(e.key), bytes.Clone(limit), v.depth + 1})
	}
	return nil
}

// buckets looks into the buckets among the elements of a leaf.
func (w *walk) buckets(found []element, at uint64, depth int) error {
	for i, e := range found {
		if !e.bucket {
			continue
		}
		if len(e.value) < bucketBytes {
			return damaged(at, "element %d is no bucket", i)
		}
		root := u64(e.value)
		if root != 0 {
			if w.nested || string(e.key) == "meta" {
				w.todo = append(w.todo, visit{id: root, depth: depth + 1})
			}
			continue
		}
		rows, err := elements(inline(e.value), at)
		if err == nil {
			err = within(rows, at, nil, nil)
		}
		if err == nil {
			err = inlined(rows, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inlined refuses buckets in a bucket that lies within a page: bbolt keeps none there.
func inlined(found []element, at uint64) error {
	for _, e := range found {
		if e.bucket {
			return damaged(at, "there is a bucket within an inline one")
		}
	}
	return nil
}
