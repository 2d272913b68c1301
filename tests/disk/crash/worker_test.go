package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// workload is what a worker, a process of its own since a process must not wait for pages that it serves itself, does on a mounted volume.
type workload struct {
	Subject    string
	Dir, Marks string
	Seed       uint64
	From       []int // by sender, the step to begin with
	Steps      int   // that each sender does
	Openings   int   // how often the store is opened to do them
}

const workloadVariable = "SOJOURN_CRASH_WORKLOAD"

// run does the workload and, the last time, leaves the store open, as a crash does.
func (w workload) run(ctx context.Context) error {
	marks, err := os.OpenFile(w.Marks, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	each := w.Steps / w.Openings
	for opening := range w.Openings {
		failed := make(chan error, len(w.From)+1)
		s, err := subjects()[w.Subject].open(ctx, w.Dir, observe.Deps{
			Log: observe.Discard().Log, Metrics: observe.NewRegistry(), Fatal: func(err error) { failed <- err },
		})
		if err != nil {
			return err
		}
		var senders sync.WaitGroup
		for sender, from := range w.From {
			senders.Go(func() {
				for step := from + opening*each; step < from+(opening+1)*each; step++ {
					if err := w.send(ctx, s, marks, sender, step); err != nil {
						failed <- err
						return
					}
				}
			})
		}
		senders.Wait()
		if opening+1 < w.Openings {
			if err := s.Close(); err != nil {
				return err
			}
		}
		select {
		case err := <-failed:
			return err
		default:
		}
	}
	return nil
}

// send marks a step as sent, does it, every fourth twice, and marks it as answered.
func (w workload) send(ctx context.Context, s store, marks *os.File, sender, step int) error {
	if err := mark(marks, "sent", sender, step); err != nil {
		return err
	}
	if err := s.step(ctx, w.Seed, sender, step); err != nil {
		return err
	}
	if err := mark(marks, "answered", sender, step); err != nil {
		return err
	}
	if step%4 == 0 {
		return s.step(ctx, w.Seed, sender, step)
	}
	return nil
}

func mark(marks *os.File, what string, sender, step int) error {
	_, err := fmt.Fprintf(marks, "%s %d %d", what, sender, step)
	return err
}

// start does the workload in a process of its own.
func (w workload) start() error {
	encoded, err := json.Marshal(w)
	if err != nil {
		return err
	}
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), workloadVariable+"="+string(encoded))
	if output, err := c.CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(string(output)))
	}
	return nil
}
