package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// inspection is a share of the states of a recording that one process looks at: should a store take its process along, only that ends.
type inspection struct {
	Subject    string
	Recordings string // the file
	Seed       uint64
	First      int // state
	Step, Of   int // every Step-th from the first on, of so many
	Dir        string
	Keep       string // where a state that is not good is kept
	MaxBad     int    // after so many there is no need to go on
}

const inspectionVariable = "SOJOURN_CRASH_INSPECTION"

// finding is what an inspection writes for a state that is not good, and, at the end, for all.
type finding struct {
	State    int    `json:",omitempty"`
	Bad      string `json:",omitempty"`
	Finished bool   `json:",omitempty"`
	figures
}

// figures say what an inspection has seen.
type figures struct {
	States     int `json:",omitempty"`
	Distinct   int `json:",omitempty"`
	Lost       int `json:",omitempty"` // something that was not synced was lost
	Beyond     int `json:",omitempty"` // a step was there that had not been answered
	Unfinished int `json:",omitempty"` // a deletion was, in part
}

// patience is how long a state may take.
const patience = 20 * time.Second

func (i inspection) run(ctx context.Context, out io.Writer) error {
	recordings, err := load(i.Recordings)
	if err != nil {
		return err
	}
	report := json.NewEncoder(out)
	c, err := newChecker(ctx, i, recordings)
	if err != nil {
		return err
	}
	hash, seen := maphash.MakeSeed(), map[uint64]bool{}
	var total figures
	bad := 0
	for s := range i.states(recordings) {
		if err := os.WriteFile(i.Dir+".state", fmt.Append(nil, s.number), 0o600); err != nil {
			return err
		}
		watchdog := time.AfterFunc(patience, func() { panic(fmt.Sprintf("state %d takes more than %v", s.number, patience)) })
		err := c.check(ctx, s)
		watchdog.Stop()
		if err != nil {
			bad++
			kept := filepath.Join(i.Keep, fmt.Sprintf("%s-%d", i.Subject, s.number))
			err = errors.Join(err, os.MkdirAll(kept, 0o700), s.tree.Store(kept))
			if err := report.Encode(finding{State: s.number, Bad: err.Error()}); err != nil {
				return err
			}
			if bad >= i.MaxBad {
				break
			}
		}
		total.States++
		if sum := s.tree.Sum(hash); !seen[sum] {
			seen[sum] = true
			total.Distinct++
		}
		if s.lost {
			total.Lost++
		}
	}
	total.Beyond, total.Unfinished = c.beyond, c.unfinished
	return report.Encode(finding{Finished: true, figures: total})
}

// state is something that a crash could have left.
type state struct {
	number int
	tree   volume.Tree
	known  known
	lost   bool // it is not what was written
}

// states goes through the states of an inspection, spread evenly over all operations of all recordings.
func (i inspection) states(recordings []recording) func(func(state) bool) {
	total := 0
	for _, r := range recordings {
		for n := range len(r.Log) + 1 {
			if r.moment(n) {
				total++
			}
		}
	}
	return func(yield func(state) bool) {
		number, passed := i.First, 0
		for _, r := range recordings {
			v, k := volume.New(), r.Known
			for n := range len(r.Log) + 1 {
				if n > 0 {
					v.Apply(r.Log[n-1])
					k.see(r.Log[n-1])
				}
				if !r.moment(n) {
					continue
				}
				passed++
				for ; number < i.Of && number*total < passed*i.Of; number += i.Step {
					chance := rand.New(rand.NewPCG(i.Seed, uint64(number)))
					tree := v.Crash(chance, volume.AnyLoss(chance))
					if !yield(state{number: number, tree: tree, known: k, lost: !v.Is(tree)}) {
						return
					}
				}
			}
		}
	}
}
