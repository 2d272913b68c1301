package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What EXT4_IOC_SHUTDOWN is, and how: with the journal written first, or not.
const (
	ioctlShutdown   = 0x8004587d
	journalFlushed  = 1
	journalDropped  = 2
	imageSize       = 256 << 20
	secondsForPower = 10
)

// TestNothingAnsweredIsLostWhenThePowerFails cuts an ext4 off its disk under load, as a power cut does, and mounts it again.
func TestNothingAnsweredIsLostWhenThePowerFails(t *testing.T) {
	image := newImage(t)
	chance := rand.New(rand.NewPCG(*seedFlag, 0))
	tr := newTraffic(*seedFlag)
	codes, unsure := map[int]int{}, 0
	for n := range *faultsFlag {
		dir := image.mount(t)
		data := filepath.Join(dir, "data")
		s := serve(t, data)
		stop := tr.start(s)
		tr.await(t, s, *callsFlag)
		time.Sleep(time.Duration(chance.IntN(20_000)) * time.Microsecond)
		before := tr.answers()
		if err := shutDown(dir, []uint32{journalFlushed, journalDropped}[n%2]); err != nil {
			t.Fatal(err)
		}
		if !s.hasEnded(secondsForPower * time.Second) {
			t.Errorf("the program went on for %d s without a disk", secondsForPower)
			s.kill()
		}
		stop()
		unsure += tr.forget(before)
		codes[s.cmd.ProcessState.ExitCode()]++
		image.unmount(t)
		_ = image.mount(t)
		tr.holds(t, data)
		image.unmount(t)
		if t.Failed() {
			t.Fatalf("after cut %d, at %d answered calls", n, before)
		}
	}
	dir := image.mount(t)
	tr.finish(t, filepath.Join(dir, "data"))
	image.unmount(t)
	t.Logf("seed %d: %d power cuts, half of them with the journal dropped; %d answers came after the cut; the programs ended with %v",
		*seedFlag, *faultsFlag, unsure, codes)
}

// forget takes all but the first answers for not given, and returns how many that are. A power cut stops the program too; after the ioctl,
// which does not, an fdatasync that was under way may return without an error although nothing reaches the disk any more.
func (tr *traffic) forget(beyond int) int {
	tr.mutex.Lock()
	defer tr.mutex.Unlock()
	late := tr.answered[beyond:]
	tr.again, tr.answered = append(tr.again, late...), tr.answered[:beyond:beyond]
	return len(late)
}

func shutDown(dir string, flags uint32) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), ioctlShutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return fmt.Errorf("shut the file system down: %w", errno)
	}
	return nil
}

// image is a file system in a sparse file.
type image struct{ file, dir string }

// newImage skips the test where there can be none.
func newImage(t *testing.T) image {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for _, need := range []string{"mkfs.ext4", "mount"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skip("needs " + need)
		}
	}
	if loops, err := filepath.Glob("/dev/loop*"); err != nil || len(loops) < 2 {
		t.Skip("needs loop devices")
	}
	i := image{filepath.Join(inMemory(t), "image"), t.TempDir()}
	if err := errors.Join(os.WriteFile(i.file, nil, 0o600), os.Truncate(i.file, imageSize)); err != nil {
		t.Fatal(err)
	}
	command(t, "mkfs.ext4", "-q", i.file)
	return i
}

func (i image) mount(t *testing.T) string {
	t.Helper()
	command(t, "mount", "-o", "loop", i.file, i.dir)
	t.Cleanup(func() { _ = unix.Unmount(i.dir, unix.MNT_DETACH) })
	return i.dir
}

func (i image) unmount(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Unmount(i.dir, 0)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
}

// inMemory is a directory in memory where there is one.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sojourn-faults-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
