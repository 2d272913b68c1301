package boltdb

import (
	"os"

	"golang.org/x/sys/unix"
)

// forget makes the kernel drop what it keeps of a file, so that what is read next is what the disk has. After a failed fsync the kernel may
// keep pages as clean that it could not write.
func forget(file *os.File) error { return unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED) }
