package daemon

import (
	"os"
	"runtime"
)

// UseProcessors lets as many goroutines run as there are processors, also while stores wait for their disk. A goroutine in fdatasync keeps
// its place among those that run until the runtime notices, which can take longer than the disk does; with one place more for each store,
// of which each has one committer, nobody waits for that. GOMAXPROCS in the environment goes before it, and so does a container that may
// have fewer processors than the machine has: there it could run more at once than it may, and would be held back for it.
func UseProcessors(stores int) {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	if now := runtime.GOMAXPROCS(0); now == runtime.NumCPU() {
		runtime.GOMAXPROCS(now + stores)
	}
}
