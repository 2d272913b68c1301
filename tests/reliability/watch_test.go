package reliability_test

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/program"
)

// toldWithin is how soon something more must be told to somebody who watches, until all sessions have been told as they are.
const toldWithin = 15 * time.Second

// expectTold fails unless whoever watches is told of all sessions of a dump as they are in the dump, and of no other.
func (d *deployment) expectTold(dump []string) {
	d.t.Helper()
	for _, workspace := range workspaces {
		want := map[string]int{}
		for _, line := range dump {
			if text, of := plainSession(d.t, line); of == workspace {
				want[text]++
			}
		}
		told := d.watch(workspace, want)
		if !maps.Equal(told, want) {
			d.t.Errorf("watching tells of %d different sessions of workspace %s, there are %d", len(told), workspace, len(want))
		}
	}
}

// watch watches a workspace from the beginning until what is told is what is wanted, and returns what was told at the end.
func (d *deployment) watch(workspace string, want map[string]int) map[string]int {
	d.t.Helper()
	cmd := exec.Command(filepath.Join(d.binaries, program.Sojourn), "watch", "-url", d.url())
	cmd.Env = append(append(os.Environ(), d.env...), "SOJOURN_QUERY_TOKEN=query-token-of-the-"+workspace)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	stop := time.AfterFunc(toldWithin, func() { _ = cmd.Process.Kill() })
	defer func() {
		stop.Stop()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	told, byID := map[string]int{}, map[string]string{}
	for lines := bufio.NewReader(out); len(told) != len(want) || !maps.Equal(told, want); stop.Reset(toldWithin) {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break // it was stopped, perhaps in the middle of a line
		}
		change(d.t, line, byID, told)
	}
	return told
}

// change lets a line of sojourn watch change what is known.
func change(t *testing.T, line []byte, byID map[string]string, told map[string]int) {
	t.Helper()
	var l struct {
		Kind     string
		Session  map[string]any
		Replaces []string
	}
	if err := json.Unmarshal(line, &l); err != nil {
		t.Fatalf("sojourn watch prints %s", line)
	}
	id, _ := l.Session["id"].(string)
	for _, gone := range slices.Concat(l.Replaces, []string{id}) {
		if text, was := byID[gone]; was {
			delete(byID, gone)
			if told[text]--; told[text] == 0 {
				delete(told, text)
			}
		}
	}
	if l.Kind == "ended" {
		byID[id] = plain(t, l.Session)
		told[byID[id]]++
	}
}

// plainSession returns what a line of a dump says of a session, and of which workspace it is.
func plainSession(t *testing.T, line string) (text, workspace string) {
	t.Helper()
	var session map[string]any
	if err := json.Unmarshal([]byte(line), &session); err != nil {
		t.Fatalf("sojourn dump prints %s", line)
	}
	workspace, _ = session["workspace"].(string)
	if session["kind"] != "session" {
		return "", ""
	}
	return plain(t, session), workspace
}

// plain is a session without what only a dump or only a change says of it.
func plain(t *testing.T, session map[string]any) string {
	t.Helper()
	for _, key := range []string{"kind", "workspace", "id", "revision"} {
		delete(session, key)
	}
	text, err := json.Marshal(session)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
