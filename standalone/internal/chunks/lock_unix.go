//go:build linux || darwin || freebsd

package chunks

import (
	"errors"
	"os"
	"syscall"
)

// lock locks a file until it is closed.
func lock(file *os.File, exclusive bool) error {
	how := syscall.LOCK_SH | syscall.LOCK_NB
	if exclusive {
		how = syscall.LOCK_EX | syscall.LOCK_NB
	}
	err := syscall.Flock(int(file.Fd()), how)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrBusy
	}
	return err
}
