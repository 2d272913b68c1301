//go:build linux || darwin || freebsd

package embedded

import "golang.org/x/sys/unix"

// freeBytes returns how much may still be written to the file system of a directory, if that is known.
func freeBytes(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true //nolint:unconvert // the types differ between systems
}
