//go:build !linux

package boltdb

import "os"

// datasync brings what was written to a file to the disk.
func datasync(file *os.File) error { return file.Sync() }
