// Package heap keeps a process with little live memory from collecting garbage all the time.
package heap

import (
	"os"
	"runtime"
)

// floor is how much a process allocates before it collects, whatever it holds. Half of that is reserved for it and never touched: so much
// address space, and no memory.
const floor = 128 << 20

// Reserve has the garbage collector run as if the process held 64 MiB more, until free is called. Go collects when the heap has doubled,
// which for a process that holds twenty megabytes and takes thousands of requests a second is twenty times a second, each time through the
// stacks of all requests under way. With GOGC or GOMEMLIMIT set, whoever set it has decided, and nothing is reserved.
func Reserve() (free func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	reserved := make([]byte, floor/2)
	return func() { runtime.KeepAlive(reserved) }
}
