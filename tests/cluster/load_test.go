//go:build cluster

package cluster_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// load is a pod that sends calls.
type load struct {
	*cluster

	name string
}

// seen is what it prints at its end.
type seen struct {
	Calls     []int
	Answers   map[string]int
	LongestMs int64
	Failures  []string
	BadRetry  int
}

const senderPod = `
apiVersion: v1
kind: Pod
metadata: {name: %[1]s}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: sender
      image: sojourn/sender:` + before + `
      args: [-url=http://sojourn-gateway, -name=%[2]s]
      env: [{name: SOJOURN_WRITE_KEY, value: ` + loadKey + `}]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`

// send starts sending, and returns once the first call is answered.
func (c *cluster) send(name string) *load {
	c.Helper()
	l := &load{c, "sender-" + name}
	if _, err := c.try(fmt.Appendf(nil, senderPod, l.name, name), "kubectl", "-n", c.namespace, "create", "-f", "-"); err != nil {
		c.Fatal(err)
	}
	c.until("the first call is answered", func() bool {
		out, err := c.try(nil, "kubectl", "-n", c.namespace, "logs", l.name)
		return err == nil && strings.HasPrefix(out, "sending")
	})
	time.Sleep(3 * time.Second) // let it flow
	return l
}

// stop ends the sending and returns what was seen.
func (l *load) stop() seen {
	l.Helper()
	time.Sleep(3 * time.Second)
	l.kubectl("exec", l.name, "--", "/app", "stop")
	l.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/"+l.name, "--timeout=120s")
	out := l.kubectl("logs", l.name, "--tail=1")
	var s seen
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		l.Fatalf("%v in %s", err, out)
	}
	sum := 0
	for _, n := range s.Calls {
		sum += n
	}
	l.say("%s: %d calls answered 200; attempts by answer: %v; longest without a 200: %.1f s", l.name, sum, s.Answers, float64(s.LongestMs)/1000)
	for _, failure := range s.Failures {
		l.say("%s: %s", l.name, failure)
	}
	if s.BadRetry > 0 {
		l.Errorf("%d answers 503 without Retry-After", s.BadRetry)
	}
	return s
}

// nothingFailed is what a rolling update of the gateway must look like.
func (s *seen) nothingFailed(c *cluster) {
	c.Helper()
	for answer, n := range s.Answers {
		if answer != "200" {
			c.Errorf("%d times %s; nothing should have failed", n, answer)
		}
	}
}

// onlyWaited is what a restart of a service must look like.
func (s *seen) onlyWaited(c *cluster) {
	c.Helper()
	for answer, n := range s.Answers {
		if answer != "200" && answer != "503" {
			c.Errorf("%d times %s; only 503 should be seen", n, answer)
		}
	}
	if limit := (10 * time.Second).Milliseconds(); s.LongestMs >= limit {
		c.Errorf("a sender waited %d ms, want less than %d", s.LongestMs, limit)
	}
}
