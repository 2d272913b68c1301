//go:build !(linux || darwin || freebsd)

package chunks

import "os"

// lock does nothing where there is no such lock.
func lock(*os.File, bool) error { return nil }
