package program

import (
	"bufio"
	"bytes"
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

// patience is for how long a program may start, stop, or say what is waited for.
const patience = 30 * time.Second

// Process is one started program.
type Process struct {
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

// Start starts a program and returns what the groups of ready matched on the first line of its output that it matches. Everything it prints is
// read, and its first lines are kept. It ends with the test.
func Start(t testing.TB, cmd *exec.Cmd, ready *regexp.Regexp) (*Process, []string) {
	t.Helper()
	program := filepath.Base(cmd.Path)
	p := &Process{t: t, cmd: cmd, found: make(chan []string, 1), ended: make(chan struct{})}
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
	t.Cleanup(p.Kill)
	select {
	case match := <-p.found:
		return p, match
	case <-p.ended:
		t.Fatalf("%s ended before it was ready: %s", program, p.Output())
	case <-time.After(patience):
		t.Fatalf("%s was not ready within %v", program, patience)
	}
	return nil, nil
}

func (p *Process) read(output io.ReadCloser, ready *regexp.Regexp) {
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

// Output is everything that the program has printed.
func (p *Process) Output() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.all.String()
}

// Line waits for a line that matches among the first that the program prints, and returns what its group matched.
func (p *Process) Line(match *regexp.Regexp) string {
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

// Stop asks the program to stop and waits until it has.
func (p *Process) Stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("%s did not stop within %v", p.cmd.Path, patience)
		p.Kill()
		return
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s stopped with exit code %d", filepath.Base(p.cmd.Path), code)
	}
}

// Signal sends the program a signal.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// PID is the number that the kernel has for the program.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed once the program has ended, however it did.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Kill ends the program without warning, and returns once it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}
