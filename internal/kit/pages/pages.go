// Package pages examines the pages of a bbolt file without bbolt, which trusts them: on a damaged page it panics, reads beyond the file, or
// follows a circle until the stack is full. Here every number is checked before it is used, and no page is visited twice, so examining ends
// whatever the file holds.
//
// The layout is that of bbolt's version 2: two meta pages, of which the one with the later transaction counts, and from there a tree of
// branch and leaf pages for each bucket, in the byte order of the machine.
package pages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// ErrDamaged says that a file is not what bbolt left. Its text names the page, where that is known.
var ErrDamaged = errors.New("store is damaged")

const (
	magic   = 0xED0CDAED
	version = 2

	headerBytes  = 16 // id 8, flags 2, count 2, overflow 4
	metaBytes    = 64
	elementBytes = 16
	bucketBytes  = 16 // root 8, sequence 8

	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10
	bucketFlag   = 0x01 // of a leaf's element

	leastPage, mostPage = 1 << 10, 1 << 16
	noFreelist          = ^uint64(0)
)

// The numbers of a page are in the byte order of the machine that wrote it.
func u16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }

// File is a bbolt file that nobody writes to.
type File struct {
	from io.ReaderAt
	size int64
	meta

	// Torn are the meta pages that cannot be read, if the other one can.
	Torn []uint64
}

// meta is what a meta page says.
type meta struct {
	pageSize int64
	root     uint64
	freelist uint64
	pages    uint64 // how many the file has, it says
	last     uint64 // transaction
}

// Read finds the meta page that counts in a file of so many bytes, and checks that the file is as long as it says.
func Read(from io.ReaderAt, size int64) (*File, error) {
	f := &File{from: from, size: size}
	first, err := f.metaAt(0)
	var second meta
	if err == nil {
		if second, err = f.metaAt(first.pageSize); err != nil {
			f.Torn = append(f.Torn, 1)
		}
	} else {
		f.Torn = append(f.Torn, 0)
		second = f.secondMeta()
	}
	if f.meta = first; second.last > first.last || first.pageSize == 0 {
		f.meta = second
	}
	if f.pageSize == 0 {
		return nil, fmt.Errorf("%w: neither page 0 nor page 1 is a meta page", ErrDamaged)
	}
	if need := f.pages; need > uint64(size/f.pageSize) {
		return nil, fmt.Errorf("%w: the file is cut off: it has %d bytes, and page 0 or 1 says %d pages of %d",
			ErrDamaged, size, need, f.pageSize)
	}
	return f, nil
}

// secondMeta looks for the second meta page where the first one does not say how large pages are.
func (f *File) secondMeta() meta {
	for at := int64(leastPage); at <= mostPage; at *= 2 {
		if m, err := f.metaAt(at); err == nil && m.pageSize == at {
			return m
		}
	}
	return meta{}
}

// metaAt reads the meta page at an offset, if it is one.
func (f *File) metaAt(at int64) (meta, error) {
	var page [headerBytes + metaBytes]byte
	if _, err := f.from.ReadAt(page[:], at); err != nil {
		return meta{}, err
	}
	b := page[headerBytes:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:56])
	if u32(b) != magic || u32(b[4:]) != version || u64(b[56:]) != sum.Sum64() {
		return meta{}, ErrDamaged
	}
	m := meta{
		pageSize: int64(u32(b[8:])), root: u64(b[16:]), freelist: u64(b[32:]),
		pages: u64(b[40:]), last: u64(b[48:]),
	}
	if m.pageSize < leastPage || m.pageSize > mostPage || m.pageSize&(m.pageSize-1) != 0 {
		return meta{}, ErrDamaged
	}
	return m, nil
}

// page is one page with those that it goes on in.
type page struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64
	bytes    []byte // all of it; nil: not read yet
}

// header reads the header of a page, and checks that it is the page's own and that the page ends within the file.
func (f *File) header(id uint64) (page, error) {
	if id < 2 || id >= f.pages {
		return page{}, damaged(id, "it is not one of the %d that the file has", f.pages)
	}
	var b [headerBytes]byte
	if _, err := f.from.ReadAt(b[:], int64(id)*f.pageSize); err != nil { // less than the file has
		return page{}, unread(id, err)
	}
	p := page{
		id: u64(b[:]), flags: u16(b[8:]), count: int(u16(b[10:])), overflow: uint64(u32(b[12:])),
	}
	switch {
	case p.id != id:
		return page{}, damaged(id, "it says that it is page %d", p.id)
	case p.overflow >= f.pages-id:
		return page{}, damaged(id, "it goes on for %d pages, beyond the end of the file", p.overflow)
	}
	return p, nil
}

// read reads the whole page.
func (f *File) read(p *page) error {
	p.bytes = make([]byte, (int64(p.overflow)+1)*f.pageSize) // no more than the file has
	if _, err := f.from.ReadAt(p.bytes, int64(p.id)*f.pageSize); err != nil {
		return unread(p.id, err)
	}
	return nil
}

func damaged(id uint64, format string, args ...any) error {
	return fmt.Errorf("%w: page %d: %s", ErrDamaged, id, fmt.Sprintf(format, args...))
}

func unread(id uint64, err error) error { return fmt.Errorf("%w: page %d: %w", ErrDamaged, id, err) }
