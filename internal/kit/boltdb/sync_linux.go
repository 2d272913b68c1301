package boltdb

import (
	"os"
	"syscall"
)

// datasync brings what was written to a file to the disk, and of what is known about the file only what reading it takes.
func datasync(file *os.File) error {
	for {
		if err := syscall.Fdatasync(int(file.Fd())); err != syscall.EINTR {
			return err
		}
	}
}
