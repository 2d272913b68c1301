package faults

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"
)

const patience = 20 * time.Second

// server is a sojourn that serves.
type server struct {
	url  string
	keys map[string]string // by name, as they are in the file that the first start makes

	cmd   *exec.Cmd
	ended chan struct{}

	mutex  sync.Mutex
	output bytes.Buffer
}

var (
	readyLine = regexp.MustCompile(`Sojourn is ready on (http://\S+)`)
	keyLine   = regexp.MustCompile(`(?m)^(write_key|query_token|admin_token): (\S+)$`)
)

// serve starts a sojourn on a data directory and returns once it is ready.
func serve(t *testing.T, dir string) *server {
	t.Helper()
	s, ready := tryServe(t, dir)
	if !ready {
		t.Fatalf("sojourn ended before it was ready: %v\n%s", s.cmd.ProcessState, s.printed())
	}
	return s
}

// tryServe starts a sojourn on a data directory, and returns once it is ready, or has ended.
func tryServe(t *testing.T, dir string) (s *server, isReady bool) {
	t.Helper()
	s = &server{keys: map[string]string{}, ended: make(chan struct{}), cmd: exec.Command(sojourn, "-data", dir, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0")}
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = input, input
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	_ = input.Close()
	ready := make(chan string, 1)
	go s.read(output, ready)
	select {
	case s.url = <-ready:
	case <-s.ended:
		return s, false
	case <-time.After(patience):
		t.Fatalf("sojourn was not ready within %v\n%s", patience, s.printed())
	}
	keys, err := os.ReadFile(filepath.Join(dir, "first-keys.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range keyLine.FindAllStringSubmatch(string(keys), -1) {
		s.keys[match[1]] = match[2]
	}
	return s, true
}

func (s *server) read(output io.ReadCloser, ready chan<- string) {
	defer close(s.ended)
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.mutex.Lock()
		_, _ = s.output.WriteString(lines.Text() + "\n")
		s.mutex.Unlock()
		if match := readyLine.FindStringSubmatch(lines.Text()); match != nil {
			ready <- match[1]
		}
	}
	_ = s.cmd.Wait()
	_ = output.Close()
}

// printed is what the program has printed, without the greeting's beginning.
func (s *server) printed() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	text := s.output.String()
	return text[max(0, len(text)-1500):]
}

// hasEnded says whether the program ended within a time.
func (s *server) hasEnded(within time.Duration) bool {
	select {
	case <-s.ended:
		return true
	case <-time.After(within):
		return false
	}
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// stop has the program end by itself.
func (s *server) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(os.Interrupt)
	if !s.hasEnded(patience) {
		t.Errorf("sojourn did not stop within %v", patience)
		s.kill()
	}
}

// run runs a command of sojourn to its end.
func run(within time.Duration, args ...string) (stdout, stderr string, err error) {
	c := exec.Command(sojourn, args...)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Start(); err != nil {
		return "", "", err
	}
	overdue := time.AfterFunc(within, func() { _ = c.Process.Kill() })
	err = c.Wait()
	if !overdue.Stop() {
		err = errors.Join(errHangs, err)
	}
	return out.String(), errOut.String(), err
}

var errHangs = errors.New("the command does not come to an end")
