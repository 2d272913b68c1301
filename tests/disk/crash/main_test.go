package crash

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
)

var (
	seedFlag   = flag.Uint64("seed", 1, "of all chance but the order in which senders get on")
	statesFlag = flag.Int("states", 3000, "how many states to look at, of each kind of store")
	stepsFlag  = flag.Int("steps", 12, "how many steps each sender does a round")
	roundsFlag = flag.Int("rounds", 3, "how many recordings to make, each on what a crash left of the one before")
)

// TestMain is also the process that does a workload, or looks at states.
func TestMain(m *testing.M) {
	flag.Parse()
	for variable, run := range map[string]func(string) error{workloadVariable: asWorker, inspectionVariable: asInspector} {
		if encoded := os.Getenv(variable); encoded != "" {
			if err := run(encoded); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func asWorker(encoded string) error {
	var w workload
	if err := json.Unmarshal([]byte(encoded), &w); err != nil {
		return err
	}
	return w.run(context.Background())
}

func asInspector(encoded string) error {
	var i inspection
	if err := json.Unmarshal([]byte(encoded), &i); err != nil {
		return err
	}
	return i.run(context.Background(), os.Stdout)
}
