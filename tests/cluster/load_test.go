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
	Refused   int
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
      args: [-url=http://%[3]s-gateway, -name=%[2]s]
      env: [{name: SOJOURN_WRITE_KEY, value: %[4]s}]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`

// send starts sending with a write key, and returns once the first call is answered.
func (c *cluster) send(name, key string) *load {
	c.Helper()
	l := &load{c, "sender-" + name}
	if _, err := c.try(fmt.Appendf(nil, senderPod, l.name, name, c.fullname, key), "kubectl", "-n", c.namespace, "create", "-f", "-"); err != nil {
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
	l.say("%s: %d calls answered 200; attempts by answer: %v, connections refused: %d; longest without a 200: %.1f s",
		l.name, sum, s.Answers, s.Refused, float64(s.LongestMs)/1000)
	for _, failure := range s.Failures {
		l.say("%s: %s", l.name, failure)
	}
	s.check(l.cluster)
	return s
}

// check fails on what must never be answered. How long a sender waited, and what it did not get through to, is told and not judged: that is
// up to the machine.
func (s *seen) check(c *cluster) {
	c.Helper()
	for answer, n := range s.Answers {
		switch answer {
		case "200", "429", "503", noAnswer:
		default:
			c.Errorf("%d times %s; only 200, 429 and 503 may be answered", n, answer)
		}
	}
	if s.BadRetry > 0 {
		c.Errorf("%d answers 503 without Retry-After", s.BadRetry)
	}
}

// alwaysAnswered fails if a sender found nobody.
func (s *seen) alwaysAnswered(c *cluster) {
	c.Helper()
	if s.Refused > 0 {
		c.Errorf("%d connections were refused; 503 with Retry-After should have been answered", s.Refused)
	}
}

// noAnswer is how the sender counts attempts without an answer.
const noAnswer = "lost"
