//go:build cluster

package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	chart = "../../deploy/helm/sojourn"
	// patience is how long anything may take that Kubernetes does. It ends what hangs, and judges nothing.
	patience = 10 * time.Minute
)

// cluster is a release in a namespace of the cluster that kubectl is set to.
type cluster struct {
	*testing.T

	namespace string
	release   string
	fullname  string // what its objects begin with
	values    string // file
	began     time.Time
}

// say notes how far it is.
func (c *cluster) say(format string, args ...any) {
	c.Helper()
	c.Logf("%4.0f s  %s", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// run runs a command and returns what it prints.
func (c *cluster) run(name string, args ...string) string {
	c.Helper()
	out, err := c.try(nil, name, args...)
	if err != nil {
		c.diagnose()
		c.Fatal(err)
	}
	return out
}

func (c *cluster) try(stdin []byte, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), err
}

func (c *cluster) kubectl(args ...string) string {
	c.Helper()
	return c.run("kubectl", append([]string{"-n", c.namespace}, args...)...)
}

func (c *cluster) helm(args ...string) string {
	c.Helper()
	return c.run("helm", append([]string{"-n", c.namespace}, args...)...)
}

// upgrade installs or upgrades the release with the values file and more.
func (c *cluster) upgrade(set ...string) {
	c.Helper()
	args := []string{"upgrade", "--install", c.release, chart, "-f", c.values, "--wait", "--timeout", patience.String()}
	for _, s := range set {
		args = append(args, "--set", s)
	}
	c.helm(args...)
}

// settle waits until all workloads are as they should be.
func (c *cluster) settle() {
	c.Helper()
	for _, workload := range []string{"statefulset/%s-identity", "statefulset/%s-events", "statefulset/%s-sessions", "deployment/%s-gateway"} {
		c.kubectl("rollout", "status", fmt.Sprintf(workload, c.fullname), "--timeout", patience.String())
	}
}

// secret is a value of a Secret.
func (c *cluster) secret(name, key string) string {
	c.Helper()
	return c.kubectl("get", "secret", name, "-o", fmt.Sprintf("go-template={{index .data %q | base64decode}}", key))
}

// pods are the names of the pods of a component, or of all.
func (c *cluster) pods(component string) []string {
	c.Helper()
	selector := "app.kubernetes.io/instance=" + c.release + ",app.kubernetes.io/component"
	if component != "" {
		selector += "=" + component
	} else {
		selector += "!=job"
	}
	return strings.Fields(c.kubectl("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}"))
}

// identities tells pods and containers from those that replace them.
func (c *cluster) identities() string {
	c.Helper()
	return c.kubectl("get", "pods", "-l", "app.kubernetes.io/instance="+c.release+",app.kubernetes.io/component!=job", "--sort-by=.metadata.name",
		"-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[*].restartCount}{\"\\n\"}{end}")
}

// until tries something again until it holds.
func (c *cluster) until(what string, holds func() bool) {
	c.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Second) {
		if time.Now().After(deadline) {
			c.diagnose()
			c.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// diagnose prints what there is when something went wrong.
func (c *cluster) diagnose() {
	for _, args := range [][]string{
		{"get", "pods,pvc,jobs", "-o", "wide"},
		{"get", "events", "--sort-by=.lastTimestamp"},
		{"logs", "-l", "app.kubernetes.io/instance=" + c.release, "--all-containers", "--tail=15", "--prefix"},
	} {
		out, err := c.try(nil, "kubectl", append([]string{"-n", c.namespace}, args...)...)
		c.Logf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

var forwarded = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+) `)

// forward hands use an address of the gateway's Service on this machine.
func (c *cluster) forward(use func(url string)) {
	c.Helper()
	ctx, stop := context.WithCancel(c.Context())
	cmd := exec.CommandContext(ctx, "kubectl", "-n", c.namespace, "port-forward", "service/"+c.fullname+"-gateway", ":80")
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	defer func() {
		stop()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if match := forwarded.FindStringSubmatch(lines.Text()); match != nil {
			use("http://" + match[1])
			return
		}
	}
	c.Fatalf("no port is forwarded: %v", lines.Err())
}
