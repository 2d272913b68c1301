package mounted

import (
	"bytes"
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// file is a file of the volume.
type file struct {
	fs.Inode
	disk   *disk
	number uint64
}

// attr sets a file's attributes. The caller has the mutex.
func (f *file) attr(out *fuse.Attr) {
	out.Mode = fuse.S_IFREG | 0o600
	out.Size = uint64(len(f.disk.volume.Bytes(f.number)))
	out.Blocks = (out.Size + 511) / 512
	out.Nlink = 1
}

func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.disk.mutex.Lock()
	defer f.disk.mutex.Unlock()
	f.attr(&out.Attr)
	return 0
}

func (f *file) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	f.disk.mutex.Lock()
	defer f.disk.mutex.Unlock()
	if size, ok := in.GetSize(); ok {
		f.disk.do(volume.Op{Kind: volume.Resize, Node: f.number, Size: int64(size)})
	}
	f.attr(&out.Attr)
	return 0
}

func (f *file) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_TRUNC != 0 {
		f.disk.mutex.Lock()
		defer f.disk.mutex.Unlock()
		f.disk.do(volume.Op{Kind: volume.Resize, Node: f.number})
	}
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (f *file) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	f.disk.mutex.Lock()
	defer f.disk.mutex.Unlock()
	content := f.disk.volume.Bytes(f.number)
	from := min(off, int64(len(content)))
	n := copy(dest, content[from:])
	return fuse.ReadResultData(dest[:n]), 0
}

func (f *file) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	f.disk.mutex.Lock()
	defer f.disk.mutex.Unlock()
	f.disk.do(volume.Op{Kind: volume.Write, Node: f.number, Off: off, Data: bytes.Clone(data)})
	return uint32(len(data)), 0
}

// Allocate reserves nothing, for nothing is ever short here, but makes the file longer where it is to be.
func (f *file) Allocate(_ context.Context, _ fs.FileHandle, off, size uint64, mode uint32) syscall.Errno {
	if mode != 0 {
		return syscall.EOPNOTSUPP
	}
	f.disk.mutex.Lock()
	defer f.disk.mutex.Unlock()
	if end := off + size; end > uint64(len(f.disk.volume.Bytes(f.number))) {
		f.disk.do(volume.Op{Kind: volume.Resize, Node: f.number, Size: int64(end)})
	}
	return 0
}

func (*file) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return f.disk.sync(f.number)
}

func (*file) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno { return plentiful(out) }
