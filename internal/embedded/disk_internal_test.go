package embedded

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// testDisk is a disk that knows what of its files is durable, and so what a loss of power may leave of them, and that fails where it is
// told to. What was written and not synced may be there, or not, or in part; names change in order, and are durable when their directory
// is.
type testDisk struct {
	osDisk

	mu    sync.Mutex
	dice  *rand.Rand
	names map[string]*inode // durable
	moves []nameOp          // not yet durable
	now   map[string]*inode // as the program sees them
	bolts map[*bolt.DB]*boltFile
	steps []string

	crash func(step string, image func() map[string][]byte) // told before each step, and in the middle of it
	fail  func(step string) error
}

type inode struct {
	durable []byte
	writes  []write // not yet durable
}

// write is one, or, without data, a truncation.
type write struct {
	at   int64
	data []byte
}

type nameOp struct {
	name string
	to   *inode // nil: removed
}

type boltFile struct {
	*inode

	raw *os.File
}

func newTestDisk(seed uint64, names map[string][]byte) *testDisk {
	d := &testDisk{
		dice: rand.New(rand.NewPCG(seed, 1)), names: map[string]*inode{}, now: map[string]*inode{}, bolts: map[*bolt.DB]*boltFile{},
		crash: func(string, func() map[string][]byte) {}, fail: func(string) error { return nil },
	}
	for name, content := range names {
		d.names[name] = &inode{durable: content}
	}
	d.now = maps.Clone(d.names)
	return d
}

// step notes a step, and returns the error that it is to fail with.
func (d *testDisk) step(what, name string) error {
	step := what + " " + strings.TrimPrefix(filepath.Base(name), "x.db")
	d.mu.Lock()
	d.steps = append(d.steps, step)
	d.mu.Unlock()
	d.crash(step, d.image)
	return d.fail(step)
}

// image is what a loss of power now may leave.
func (d *testDisk) image() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := maps.Clone(d.names)
	for _, m := range d.moves[:d.dice.IntN(len(d.moves)+1)] {
		names[m.name] = m.to
	}
	files := map[string][]byte{}
	for name, i := range names {
		if i != nil {
			files[name] = i.after(d.dice)
		}
	}
	return files
}

// after is what a loss of power may leave of a file.
func (i *inode) after(dice *rand.Rand) []byte {
	content := bytes.Clone(i.durable)
	how := dice.IntN(4)
	for _, w := range i.writes {
		switch {
		case how == 0 || how == 1 && dice.IntN(2) == 0:
		case w.data == nil:
			content = content[:min(w.at, int64(len(content)))]
		default:
			content = w.apply(content, func() bool { return how == 3 || dice.IntN(3) > 0 })
			if how == 2 && dice.IntN(3) == 0 { // nor need the file be as long
				content = content[:max(len(i.durable), len(content)-dice.IntN(len(w.data)+1))]
			}
		}
	}
	return content
}

// apply writes those sectors of a write that get to the disk.
func (w write) apply(content []byte, sector func() bool) []byte {
	if more := int(w.at) + len(w.data) - len(content); more > 0 {
		content = append(content, make([]byte, more)...)
	}
	for from := int64(0); from < int64(len(w.data)); {
		n := min(sectorBytes-(w.at+from)%sectorBytes, int64(len(w.data))-from)
		if sector() {
			copy(content[w.at+from:], w.data[from:from+n])
		}
		from += n
	}
	return content
}

func (i *inode) sync() {
	for _, w := range i.writes {
		if w.data == nil {
			i.durable = i.durable[:min(w.at, int64(len(i.durable)))]
		} else {
			i.durable = w.apply(bytes.Clone(i.durable), func() bool { return true })
		}
	}
	i.writes = nil
}

func (d *testDisk) name(name string, to *inode) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moves = append(d.moves, nameOp{name, to})
	if d.now[name] = to; to == nil {
		delete(d.now, name)
	}
}

type testFile struct {
	file
	*inode

	d    *testDisk
	name string
}

func (d *testDisk) create(name string) (file, error) {
	if err := d.step("create", name); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := d.osDisk.create(name)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	i := d.now[name]
	d.mu.Unlock()
	if i == nil {
		i = &inode{}
		d.name(name, i)
	} else {
		d.mu.Lock()
		i.writes = append(i.writes, write{})
		d.mu.Unlock()
	}
	return &testFile{f, i, d, name}, nil
}

func (d *testDisk) open(name string) (file, error) {
	f, err := d.osDisk.open(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	return &testFile{f, d.now[name], d, name}, err
}

func (f *testFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.d.step("write", f.name); err != nil {
		n, _ := f.file.WriteAt(p[:len(p)/2], at) // some of it
		f.note(write{at, bytes.Clone(p[:n])})
		return n, &fs.PathError{Op: "write", Path: f.name, Err: err}
	}
	f.note(write{at, bytes.Clone(p)})
	f.d.crash("half write", f.d.image)
	return f.file.WriteAt(p, at)
}

func (f *testFile) note(w write) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.writes = append(f.writes, w)
}

func (f *testFile) Truncate(size int64) error {
	if err := f.d.step("truncate", f.name); err != nil {
		return &fs.PathError{Op: "truncate", Path: f.name, Err: err}
	}
	f.note(write{at: size})
	return f.file.Truncate(size)
}

func (f *testFile) Sync() error {
	err := f.d.step("sync", f.name)
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err != nil { // what was written is shown still, but is taken for clean, and never gets to the disk
		f.writes = nil
		return err
	}
	f.sync()
	return nil
}

func (d *testDisk) rename(from, to string) error {
	if err := d.step("rename", from); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	if err := d.osDisk.rename(from, to); err != nil {
		return err
	}
	d.mu.Lock()
	i := d.now[from]
	delete(d.now, from)
	d.now[to] = i
	// Both names change at once.
	d.moves = append(d.moves, nameOp{to, i}, nameOp{from, nil})
	d.mu.Unlock()
	return nil
}

func (d *testDisk) remove(name string) error {
	if err := d.step("remove", name); err != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: err}
	}
	err := d.osDisk.remove(name)
	if err == nil {
		d.name(name, nil)
	}
	return err
}

func (d *testDisk) syncDir(path string) error {
	if err := d.step("sync directory", path); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.moves {
		if d.names[m.name] = m.to; m.to == nil {
			delete(d.names, m.name)
		}
	}
	d.moves = nil
	return nil
}

func (d *testDisk) sync(b *bolt.DB) error {
	if err := d.step("sync bbolt", b.Path()); err != nil {
		return err
	}
	f := d.boltFile(b)
	d.mu.Lock()
	defer d.mu.Unlock()
	f.sync()
	return nil
}

// update notes what a transaction of bbolt writes: pages, which it syncs, and then a meta page.
func (d *testDisk) update(b *bolt.DB, fn func(*bolt.Tx) error) error {
	if err := d.step("update", b.Path()); err != nil {
		return &fs.PathError{Op: "write", Path: b.Path(), Err: err}
	}
	b.AllocSize = 4096
	f := d.boltFile(b)
	before := f.content()
	if err := b.Update(fn); err != nil {
		return err
	}
	var pages, metas []write
	after, size := f.content(), b.Info().PageSize
	for at := 0; at < len(after); at += size {
		page := after[at:min(at+size, len(after))]
		switch {
		case at+len(page) <= len(before) && bytes.Equal(before[at:at+len(page)], page):
		case at < 2*size:
			metas = append(metas, write{int64(at), page})
		default:
			pages = append(pages, write{int64(at), page})
		}
	}
	for _, writes := range [][]write{pages, metas} {
		d.mu.Lock()
		f.writes = append(f.writes, writes...)
		d.mu.Unlock()
		if b.NoSync {
			continue
		}
		d.crash("update", d.image)
		d.mu.Lock()
		f.sync()
		d.mu.Unlock()
	}
	return nil
}

func (d *testDisk) boltFile(b *bolt.DB) *boltFile {
	d.mu.Lock()
	f := d.bolts[b]
	d.mu.Unlock()
	if f != nil {
		return f
	}
	raw, err := os.Open(b.Path())
	if err != nil {
		panic(err)
	}
	f = &boltFile{raw: raw}
	d.mu.Lock()
	f.inode = d.now[b.Path()]
	d.mu.Unlock()
	if f.inode == nil { // bbolt made it
		f.inode = &inode{durable: f.content()}
		d.name(b.Path(), f.inode)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bolts[b] = f
	return f
}

func (f *boltFile) content() []byte {
	info, err := f.raw.Stat()
	if err != nil {
		panic(err)
	}
	content := make([]byte, info.Size())
	if _, err := f.raw.ReadAt(content, 0); err != nil {
		panic(err)
	}
	return content
}

func (d *testDisk) close() {
	for _, f := range d.bolts {
		_ = f.raw.Close()
	}
}

// memoryDir returns a directory on a file system in memory, where there is one: there syncs take no time.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "embedded")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// writeFiles makes a directory with files, which are named as those of a store in another.
func writeFiles(t testing.TB, root string, files map[string][]byte) (dir string, moved map[string][]byte) {
	t.Helper()
	dir, err := os.MkdirTemp(root, "")
	if err != nil {
		t.Fatal(err)
	}
	moved = map[string][]byte{}
	for name, content := range files {
		to := filepath.Join(dir, filepath.Base(name))
		moved[to] = content
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, moved
}

func names(files map[string][]byte) (list []string) {
	for name, content := range files {
		list = append(list, fmt.Sprintf("%s (%d bytes)", filepath.Base(name), len(content)))
	}
	slices.Sort(list)
	return list
}
