package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tailed is what these tests read of a line of sojourn tail -json.
type tailed struct {
	Source, Type, Outcome, MessageID, UserID, AccountID, Module, Feature string

	Missed    int64
	Warnings  []struct{ Code string }
	Rejection struct {
		Code, Body string
		Repeated   bool
	}
}

func (l tailed) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", l.Source, l.Outcome, l.Type, l.MessageID, l.Rejection.Code))
}

// tail starts sojourn tail and returns what it prints, line by line.
func tail(t *testing.T, url string, more ...string) <-chan tailed {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "sojourn"), append([]string{"tail", "-json", "-url", url}, more...)...)
	cmd.Env = append(os.Environ(), "SOJOURN_QUERY_TOKEN="+queryToken)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan tailed, 1000)
	go func() {
		defer close(lines)
		all := bufio.NewScanner(out)
		all.Buffer(nil, 1<<20)
		for all.Scan() {
			var line tailed
			if err := json.Unmarshal(all.Bytes(), &line); err != nil {
				t.Errorf("%v in %s", err, all.Bytes())
			}
			lines <- line
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range lines { // until it has ended
		}
		_ = cmd.Wait()
	})
	return lines
}

// nextTailed returns the next line.
func nextTailed(t *testing.T, lines <-chan tailed) tailed {
	t.Helper()
	select {
	case line, ok := <-lines:
		if !ok {
			t.Fatal("the tail ended")
		}
		return line
	case <-time.After(patience):
		t.Fatal("nothing was told")
	}
	return tailed{}
}

// awaitTail sends a call again and again until the tail tells of it, and takes what it tells up to there.
func awaitTail(t *testing.T, d deployment, lines <-chan tailed) {
	t.Helper()
	const knock = `{"messageId":"%s","timestamp":"2026-11-01T12:00:00Z","userId":"knock","anonymousId":"k","event":"K"}`
	for deadline := time.Now().Add(patience); len(lines) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the tail does not begin")
		}
		send(t, d, "/v1/track", writeKey, fmt.Sprintf(knock, "knock"))
		time.Sleep(20 * time.Millisecond)
	}
	send(t, d, "/v1/track", writeKey, fmt.Sprintf(knock, "begin"))
	for nextTailed(t, lines).MessageID != "begin" {
	}
}

// otherGateway is a second gateway in front of the services of a cluster.
type otherGateway struct {
	*cluster

	address string
}

func (g otherGateway) url() string { return "http://" + g.address }

func (c *cluster) secondGateway() otherGateway {
	_, match := start(c.t, gatewayReady, "gatewayd", "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0",
		"-workspaces", filepath.Join(c.data, "workspaces.yaml"),
		"-identity", c.address["identityd"], "-events", c.address["eventsd"], "-sessions", c.address["sessionsd"])
	return otherGateway{c, match[0]}
}

func TestEveryCallIsToldOfOnceWithItsOutcomeAndTheRejectedOnesAreListed(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		gateways := []deployment{d}
		if c, ok := d.(*cluster); ok {
			gateways = append(gateways, c.secondGateway())
		}
		watching := gateways[len(gateways)-1]
		lines := tail(t, watching.url())
		awaitTail(t, d, lines)
		var want []string
		for i, g := range gateways {
			good := fmt.Sprintf(`{"type":"track","messageId":"good%d","timestamp":"2026-11-01T12:00:00Z","userId":"u","anonymousId":"s","groupId":"acme",`+
				`"event":"Export","properties":{"module":"Billing"}}`, i)
			wrong := fmt.Sprintf(`{"type":"track","messageId":"wrong%d","timestamp":"2026-11-01T12:00:00Z","userId":"u","anonymousId":"s"}`, i)
			broken := fmt.Sprintf(`{"broken%d`, i)
			send(t, g, "/v1/track", writeKey, good)
			send(t, g, "/v1/batch", writeKey, `{"batch":[`+wrong+`,`+good+`,`+wrong+`]}`)
			send(t, g, "/v1/track", laxKey, broken)
			send(t, g, "/v1/track", otherWriteKey, good) // another workspace's
			send(t, g, "/v1/track", "no-such-key-00000", good)
			want = append(want, fmt.Sprintf("web accepted track good%d", i), fmt.Sprintf("web duplicate track good%d", i),
				fmt.Sprintf("web rejected track wrong%d event_required", i), fmt.Sprintf("web rejected track wrong%d event_required", i),
				"lax rejected track  json_invalid")
		}
		send(t, d, "/v1/track", writeKey, `{"messageId":"end","timestamp":"2026-11-01T12:00:00Z","userId":"null","anonymousId":"s","groupId":"null","event":"E"}`)
		want = append(want, "web rejected track end user_id_required")
		var got []string
		for len(got) < len(want) {
			line := nextTailed(t, lines)
			got = append(got, line.String())
			if line.MessageID == "good0" && (line.UserID != "u" || line.AccountID != "acme" || line.Module != "Billing" || line.Feature != "Export") {
				t.Errorf("told of %+v", line)
			}
			if line.Missed > 0 || line.Rejection.Code == "json_invalid" && !strings.HasPrefix(line.Rejection.Body, `{"broken`) {
				t.Errorf("told of %+v", line)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("told of\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, process := range d.processes() {
			d.kill(process)
		}
		listed := sojourn(t, "rejected", "-json", "-url", d.url())
		if n := strings.Count(listed, "\n"); n != 2*len(gateways)+1 || !strings.HasPrefix(listed, `{"received":`) || strings.Contains(listed, "good") {
			t.Errorf("listed %d:\n%s", n, listed)
		}
		if n := strings.Count(listed, `"times":2`); n != len(gateways) {
			t.Errorf("%d came twice:\n%s", n, listed)
		}
		if people := sojourn(t, "rejected", "-url", d.url(), "-code", "json_invalid", "-n", "1"); strings.Count(people, "\n") != 1 ||
			!strings.Contains(people, `json_invalid: the JSON`) || !strings.Contains(people, `{"broken`) {
			t.Errorf("for people listed %s", people)
		}
	})
}

func TestATailGoesOnWhenEveryoneWasKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		lines := tail(t, d.url(), "-outcome", "rejected", "-source", "lax")
		for round := range 2 {
			for deadline := time.Now().Add(patience); len(lines) == 0; {
				if time.Now().After(deadline) {
					t.Fatal("nothing is told")
				}
				_, _ = trySend(d, "/v1/track", writeKey, fmt.Sprintf(`{"web%d":1}`, round))
				_, _ = trySend(d, "/v1/track", laxKey, fmt.Sprintf(`{"lax%d":1}`, round))
				time.Sleep(50 * time.Millisecond)
			}
			for len(lines) > 0 {
				if line := <-lines; line.Source != "lax" || line.Outcome != "rejected" {
					t.Errorf("told of %+v", line)
				}
			}
			if round == 0 {
				for _, process := range d.processes() {
					d.kill(process)
				}
			}
		}
	})
}
