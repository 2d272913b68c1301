//go:build linux || darwin || freebsd

package boltdb

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const lockPoll = 20 * time.Millisecond

// lock locks a file or directory until it is closed, as bbolt does. It returns ErrLocked if that is not possible in time.
func lock(file *os.File, exclusive bool, wait time.Duration) error {
	how := unix.LOCK_SH | unix.LOCK_NB
	if exclusive {
		how = unix.LOCK_EX | unix.LOCK_NB
	}
	for until := time.Now().Add(wait); ; time.Sleep(lockPoll) {
		err := unix.Flock(int(file.Fd()), how)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		if time.Now().After(until) {
			return ErrLocked
		}
	}
}
