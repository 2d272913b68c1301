//go:build !linux && !darwin && !freebsd

package embedded

import "os"

// lockFile does nothing: bbolt locks its own file.
func lockFile(*os.File, bool) error { return nil }
