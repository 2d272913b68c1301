// Package deploy starts the servers that are measured, as processes of their own on free ports of this machine.
package deploy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// process is one started program.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of its end, once ended is closed
}

// patience is how long a program may take to be ready, and to stop.
const patience = 5 * time.Minute

var errEnded = errors.New("it ended before it was ready")

// start starts a program, waits for a line of its output that ready matches, and returns what its group matched. All output goes to log as well.
func start(ctx context.Context, log string, ready *regexp.Regexp, program string, args ...string) (*process, string, error) {
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", err
	}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	p.cmd.Stdout, p.cmd.Stderr = input, input
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // nothing is left running when the measuring is killed
	if err := p.cmd.Start(); err != nil {
		return nil, "", errors.Join(err, input.Close(), output.Close(), file.Close())
	}
	_ = input.Close() // the child has its own
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(output)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			_, _ = fmt.Fprintln(file, lines.Text()) // the log is a help, no result
			if match := ready.FindStringSubmatch(lines.Text()); match != nil {
				select {
				case found <- match[1]:
				default:
				}
			}
		}
		_, _ = output.Close(), file.Close()
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	select {
	case match := <-found:
		return p, match, nil
	case <-p.ended:
		err = errEnded
	case <-time.After(patience):
		err = fmt.Errorf("it was not ready within %v", patience)
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.kill()
	return nil, "", fmt.Errorf("start %s: %w: see %s", filepath.Base(program), err, log)
}

// stop asks the program to stop and waits until it has.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended, which the next lines find
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("%s did not stop within %v", p.cmd.Path, patience)
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.cmd.Path, p.err)
	}
	return nil
}

// kill ends the program without warning.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}
