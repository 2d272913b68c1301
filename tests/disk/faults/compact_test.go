package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	// Of so many files a disk consists at most, so that it can be full although there are bytes free.
	fewFiles = 64
	noSpace  = "no space left on device"
)

// TestADiskThatIsFullUnderACompactionCostsTheCompactionAlone has the files of a program that takes calls in compacted on a disk that has
// nothing left: no bytes, which the program sees before it begins, and no place for another file, which it does not see but meets.
func TestADiskThatIsFullUnderACompactionCostsTheCompactionAlone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,nr_inodes=%d", smallDisk, fewFiles)); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	data, filler := filepath.Join(dir, "data"), filepath.Join(dir, "filler")
	tr := newTraffic(*seedFlag)
	s := serve(t, data)
	stop := tr.start(s)
	t.Setenv("SOJOURN_ADMIN_TOKEN", s.keys["admin_token"])
	for range *faultsFlag {
		tr.await(t, s, *callsFlag)
		useUpFiles(t, filler)
		notCompacted(t, s, data)
		if !strings.Contains(s.printed(), noSpace) {
			t.Errorf("the program does not say that a file could not be made:\n%s", s.printed())
		}
		tr.await(t, s, *callsFlag) // which need no new file
		makeRoom(t, filler)

		fill(t, filler, 0)
		notCompacted(t, s, data)
		makeRoom(t, filler)
		tr.await(t, s, *callsFlag)
		if out, printed, err := run(patience, "compact", "-url", s.url); err != nil || strings.Count(out, " bytes, was ") != 3 {
			t.Errorf("compact where there is room again: %v\n%s%s", err, out, printed)
		}
		if t.Failed() {
			break
		}
	}
	stop()
	tr.quiet(t)
	if s.hasEnded(0) {
		t.Fatalf("the program ended: %v\n%s", s.cmd.ProcessState, s.printed())
	}
	s.stop(t)
	tr.holds(t, data)
	tr.finish(t, data)
}

// useUpFiles makes files until no more can be made.
func useUpFiles(t *testing.T, prefix string) {
	t.Helper()
	for n := 0; ; n++ {
		err := os.WriteFile(fmt.Sprintf("%s-%d", prefix, n), nil, 0o600)
		if errors.Is(err, unix.ENOSPC) {
			return
		}
		if err != nil || n == fewFiles {
			t.Fatalf("after %d files: %v", n, err)
		}
	}
}

// makeRoom removes what a disk was filled with.
func makeRoom(t *testing.T, prefix string) {
	t.Helper()
	all, err := filepath.Glob(prefix + "*")
	for _, name := range all {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// notCompacted asks for a compaction, which there is no room for, and looks whether anything is left of it.
func notCompacted(t *testing.T, s *server, data string) {
	t.Helper()
	out, printed, err := run(patience, "compact", "-url", s.url)
	if err == nil || errors.Is(err, errHangs) || !strings.Contains(printed, "not enough free space") {
		t.Errorf("compact on a full disk: %v\n%s%s", err, out, printed)
	}
	left, err := filepath.Glob(filepath.Join(data, "*.compacting"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}
