package boltdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// smallDisk mounts a disk of so many bytes and returns its directory.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill writes a file until so many bytes are left on its disk.
func fillDisk(t *testing.T, path string, left int) {
	t.Helper()
	var disk unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &disk); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte{1}, int(disk.Bavail)*int(disk.Bsize)-left), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestADiskThatIsFullInTheMiddleOfACompactionLeavesTheOldFile has the store believe that there is room, so that what says otherwise is the
// disk, at every of several places of the copy.
func TestADiskThatIsFullInTheMiddleOfACompactionLeavesTheOldFile(t *testing.T) {
	dir := smallDisk(t, 192<<20)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	path, filler := filepath.Join(data, "x.db"), filepath.Join(dir, "filler")
	db := loose(t, path)
	db.FreeOnDisk(func() int64 { return math.MaxInt64 })
	want := rowsOf(t, db)
	for _, left := range []int{64 << 10, 1 << 20, 3 << 20} {
		fillDisk(t, filler, left)
		if _, err := db.Compact(t.Context(), 0); !errors.Is(err, boltdb.ErrNoRoom) || !errors.Is(err, unix.ENOSPC) {
			t.Errorf("with %d bytes left: %v, want ErrNoRoom for ENOSPC", left, err)
		}
		if names := beside(t, path); slices.Contains(names, "x.db.compacting") {
			t.Errorf("with %d bytes left it leaves %v", left, names)
		}
		key := fmt.Sprintf("left %d", left)
		if err := db.Update(t.Context(), put(key)); err != nil {
			t.Errorf("with %d bytes left, a write behind it: %v", left, err)
		}
		want[key] = "v"
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Errorf("with room: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := rowsOf(t, open(t, path)); !maps.Equal(got, want) {
		t.Errorf("%d rows, want %d, or they differ", len(got), len(want))
	}
}
