//go:build !linux

package boltdb

import "os"

// forget does nothing where there is no posix_fadvise.
func forget(*os.File) error { return nil }
