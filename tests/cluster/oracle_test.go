//go:build cluster

package cluster_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The workspace that load is sent to, as the chart's values and the other Sojourn have it.
const (
	loadKey   = "write_key_of_the_load"
	asideKey  = "write_key_of_what_is_not_compared"
	signedKey = "write_key_of_the_signed_source"
	shared    = "shared_secret_of_the_signed_source"
	laterKey  = "write_key_that_comes_later"
	workspace = "load"
)

var ready = regexp.MustCompile(`^Sojourn is ready on (http://\S+)$`)

// expected is the dump of another Sojourn, in one process on this machine, that is sent just the calls that were answered 200.
func (c *cluster) expected(sojourn string, answered map[string][]int) []string {
	c.Helper()
	dir := c.TempDir()
	file := fmt.Sprintf("workspaces: [{id: %s, sources: [{id: app, write_keys: [%s]}]}]\n", workspace, loadKey)
	if err := os.WriteFile(filepath.Join(dir, "workspaces.yaml"), []byte(file), 0o600); err != nil {
		c.Fatal(err)
	}
	cmd := exec.CommandContext(c.Context(), sojourn, "-data", dir, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	url := ""
	for url == "" && lines.Scan() {
		if match := ready.FindStringSubmatch(lines.Text()); match != nil {
			url = match[1]
		}
	}
	go func() {
		for lines.Scan() { // it must not wait for its output to be read
			continue
		}
	}()
	for name, calls := range answered {
		for sender, n := range calls {
			c.resend(url, name, sender, n)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		c.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		c.Fatal(err)
	}
	return ofWorkspace(c.run(sojourn, "dump", "-data", dir), workspace)
}

// resend sends the first n calls of a sender in batches.
func (c *cluster) resend(url, name string, sender, n int) {
	c.Helper()
	for start := 0; start < n; start += 500 {
		var batch []map[string]any
		for i := start; i < min(start+500, n); i++ {
			batch = append(batch, map[string]any{
				"type": "track", "messageId": fmt.Sprintf("%s-%d-%d", name, sender, i), "anonymousId": fmt.Sprintf("%s-%d", name, sender),
				"userId": fmt.Sprintf("user-%s-%d", name, sender), "groupId": "load", "timestamp": time.Date(2026, 11, 2, 0, 0, i, 0, time.UTC),
				"event": "Sent", "properties": map[string]any{"module": "Load"},
			})
		}
		body, err := json.Marshal(map[string]any{"batch": batch})
		if err != nil {
			c.Fatal(err)
		}
		request, err := http.NewRequestWithContext(c.Context(), http.MethodPost, url+"/v1/batch", bytes.NewReader(body))
		if err != nil {
			c.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.SetBasicAuth(loadKey, "")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			c.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			c.Fatalf("a batch is answered %s", response.Status)
		}
	}
}

// dump is the state of the release.
func (c *cluster) dump(sojourn string) []string {
	c.Helper()
	return ofWorkspace(c.dumpAll(sojourn, c.secret(c.fullname+"-keys", "admin-token")), workspace)
}

// dumpAll is the state of the release, of all workspaces.
func (c *cluster) dumpAll(sojourn, token string) (text string) {
	c.Helper()
	c.forward(func(url string) {
		cmd := exec.CommandContext(c.Context(), sojourn, "dump", "-url", url)
		cmd.Env = append(os.Environ(), "SOJOURN_ADMIN_TOKEN="+token)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			c.diagnose()
			c.Fatalf("dump: %v", err)
		}
		text = string(out)
	})
	return text
}

// ofWorkspace are the lines of a workspace.
func ofWorkspace(dump, workspace string) []string {
	var lines []string
	for line := range strings.Lines(dump) {
		if strings.Contains(line, `"workspace":"`+workspace+`"`) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// compare fails unless two dumps are the same.
func (c *cluster) compare(got, want []string) {
	c.Helper()
	missing, extra := 0, 0
	known := map[string]bool{}
	for _, line := range got {
		known[line] = true
	}
	for _, line := range want {
		if !known[line] {
			if missing++; missing <= 5 {
				c.Errorf("missing: %s", line)
			}
		}
		delete(known, line)
	}
	for line := range known {
		if extra++; extra <= 5 {
			c.Errorf("too much: %s", line)
		}
	}
	if missing+extra > 0 || !slices.Equal(got, want) {
		c.Fatalf("the dumps differ: %d lines missing, %d too much", missing, extra)
	}
}
