// Package mounted mounts a volume, through FUSE, so that programs work on it, logs the operations that they do, and makes some of them
// fail. It needs root and /dev/fuse.
//
// The directory data of the mount is the volume. A write to the file marks beside it puts a Mark into the log, in its order between the
// operations: what a program writes there before and after a call says what it knew when.
package mounted

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// Options say what goes wrong on a mounted volume.
type Options struct {
	// FailSync, if set, says of a Sync of a file, or of a directory, which has the name "/", whether it fails with EIO. It is called by one
	// goroutine at a time.
	FailSync func(name string) bool
	// Log has the operations logged.
	Log bool
}

// Mount is a mounted volume.
type Mount struct {
	dir    string
	server *fuse.Server
	disk   *disk
}

// disk is the volume with what guards it.
type disk struct {
	options Options

	mutex  sync.Mutex
	volume *volume.Volume
	log    []volume.Op
	names  map[uint64]string // that files were last found, made or renamed as
	next   uint64
	broken uint64 // how many syncs failed
}

// firstNumber is that of the first node that is made on a mounted volume: beyond those that are there already.
const firstNumber = 1 << 32

// New mounts a volume on a directory. The caller unmounts it.
func New(dir string, v *volume.Volume, o Options) (*Mount, error) {
	d := &disk{options: o, volume: v, names: map[uint64]string{}, next: firstNumber}
	second := time.Second
	server, err := fs.Mount(dir, &top{disk: d}, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "faulty", Name: "faulty"},
		EntryTimeout: &second, AttrTimeout: &second, NullPermissions: true,
	})
	if err != nil {
		return nil, fmt.Errorf("mount with FUSE: %w", err)
	}
	return &Mount{dir: dir, server: server, disk: d}, nil
}

// Data is the directory that is on the volume.
func (m *Mount) Data() string { return filepath.Join(m.dir, "data") }

// Marks is the file that takes marks.
func (m *Mount) Marks() string { return filepath.Join(m.dir, "marks") }

// FailedSyncs is how many syncs have failed so far.
func (m *Mount) FailedSyncs() int {
	m.disk.mutex.Lock()
	defer m.disk.mutex.Unlock()
	return int(m.disk.broken)
}

// Unmount unmounts the volume, which no program may use any more, and returns the operations that were done.
func (m *Mount) Unmount() ([]volume.Op, error) {
	if err := m.server.Unmount(); err != nil {
		return nil, fmt.Errorf("unmount: %w", err)
	}
	m.disk.mutex.Lock()
	defer m.disk.mutex.Unlock()
	return m.disk.log, nil
}

// do applies an operation and logs it. The caller has the mutex.
func (d *disk) do(op volume.Op) {
	d.volume.Apply(op)
	if d.options.Log {
		d.log = append(d.log, op)
	}
}

// number returns one for a new node.
func (d *disk) number() uint64 {
	d.next++
	return d.next
}

// sync makes a node durable, or fails.
func (d *disk) sync(number uint64) syscall.Errno {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	name := d.names[number]
	if d.volume.IsDir(number) {
		name = "/"
	}
	if name != "" && d.options.FailSync != nil && d.options.FailSync(name) {
		d.broken++
		d.do(volume.Op{Kind: volume.SyncFails, Node: number, Seed: d.broken})
		return syscall.EIO
	}
	d.do(volume.Op{Kind: volume.Sync, Node: number})
	return 0
}

// top is what is mounted: the volume's root beside the file that takes marks.
type top struct {
	fs.Inode
	disk *disk
}

func (t *top) OnAdd(ctx context.Context) {
	data := t.NewPersistentInode(ctx, &dir{disk: t.disk, number: volume.Root}, fs.StableAttr{Mode: fuse.S_IFDIR, Ino: volume.Root + 1<<40})
	t.AddChild("data", data, false)
	t.AddChild("marks", t.NewPersistentInode(ctx, &marks{disk: t.disk}, fs.StableAttr{Mode: fuse.S_IFREG}), false)
}

type marks struct {
	fs.Inode
	disk *disk
}

func (*marks) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

func (m *marks) Write(_ context.Context, _ fs.FileHandle, data []byte, _ int64) (uint32, syscall.Errno) {
	m.disk.mutex.Lock()
	defer m.disk.mutex.Unlock()
	m.disk.do(volume.Op{Kind: volume.Mark, Data: append([]byte(nil), data...)})
	return uint32(len(data)), 0
}

func (*marks) Setattr(context.Context, fs.FileHandle, *fuse.SetAttrIn, *fuse.AttrOut) syscall.Errno {
	return 0
}

// Missing names what New needs and this machine does not have: root or /dev/fuse. It is empty where there is everything.
func Missing() string {
	if os.Geteuid() != 0 {
		return "root"
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return "/dev/fuse"
	}
	return ""
}

// Fsync is for a program that syncs what its directory is in.
func (*top) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return 0 }

func (*top) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno { return plentiful(out) }

// plentiful says that there is a terabyte free.
func plentiful(out *fuse.StatfsOut) syscall.Errno {
	*out = fuse.StatfsOut{Blocks: 1 << 28, Bfree: 1 << 28, Bavail: 1 << 28, Bsize: 4096, Frsize: 4096, NameLen: 255}
	return 0
}
