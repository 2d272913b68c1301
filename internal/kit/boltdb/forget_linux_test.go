package boltdb_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

const (
	// largeRows of largeRow bytes make a file that is much larger than what opening it reads, and what the kernel reads ahead of that.
	largeRows = 32
	largeRow  = 1 << 20
)

// inCache returns which part of a file the kernel keeps in memory, between 0 and 1. Asking reads nothing.
func inCache(t *testing.T, path string) float64 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(mapped) }()
	pages := make([]byte, (len(mapped)+os.Getpagesize()-1)/os.Getpagesize())
	_, _, errno := unix.Syscall(unix.SYS_MINCORE,
		uintptr(unsafe.Pointer(unsafe.SliceData(mapped))), uintptr(len(mapped)), uintptr(unsafe.Pointer(unsafe.SliceData(pages))))
	if errno != 0 {
		t.Skipf("needs mincore: %v", errno)
	}
	resident := 0
	for _, page := range pages {
		resident += int(page & 1)
	}
	return float64(resident) / float64(len(pages))
}

// readWhole has the kernel keep a file in memory.
func readWhole(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if _, err := io.Copy(io.Discard, file); err != nil {
		t.Fatal(err)
	}
	if part := inCache(t, path); part < 0.9 {
		t.Skipf("needs memory for a cache: of a file that was read %.2f is there", part)
	}
}

// needsForgetting skips the test where the kernel does not forget a file that it is told to.
func needsForgetting(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "probe")
	if err := os.WriteFile(path, bytes.Repeat([]byte{1}, largeRow), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if err := file.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil || inCache(t, path) > 0 {
		t.Skipf("needs a file system whose files the kernel forgets when told to: %v", err)
	}
}

func TestWhatIsReadOfAFileThatIsOpenedComesFromTheDisk(t *testing.T) {
	dir := t.TempDir()
	needsForgetting(t, dir)
	path := filepath.Join(dir, "x.db")
	db := open(t, path)
	for n := range byte(largeRows) {
		err := db.Update(t.Context(), func(tx *boltdb.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			row := make([]byte, largeRow)
			_, _ = rand.Read(row) // never fails
			return bucket.Put([]byte{n}, row)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	readWhole(t, path)
	db = open(t, path)
	part := inCache(t, path)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if part > 0.5 {
		t.Errorf("when the file is open, %.2f of it is what the kernel kept from before", part)
	}
}
