package mounted

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// dir is a directory of the volume.
type dir struct {
	fs.Inode
	disk   *disk
	number uint64
}

func (d *dir) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	d.disk.mutex.Lock()
	defer d.disk.mutex.Unlock()
	child, ok := d.disk.volume.Lookup(d.number, name)
	if !ok {
		return nil, syscall.ENOENT
	}
	return d.child(ctx, name, child, out), 0
}

// child returns the inode of a node. The caller has the mutex.
func (d *dir) child(ctx context.Context, name string, number uint64, out *fuse.EntryOut) *fs.Inode {
	if d.disk.volume.IsDir(number) {
		out.Mode = fuse.S_IFDIR | 0o700
		return d.NewInode(ctx, &dir{disk: d.disk, number: number}, fs.StableAttr{Mode: fuse.S_IFDIR, Ino: number})
	}
	f := &file{disk: d.disk, number: number}
	d.disk.names[number] = name
	f.attr(&out.Attr)
	return d.NewInode(ctx, f, fs.StableAttr{Mode: fuse.S_IFREG, Ino: number})
}

func (*dir) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = 0o700
	return 0
}

func (*dir) Setattr(context.Context, fs.FileHandle, *fuse.SetAttrIn, *fuse.AttrOut) syscall.Errno {
	return 0
}

func (d *dir) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	d.disk.mutex.Lock()
	defer d.disk.mutex.Unlock()
	var list []fuse.DirEntry
	for _, name := range d.disk.volume.Names(d.number) {
		child, _ := d.disk.volume.Lookup(d.number, name)
		mode := uint32(fuse.S_IFREG)
		if d.disk.volume.IsDir(child) {
			mode = fuse.S_IFDIR
		}
		list = append(list, fuse.DirEntry{Name: name, Mode: mode, Ino: child})
	}
	return fs.NewListDirStream(list), 0
}

func (d *dir) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	inode := d.make(ctx, volume.Create, name, out)
	return inode, nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (d *dir) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return d.make(ctx, volume.Mkdir, name, out), 0
}

func (d *dir) make(ctx context.Context, kind volume.Kind, name string, out *fuse.EntryOut) *fs.Inode {
	d.disk.mutex.Lock()
	defer d.disk.mutex.Unlock()
	number := d.disk.number()
	d.disk.do(volume.Op{Kind: kind, Node: d.number, Child: number, Name: name})
	return d.child(ctx, name, number, out)
}

func (d *dir) Unlink(_ context.Context, name string) syscall.Errno {
	d.disk.mutex.Lock()
	defer d.disk.mutex.Unlock()
	d.disk.do(volume.Op{Kind: volume.Remove, Node: d.number, Name: name})
	return 0
}

func (d *dir) Rmdir(_ context.Context, name string) syscall.Errno {
	d.disk.mutex.Lock()
	defer d.disk.mutex.Unlock()
	if child, ok := d.disk.volume.Lookup(d.number, name); ok && len(d.disk.volume.Names(child)) > 0 {
		return syscall.ENOTEMPTY
	}
	d.disk.do(volume.Op{Kind: volume.Remove, Node: d.number, Name: name})
	return 0
}

// Rename knows one directory at a time and no exchange.
func (d *dir) Rename(_ context.Context, name string, parent fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	target, ok := parent.(*dir)
	if !ok || target.number != d.number || flags&^unix.RENAME_NOREPLACE != 0 {
		return syscall.EXDEV
	}
	d.disk.mutex.Lock()
	defer d.disk.mutex.Unlock()
	if _, there := d.disk.volume.Lookup(d.number, to); there && flags != 0 {
		return syscall.EEXIST
	}
	if child, ok := d.disk.volume.Lookup(d.number, name); ok && !d.disk.volume.IsDir(child) {
		d.disk.names[child] = to
	}
	d.disk.do(volume.Op{Kind: volume.Rename, Node: d.number, Name: name, To: to})
	return 0
}

// Link makes a second name of a file impossible, as some file systems do.
func (*dir) Link(context.Context, fs.InodeEmbedder, string, *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return nil, syscall.EPERM
}

func (d *dir) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return d.disk.sync(d.number)
}

func (*dir) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno { return plentiful(out) }
