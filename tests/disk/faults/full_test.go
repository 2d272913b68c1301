package faults

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	smallDisk = 48 << 20
	heldFull  = 3 * time.Second
	// How long after there is room again it may take until calls are taken in.
	recovery = 5 * time.Second
)

// TestAFullDiskKeepsCallsWaitingAndNothingElse fills the disk of a program that takes calls in, holds it full, and makes room again.
func TestAFullDiskKeepsCallsWaitingAndNothingElse(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", smallDisk)); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	data, filler := filepath.Join(dir, "data"), filepath.Join(dir, "filler")
	tr := newTraffic(*seedFlag)
	tr.pace = 2 * time.Millisecond
	s := serve(t, data)
	stop := tr.start(s)
	var slowest time.Duration
	refused := 0
	for n := range *faultsFlag {
		tr.await(t, s, *callsFlag)
		fill(t, filler)
		refused += held(t, tr, s)
		room := []func() error{
			func() error { return os.Remove(filler) },
			func() error { return unix.Mount("", dir, "", unix.MS_REMOUNT, fmt.Sprintf("size=%d", smallDisk*(n+2))) },
		}[n%2]
		if err := room(); err != nil {
			t.Fatal(err)
		}
		before, since := tr.answers(), time.Now()
		for tr.answers() == before && time.Since(since) < 2*recovery {
			time.Sleep(time.Millisecond)
		}
		slowest = max(slowest, time.Since(since))
		if t.Failed() {
			break
		}
	}
	if slowest > recovery {
		t.Errorf("after there was room again it took %v to take a call in, more than %v", slowest, recovery)
	}
	stop()
	tr.quiet(t)
	if s.hasEnded(0) {
		t.Fatalf("the program ended: %v\n%s", s.cmd.ProcessState, s.printed())
	}
	s.stop(t)
	tr.holds(t, data)
	tr.finish(t, data)
	t.Logf("seed %d: full %d times for %v, %d calls refused meanwhile; taken in again within %v of there being room",
		*seedFlag, *faultsFlag, heldFull, refused, slowest)
}

// fill writes a file until there is no room for another byte.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(bytes.Repeat([]byte{1}, size)); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// held looks on while the disk is full: calls are refused, questions are answered. It returns how many calls were refused.
func held(t *testing.T, tr *traffic, s *server) int {
	t.Helper()
	count := func() int {
		tr.mutex.Lock()
		defer tr.mutex.Unlock()
		return tr.statuses[http.StatusServiceUnavailable]
	}
	before := count()
	for deadline := time.Now().Add(patience); count() == before && !s.hasEnded(time.Millisecond); {
		if time.Now().After(deadline) {
			t.Fatalf("no call was refused on a full disk: %v", tr.statuses)
		}
	}
	questions := 0
	for until := time.Now().Add(heldFull); time.Now().Before(until) && !s.hasEnded(20*time.Millisecond); questions++ {
		if err := tr.ask(s); err != nil {
			t.Errorf("a question while the disk is full: %v", err)
			break
		}
	}
	switch {
	case s.hasEnded(0):
		t.Errorf("the program ended on a full disk: %v\n%s", s.cmd.ProcessState, s.printed())
	case questions < 20 || count()-before < 10:
		t.Errorf("%d questions and %d calls refused are fewer than there must be to prove anything", questions, count()-before)
	}
	return count() - before
}

// ask asks each service a question.
func (tr *traffic) ask(s *server) error {
	for _, method := range []string{
		"identity.v1.QueryService/ListUsers", "events.v1.QueryService/ListEvents", "sessions.v1.QueryService/ListSessions",
	} {
		request, err := http.NewRequest(http.MethodPost, s.url+"/sojourn."+method, strings.NewReader("{}"))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+s.queryToken)
		response, err := tr.client.Do(request)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", method, response.Status)
		}
	}
	return nil
}
