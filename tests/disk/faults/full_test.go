package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	smallDisk = 192 << 20
	// What the program keeps free for deletions and the like is more than this.
	withinReserve = 32 << 20
	heldFull      = 3 * time.Second
	// How long after there is room again it may take until calls are taken in.
	recovery = 5 * time.Second
)

// TestAFullDiskKeepsCallsWaitingAndNothingElse fills the disk of a program that takes calls in, holds it full, and makes room again. Every
// other time it is full but for a part of the program's reserve, and deletions must be done.
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
	s.stop(t)
	allowDelete(t, data)
	s = serve(t, data)
	stop := tr.start(s)
	var slowest time.Duration
	refused := 0
	for n := range *faultsFlag {
		tr.await(t, s, *callsFlag)
		fill(t, filler, n%2*withinReserve)
		refused += held(t, tr, s)
		if n%2 == 1 {
			deleted(t, tr, s)
		}
		room := func() error { return os.Remove(filler) }
		if n%4 < 2 {
			room = func() error { return unix.Mount("", dir, "", unix.MS_REMOUNT, fmt.Sprintf("size=%d", smallDisk*(n+2))) }
		}
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

// fill writes a file until there is no room for another byte, or so many are left.
func fill(t *testing.T, path string, left int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; {
		var disk unix.Statfs_t
		if err := unix.Statfs(filepath.Dir(path), &disk); err != nil {
			t.Fatal(err)
		}
		if left > 0 && int(disk.Bavail)*int(disk.Bsize) <= left {
			break
		}
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

// allowDelete lets the source of the first start send delete calls.
func allowDelete(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "workspaces.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	allowed := regexp.MustCompile(`(?m)^( *)- id: web$`).ReplaceAll(text, []byte("$0\n$1  allow_delete: true"))
	if err := os.WriteFile(path, allowed, 0o600); err != nil {
		t.Fatal(err)
	}
}

// deleted has users deleted, one over the RPC and one by a call. A call beside another that is none of a deletion has to wait with it.
func deleted(t *testing.T, tr *traffic, s *server) {
	t.Helper()
	err := tr.question(s, "admin.v1.AdminService/DeleteUser", "admin_token", `{"workspace":"default","userId":"nobody","until":"2026-11-02T00:00:00Z"}`)
	if err != nil {
		t.Errorf("a deletion on a disk that is full but for the reserve: %v", err)
	}
	const call = `{"type":"delete","messageId":"d","timestamp":"2026-11-02T00:00:00Z","userId":"somebody"}`
	if got, text := tr.post(t, s, "/v1/delete", call); got != http.StatusOK {
		t.Errorf("a delete call on a disk that is full but for the reserve: %d %s", got, text)
	}
	if got, text := tr.post(t, s, "/v1/batch", `{"batch":[`+call+`,`+callBody(0)+`]}`); got != http.StatusServiceUnavailable {
		t.Errorf("a delete call beside a track call on such a disk: %d %s", got, text)
	}
}

// post sends calls.
func (tr *traffic) post(t *testing.T, s *server, path, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(s.keys["write_key"], "")
	response, err := tr.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// ask asks each service a question.
func (tr *traffic) ask(s *server) error {
	for _, method := range []string{
		"identity.v1.QueryService/ListUsers", "events.v1.QueryService/ListEvents", "sessions.v1.QueryService/ListSessions",
	} {
		if err := tr.question(s, method, "query_token", "{}"); err != nil {
			return err
		}
	}
	return nil
}

// question asks one.
func (tr *traffic) question(s *server, method, key, body string) error {
	request, err := http.NewRequest(http.MethodPost, s.url+"/sojourn."+method, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.keys[key])
	response, err := tr.client.Do(request)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", method, response.Status, text)
	}
	return err
}
