package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binaries is the directory in which TestMain built the programs.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "sojourn-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binaries = dir
		build := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
			"../../standalone/cmd/sojourn", "../../gateway/cmd/gatewayd", "../../services/identity/cmd/identityd",
			"../../services/events/cmd/eventsd", "../../services/sessions/cmd/sessionsd")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build the programs:", err)
			return 1
		}
		return m.Run()
	}())
}

const patience = 30 * time.Second

// process is one started program.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	found chan []string // what the ready line's expression matched
	ended chan struct{}

	mutex sync.Mutex
	lines []string // the first it printed
	all   bytes.Buffer
}

// keptLines is how much of a program's output is kept.
const keptLines = 100

// start starts a program and returns what the groups of ready matched on the first line of its output that it matches. Everything it
// prints is read, and its first lines are kept.
func start(t testing.TB, ready *regexp.Regexp, program string, args ...string) (*process, []string) {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(filepath.Join(binaries, program), args...), found: make(chan []string, 1), ended: make(chan struct{})}
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = input, input
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = input.Close()
	go p.read(output, ready)
	t.Cleanup(p.kill)
	select {
	case match := <-p.found:
		return p, match
	case <-p.ended:
		t.Fatalf("%s ended before it was ready", program)
	case <-time.After(patience):
		t.Fatalf("%s was not ready within %v", program, patience)
	}
	return nil, nil
}

func (p *process) read(output io.ReadCloser, ready *regexp.Regexp) {
	defer close(p.ended)
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mutex.Lock()
		_, _ = p.all.WriteString(lines.Text() + "\n")
		if len(p.lines) < keptLines {
			p.lines = append(p.lines, lines.Text())
		}
		p.mutex.Unlock()
		if match := ready.FindStringSubmatch(lines.Text()); match != nil {
			select {
			case p.found <- match[1:]:
			default:
			}
		}
	}
	_ = p.cmd.Wait()
	_ = output.Close()
}

// output is everything that the program has printed.
func (p *process) output() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.all.String()
}

// line waits for a line that matches among the first that the program prints, and returns what its group matched.
func (p *process) line(match *regexp.Regexp) string {
	p.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		p.mutex.Lock()
		for _, line := range p.lines {
			if m := match.FindStringSubmatch(line); m != nil {
				p.mutex.Unlock()
				return m[1]
			}
		}
		p.mutex.Unlock()
	}
	p.t.Fatalf("%s printed no line like %s", p.cmd.Path, match)
	return ""
}

// stop asks the program to stop and waits until it has.
func (p *process) stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("%s did not stop within %v", p.cmd.Path, patience)
		p.kill()
		return
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s stopped with exit code %d", filepath.Base(p.cmd.Path), code)
	}
}

// kill ends the program without warning.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}
