//go:build !linux

package embedded

import "os"

func datasync(f *os.File) error { return f.Sync() }

// forget does nothing: there is no way to make the kernel drop what it keeps of a file.
func forget(*os.File) error { return nil }
