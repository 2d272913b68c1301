//go:build cluster

package cluster_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func hashed(key string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(key))) }

// values are the release's, with more workspaces beside the load's: one that is not compared, and one whose source has its shared secret in
// a file that is mounted into gateways alone, as the docs say.
func values(tag string, more ...string) string {
	return sizes(tag) + `
workspaces:
  list:
    - {id: ` + workspace + `, sources: [{id: app, write_keys: ["` + hashed(loadKey) + `"]}]}
    - {id: aside, sources: [{id: app, write_keys: ["` + hashed(asideKey) + `"]}]}
    - {id: signed, sources: [{id: app, write_keys: ["` + hashed(signedKey) + `"], shared_secrets: ["file:/etc/secrets/segment"]}]}
` + strings.Join(more, "") + `
gateway:
  extraVolumes: [{name: secrets, secret: {secretName: segment-secrets}}]
  extraVolumeMounts: [{name: secrets, mountPath: /etc/secrets, readOnly: true}]
`
}

func sizes(tag string) string {
	return `
image: {tag: ` + tag + `}
backup: {enabled: true, keep: 2, persistence: {size: 1Gi}}
identity: {persistence: {size: 1Gi}}
events: {persistence: {size: 1Gi}}
sessions: {persistence: {size: 1Gi}}
networkPolicy: {gatewayClients: [{podSelector: {}}]}
`
}

func (c *cluster) write(values string) {
	c.Helper()
	if err := os.WriteFile(c.values, []byte(values), 0o600); err != nil {
		c.Fatal(err)
	}
}

// TestTheChartOnACluster is one story. Each part builds on what the ones before left; the last looks at all of it.
func TestTheChartOnACluster(t *testing.T) {
	sojourn := makeImages(t)
	c := &cluster{
		T: t, namespace: "sojourn-e2e-" + strings.ToLower(rand.Text()[:6]), release: "sojourn", fullname: "sojourn",
		values: filepath.Join(t.TempDir(), "values.yaml"), began: time.Now(),
	}
	c.run("kubectl", "create", "namespace", c.namespace)
	c.run("kubectl", "label", "namespace", c.namespace, "pod-security.kubernetes.io/enforce=restricted")
	t.Cleanup(func() {
		if os.Getenv("SOJOURN_KEEP") == "" {
			// The test's own context has ended by now.
			_ = exec.CommandContext(context.Background(), "kubectl", "delete", "namespace", c.namespace, "--wait=false").Run()
		}
	})
	answered := map[string][]int{}
	under := func(name string, do func()) seen {
		t.Helper()
		l := c.send(name, loadKey)
		do()
		s := l.stop()
		answered[name] = s.Calls
		return s
	}
	compared := func(what string) {
		t.Helper()
		got := c.dump(sojourn)
		c.compare(got, c.expected(sojourn, answered))
		c.say("%s: the dump has %d lines and is that of the calls that were answered 200, and no other", what, len(got))
	}

	c.install()
	c.takeSignedCallsAlone()
	under("kill", func() { c.killEveryPod() })
	rolled := under("roll-gateway", func() { c.roll("deployment", "gateway") })
	rolled.alwaysAnswered(c)
	for _, service := range []string{"identity", "events", "sessions"} {
		under("roll-"+service, func() { c.roll("statefulset", service) })
	}
	under("scale", c.scaleByHand)
	under("upgrade", c.upgradeAndRollBack)
	under("failed-upgrade", c.failAnUpgradeAndRollBack)
	c.takeANewKeyWithoutARestart()
	compared("after upgrades")
	c.loseAVolumeAndRestoreIt(sojourn)
	under("after-restore", func() { time.Sleep(5 * time.Second) })
	c.besides(sojourn)
	under("after-all", func() { time.Sleep(2 * time.Second) })
	compared("at the end")
	c.helm("uninstall", c.release, "--wait")
	c.say("uninstalled; what stays: %s", strings.Join(strings.Fields(c.kubectl("get", "pvc,secret", "-o", "name")), ", "))
}

func (c *cluster) install() {
	c.Helper()
	c.write(values(before))
	c.kubectl("create", "secret", "generic", "segment-secrets", "--from-literal=segment="+shared)
	c.upgrade()
	c.say("installed under pod security \"restricted\"")
	manifest := c.helm("get", "manifest", c.release)
	if out, err := c.try([]byte(manifest), "kubectl", "-n", c.namespace, "apply", "--dry-run=server", "--validate=strict", "-f", "-"); err != nil {
		c.Errorf("the API server refuses a field: %v %s", err, out)
	}
	c.helm("test", c.release, "--logs")
	c.say("helm test: a call was sent through the Service and its effects were found")
}

// killEveryPod kills one pod after the other without warning, as a failing node would.
func (c *cluster) killEveryPod() {
	c.Helper()
	for _, pod := range c.pods("") {
		began := time.Now()
		c.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
		c.until("another pod is there", func() bool { return len(c.pods("")) >= 5 })
		c.settle()
		c.say("killed %s; all is ready again after %.1f s", pod, time.Since(began).Seconds())
		time.Sleep(2 * time.Second)
	}
}

func (c *cluster) roll(kind, component string) {
	c.Helper()
	c.kubectl("rollout", "restart", kind, "sojourn-"+component)
	c.settle()
	c.say("rolled %s", component)
}

func (c *cluster) upgradeAndRollBack() {
	c.Helper()
	c.write(values(after))
	c.upgrade()
	c.settle()
	c.say("upgraded to %s", c.kubectl("get", "statefulset", "sojourn-events", "-o", "jsonpath={.spec.template.spec.containers[0].image}"))
	c.helm("rollback", c.release, "1", "--wait", "--timeout", patience.String())
	c.settle()
	c.say("rolled back to %s", c.kubectl("get", "statefulset", "sojourn-events", "-o", "jsonpath={.spec.template.spec.containers[0].image}"))
}

// takeANewKeyWithoutARestart changes the workspaces file of what is running.
func (c *cluster) takeANewKeyWithoutARestart() {
	c.Helper()
	pods := c.identities()
	c.write(values(before, `    - {id: later, sources: [{id: app, write_keys: ["`+hashed(laterKey)+`"]}]}`))
	c.upgrade()
	began := time.Now()
	c.forward(func(url string) {
		c.until("the new key is taken", func() bool {
			// A body that is no call: with a key that is known it is answered 400, otherwise 401.
			out, err := c.try(nil, "curl", "-s", "-o", os.DevNull, "-w", "%{http_code}", "-u", laterKey+":", "-d", "{}",
				"-H", "Content-Type: application/json", url+"/v1/batch")
			return err == nil && out == "400"
		})
	})
	if now := c.identities(); now != pods {
		c.Errorf("pods were restarted:\n%s\nnow:\n%s", pods, now)
	}
	c.say("a new write key was taken %.0f s after the upgrade, without a restart", time.Since(began).Seconds())
}
