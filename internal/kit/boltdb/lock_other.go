//go:build !(linux || darwin || freebsd)

package boltdb

import (
	"os"
	"time"
)

// lock does nothing where bbolt alone locks its files.
func lock(*os.File, bool, time.Duration) error { return nil }
