//go:build clients

package e2e

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// client is a running program in JavaScript that sends calls through a client library. It is told what to do by lines, and tells by lines
// what it did.
type client struct {
	t      testing.TB
	cmd    *exec.Cmd
	input  io.WriteCloser
	output chan string
	errors bytes.Buffer
	said   []string // what was read of its output
}

// startClient starts a program in a directory of its own packages.
func startClient(t testing.TB, dir, url, program string, args ...string) *client {
	t.Helper()
	c := &client{t: t, cmd: exec.Command("node", append([]string{program}, args...)...), output: make(chan string, 10_000)}
	c.cmd.Dir = dir
	c.cmd.Env = append(os.Environ(), "WRITE_KEY="+writeKey, "JITSU_KEY="+jitsuKey, "SOJOURN_URL="+url)
	c.cmd.Stderr = &c.errors
	output, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.input, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.output)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			c.output <- lines.Text()
		}
	}()
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

// tell sends the program a line.
func (c *client) tell(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.input, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// until waits for a line.
func (c *client) until(want string) {
	c.t.Helper()
	for c.next() != want {
		continue
	}
}

func (c *client) next() string {
	c.t.Helper()
	select {
	case line, ok := <-c.output:
		if !ok {
			_ = c.cmd.Wait()
			c.t.Fatalf("%s ended after %q\n%s", c.cmd, c.said, c.errors.String())
		}
		c.said = append(c.said, line)
		return line
	case <-time.After(2 * patience):
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		c.t.Fatalf("%s says nothing more after %q\n%s", c.cmd, c.said, c.errors.String())
	}
	return ""
}

// end waits until the program has ended well.
func (c *client) end() {
	c.t.Helper()
	_ = c.input.Close()
	stuck := time.AfterFunc(2*patience, func() { _ = c.cmd.Process.Kill() })
	defer stuck.Stop()
	for line := range c.output {
		c.said = append(c.said, line)
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("%s: %v after %q\n%s", c.cmd, err, c.said, c.errors.String())
	}
}

// all returns the rest of every line read that starts so.
func (c *client) all(prefix string) (found []string) {
	for _, line := range c.said {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			found = append(found, rest)
		}
	}
	return found
}

// book is what the books of all sources and types come to.
type book struct{ Received, Accepted, Duplicate, Rejected int64 }

func books(t testing.TB, d deployment) (total book) {
	t.Helper()
	for _, b := range ask[struct {
		Outcomes []struct {
			Received, Accepted, Duplicate, Rejected int64 `json:",string"`
		}
	}](t, d, queryToken, "sojourn.identity.v1.QueryService/ListOutcomes", `{}`).Outcomes {
		total.Received += b.Received
		total.Accepted += b.Accepted
		total.Duplicate += b.Duplicate
		total.Rejected += b.Rejected
	}
	return total
}
