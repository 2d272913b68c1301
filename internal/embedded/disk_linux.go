package embedded

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// datasync brings what was written to a file to the disk, and of what is known about it only what reading it takes.
func datasync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return err
		}
	}
}

// forget makes the kernel drop what it keeps of a file, so that what is read next is what the disk has.
func forget(f *os.File) error { return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }
