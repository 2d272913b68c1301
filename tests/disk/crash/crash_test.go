package crash

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/disk/mounted"
	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// TestEveryStateThatACrashLeavesHasWhatWasAnswered is what this package is for.
func TestEveryStateThatACrashLeavesHasWhatWasAnswered(t *testing.T) {
	for name := range subjects() {
		t.Run(name, func(t *testing.T) {
			recordings := recorded(t, name)
			f, kept, bad := inspect(t, name, recordings, *statesFlag, 10)
			t.Logf("seed %d: %d states, %d distinct, in %d something was lost, in %d a workspace had more than was answered, in %d half a deletion; %d bad",
				*seedFlag, f.States, f.Distinct, f.Lost, f.Beyond, f.Unfinished, len(bad))
			for _, b := range bad {
				t.Error(b)
			}
			if len(bad) > 0 {
				t.Logf("these states are kept in %s", kept)
				return
			}
			if f.States != *statesFlag || f.Lost < f.States/4 || f.Distinct < f.States/10 || f.Beyond == 0 {
				t.Error("that is fewer than there must be to prove anything")
			}
		})
	}
}

// TestAStoreThatDoesNotSyncIsFoundOut proves the other test: if syncs did nothing, what was answered would be lost.
func TestAStoreThatDoesNotSyncIsFoundOut(t *testing.T) {
	recordings := recorded(t, "events")
	for i := range recordings {
		recordings[i].Log = slices.DeleteFunc(slices.Clone(recordings[i].Log), func(op volume.Op) bool { return op.Kind == volume.Sync })
	}
	_, kept, bad := inspect(t, "events", recordings[:1], 300, 3)
	if len(bad) == 0 {
		t.Error("nobody noticed")
	}
	_ = os.RemoveAll(kept)
}

func recorded(t *testing.T, subject string) []recording {
	t.Helper()
	if need := mounted.Missing(); need != "" {
		t.Skip("needs " + need)
	}
	recordings := record(t, subject, *seedFlag, *roundsFlag, *stepsFlag)
	counts := map[volume.Kind]int{}
	segments := 0
	k := known{}
	for _, r := range recordings {
		for _, op := range r.Log[r.Before:] {
			counts[op.Kind]++
			k.see(op)
			if op.Kind == volume.Remove && strings.Contains(op.Name, ".log-") {
				segments++
			}
		}
	}
	t.Logf("seed %d: %d rounds, %d writes, %d syncs, %d segments of the log gone, steps answered %v",
		*seedFlag, len(recordings), counts[volume.Write], counts[volume.Sync], segments, k.Answered)
	for _, answered := range k.Answered {
		if answered < *stepsFlag || counts[volume.Sync] < *roundsFlag**stepsFlag {
			t.Fatal("that is less traffic than there must be")
		}
	}
	return recordings
}

// inspect looks at states in two processes, and says what was seen and what is not good.
func inspect(t *testing.T, subject string, recordings []recording, states, maxBad int) (total figures, kept string, bad []string) {
	t.Helper()
	kept, err := os.MkdirTemp("", "sojourn-crash-")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(kept, "recordings")
	if err := save(file, recordings); err != nil {
		t.Fatal(err)
	}
	const processes = 2
	found := make(chan finding)
	for n := range processes {
		i := inspection{
			Subject: subject, Recordings: file, Seed: *seedFlag, First: n, Step: processes, Of: states,
			Dir: filepath.Join(scratch(t), subject), Keep: kept, MaxBad: maxBad,
		}
		go i.start(found)
	}
	for finished := 0; finished < processes; {
		f := <-found
		if f.Bad != "" {
			bad = append(bad, f.Bad)
		}
		if f.Finished {
			finished++
			total.add(f.figures)
		}
	}
	if len(bad) == 0 {
		_ = os.RemoveAll(kept)
	}
	return total, kept, bad
}

func (f *figures) add(g figures) {
	f.States += g.States
	f.Distinct += g.Distinct
	f.Lost += g.Lost
	f.Beyond += g.Beyond
	f.Unfinished += g.Unfinished
}

// scratch is a directory in memory where there is one.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sojourn-crash-")
	if errors.Is(err, os.ErrNotExist) {
		return t.TempDir()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// start runs an inspection in a process of its own. Should that end before its time, the state it was at is bad, and it goes on behind it.
func (i inspection) start(found chan<- finding) {
	finished := false
	c := exec.Command("/proc/self/exe")
	encoded, err := json.Marshal(i)
	if err == nil {
		c.Env = append(os.Environ(), inspectionVariable+"="+string(encoded))
		var errorOutput strings.Builder
		c.Stderr = &errorOutput
		var output *bufio.Reader
		if pipe, pipeErr := c.StdoutPipe(); pipeErr == nil {
			output = bufio.NewReader(pipe)
		}
		if err = c.Start(); err == nil {
			for decoder := json.NewDecoder(output); ; {
				var f finding
				if decoder.Decode(&f) != nil {
					break
				}
				finished = finished || f.Finished
				found <- f
			}
			err = c.Wait()
		}
		if err != nil {
			at, _ := os.ReadFile(i.Dir + ".state")
			err = errors.New("state " + string(at) + " ended the process: " + err.Error() + "\n" + head(errorOutput.String()))
		}
	}
	if !finished {
		found <- finding{Bad: errors.Join(errors.New("an inspection did not finish"), err).Error(), Finished: true}
	}
}

func head(s string) string { return s[:min(len(s), 2000)] }
