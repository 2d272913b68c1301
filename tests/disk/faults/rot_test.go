package faults

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRotIsNamedOrDoesNoHarm damages copies of a data directory, as the program left it when it was stopped or killed, and has each verified
// and dumped: the damage is named, or the dump is what it was. In no case may a command hang or break down.
func TestRotIsNamedOrDoesNoHarm(t *testing.T) {
	originals := originals(t)
	work := inMemory(t)
	kinds := damages()
	jobs := make(chan int)
	results := make(chan result)
	var group sync.WaitGroup
	for worker := range 2 {
		group.Go(func() {
			for n := range jobs {
				results <- rot(filepath.Join(work, fmt.Sprint(worker)), originals, kinds, n)
			}
		})
	}
	go func() {
		for n := range *rotFlag * 3 / 2 { // flips, and half as many of all else
			jobs <- n
		}
		close(jobs)
		group.Wait()
		close(results)
	}()
	outcomes := map[string]map[outcome]int{}
	hit := 0
	for r := range results {
		if outcomes[r.kind] == nil {
			outcomes[r.kind] = map[outcome]int{}
		}
		outcomes[r.kind][r.outcome]++
		if r.outcome != impossible {
			hit++
		}
		if r.outcome.bad() {
			t.Errorf("seed %d, damage %d: %s: %s: %s", *seedFlag, r.number, r.what, r.outcome, r.detail)
		}
	}
	t.Logf("seed %d: %d damages", *seedFlag, hit)
	for kind, of := range outcomes {
		t.Logf("%s: %v", kind, of)
	}
	if hit < *rotFlag || outcomes["flip"][named] == 0 {
		t.Error("that is less damage than there must be to prove anything")
	}
}

// outcome is what became of damage.
type outcome string

const (
	named      outcome = "named"                            // by verify
	refused    outcome = "dump refused, verify saw nothing" // the damage is where reading finds it
	harmless   outcome = "harmless"                         // the dump is what it was
	cutShort   outcome = "as a crash leaves it"             // the end of a killed program's log is gone: see asACrash
	silent     outcome = "SILENT"                           // the dump is not what it was, and nobody said so
	nameless   outcome = "found, but the file is not named" //
	hangs      outcome = "HANGS"                            //
	breaks     outcome = "BREAKS DOWN"                      // a panic or a signal, in place of a message
	impossible outcome = "nothing there to be damaged so"   //
)

func (o outcome) bad() bool { return o == silent || o == nameless || o == hangs || o == breaks }

type result struct {
	number     int
	kind, what string
	outcome    outcome
	detail     string
}

// original is a data directory and what is dumped of it.
type original struct{ dir, dump string }

// originals returns three directories: as a stopped program left it, as a killed one did, and as another was killed earlier.
func originals(t *testing.T) []original {
	t.Helper()
	tr := newTraffic(*seedFlag)
	live := filepath.Join(inMemory(t), "live")
	var all []original
	for _, kill := range []bool{true, true, false} {
		s := serve(t, live)
		stop := tr.start(s)
		tr.await(t, s, *callsFlag)
		stop()
		if kill {
			s.kill()
		} else {
			s.stop(t)
		}
		o := original{dir: filepath.Join(inMemory(t), "original")}
		if err := os.CopyFS(o.dir, os.DirFS(live)); err != nil {
			t.Fatal(err)
		}
		dump, printed, err := run(patience, "dump", "-data", o.dir)
		if err != nil || strings.Count(dump, `"kind":"event"`) < *callsFlag {
			t.Fatalf("%v %s", err, printed)
		}
		o.dump = dump
		all = append(all, o)
	}
	return []original{all[2], all[1], all[0]}
}

// rot damages a copy of one of the first two originals and says what became of it.
func rot(dir string, originals []original, kinds map[string]damage, number int) result {
	chance := rand.New(rand.NewPCG(*seedFlag, uint64(number)))
	o := originals[chance.IntN(2)]
	r := result{number: number, kind: "flip"}
	if number >= *rotFlag {
		names := sortedKeys(kinds)
		r.kind = names[number%len(names)]
	}
	err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(o.dir)))
	if err != nil {
		return r.failed(err)
	}
	damaged, what, err := kinds[r.kind](chance, dir, originals[2].dir)
	if err != nil {
		return r.failed(err)
	}
	r.what = what
	if damaged == "" {
		r.outcome = impossible
		return r
	}
	r.outcome, r.detail = judge(dir, damaged, o.dump)
	if r.outcome == silent && asACrash(filepath.Join(o.dir, filepath.Base(damaged)), damaged) {
		r.outcome = cutShort
	}
	return r
}

func (r result) failed(err error) result {
	r.outcome, r.detail = breaks, err.Error()
	return r
}

// asACrash says whether a crash could have left a segment of the log so: without its last record, or cut short anywhere, with or without
// zeros in place of what is gone. Nothing can tell a record that was answered from one that was not, if there is none behind it.
func asACrash(original, damaged string) bool {
	before, err := os.ReadFile(original)
	after, errAfter := os.ReadFile(damaged)
	if err != nil || errAfter != nil || !strings.Contains(original, ".log-") {
		return false
	}
	return bytes.HasPrefix(before, bytes.TrimRight(after, "\x00")) || bytes.HasPrefix(after, before[:bytes.LastIndex(before, []byte("SJRC"))])
}

// overdue is after how long a command that reads a few hundred calls hangs.
const overdue = 15 * time.Second

func judge(dir, damaged, dump string) (outcome, string) {
	found, printed, verifyErr := run(overdue, "verify", "-data", dir)
	if o := broken(verifyErr, printed); o != "" {
		return o, "verify: " + head(printed)
	}
	dumped, dumpPrinted, dumpErr := run(overdue, "dump", "-data", dir)
	if o := broken(dumpErr, dumpPrinted); o != "" {
		return o, "dump: " + head(dumpPrinted)
	}
	service, _, _ := strings.Cut(filepath.Base(damaged), ".")
	switch {
	case verifyErr != nil && !strings.Contains(found+printed, service+".db"):
		return nameless, head(found + printed)
	case verifyErr != nil:
		return named, ""
	case dumpErr != nil:
		return refused, dumpPrinted
	case dumped != dump:
		return silent, firstDifference(dumped, dump)
	}
	return harmless, ""
}

// broken says whether a command hung or broke down; "" if it did neither.
func broken(err error, printed string) outcome {
	var exit interface{ ExitCode() int }
	switch {
	case errors.Is(err, errHangs):
		return hangs
	case strings.Contains(printed, "goroutine ") || errors.As(err, &exit) && exit.ExitCode() < 0:
		return breaks
	}
	return ""
}

func head(s string) string { return s[:min(len(s), 600)] }

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got " + g[i] + ", want " + w[i]
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(g), len(w))
}
