package daemon

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// memoryGoal is how much memory a process may take before it is collected more often. What it holds for good is well below.
	memoryGoal = 440 << 20
	// Until then garbage may grow to several times of that: every collection costs the calls of that moment.
	garbagePercent = 400
	// Of the memory that a container may have, so much is for Go.
	ofContainer = 0.75
)

// LimitMemory lets the process use memory instead of time, up to a goal that a container's limit lowers. GOGC and GOMEMLIMIT go before it.
func LimitMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	goal := int64(memoryGoal)
	if limit, err := memlimit.FromCgroup(); err == nil && limit < math.MaxInt64 { // an error says that there is none
		goal = min(goal, int64(float64(limit)*ofContainer))
	}
	debug.SetMemoryLimit(goal)
	debug.SetGCPercent(garbagePercent)
}
