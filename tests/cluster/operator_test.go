//go:build cluster

package cluster_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// takeSignedCallsAlone sends to the source whose shared secret stands in a file.
func (c *cluster) takeSignedCallsAlone() {
	c.Helper()
	const body = `{"type":"track","messageId":"s","anonymousId":"s","userId":"s","event":"Signed","timestamp":"2026-11-02T00:00:00Z"}`
	mac := hmac.New(sha1.New, []byte(shared))
	mac.Write([]byte(body))
	c.forward(func(url string) {
		for signature, want := range map[string]string{hex.EncodeToString(mac.Sum(nil)): "200", strings.Repeat("0", 40): "403"} {
			got := ""
			c.until("an answer", func() bool { // a Service may refuse for a moment after its pods are ready
				out, err := c.try(nil, "curl", "-s", "-o", os.DevNull, "-w", "%{http_code}", "-u", signedKey+":", "-d", body,
					"-H", "Content-Type: application/json", "-H", "X-Signature: "+signature, url+"/v1/track")
				got = out
				return err == nil && out != "503"
			})
			if got != want {
				c.Errorf("a call with signature %s is answered %s, want %s", signature, got, want)
			}
		}
	})
	c.say("calls of the source with a shared secret in a file are taken if they are signed")
}

// scaleByHand gives events a second pod, which must not begin.
func (c *cluster) scaleByHand() {
	c.Helper()
	set := "sojourn-events"
	c.kubectl("scale", "statefulset", set, "--replicas=2")
	reason := ""
	c.until("the second pod has ended", func() bool {
		out, err := c.try(nil, "kubectl", "-n", c.namespace, "logs", set+"-1", "--tail=1")
		reason = out
		return err == nil && out != ""
	})
	if !strings.Contains(reason, "-ordinal is 1") {
		c.Errorf("the second pod says %q", reason)
	}
	endpoints := strings.Fields(c.kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name="+set, "-o", "jsonpath={.items[*].endpoints[*].targetRef.name}"))
	if fmt.Sprint(endpoints) != "["+set+"-0]" {
		c.Errorf("the Service leads to %v", endpoints)
	}
	c.say("scaled by hand: the second pod does not start (%s) and the Service leads to %v", reason, endpoints)
	c.kubectl("scale", "statefulset", set, "--replicas=1")
	c.kubectl("wait", "--for=delete", "pod/"+set+"-1", "--timeout", patience.String())
	c.kubectl("delete", "pvc", "data-"+set+"-1")
}

// failAnUpgradeAndRollBack upgrades to images that there are none of.
func (c *cluster) failAnUpgradeAndRollBack() {
	c.Helper()
	c.write(values("no-such-tag"))
	if out, err := c.try(nil, "helm", "-n", c.namespace, "upgrade", c.release, chart, "-f", c.values, "--wait", "--timeout", "30s"); err == nil {
		c.Errorf("an upgrade to images that there are none of succeeds: %s", out)
	}
	began := time.Now()
	last := c.helm("history", c.release, "-o", "json")
	c.say("the upgrade has failed")
	c.helm("rollback", c.release, "--wait", "--timeout", patience.String())
	c.settle()
	c.say("rolled back, everything is ready %.0f s later (%d releases before)", time.Since(began).Seconds(), strings.Count(last, "revision"))
}

// restore runs the script of the release, and returns under which name it saved what was there before.
func (c *cluster) restore(args ...string) (saved string) {
	c.Helper()
	script := filepath.Join(c.TempDir(), "restore.sh")
	text := c.kubectl("get", "configmap", c.fullname+"-restore", "-o", `go-template={{index .data "restore.sh"}}`)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	out := c.run("bash", append([]string{script, "-n", c.namespace, "-r", c.release, "-y"}, args...)...)
	c.say("%s", strings.ReplaceAll(out, "\n", "; "))
	c.settle()
	if match := savedAs.FindStringSubmatch(out); match != nil {
		saved = match[1]
	}
	return saved
}

var savedAs = regexp.MustCompile(`restore\.sh .* -b (before-restore/\S+)`)

func (c *cluster) backup(job string) {
	c.Helper()
	c.kubectl("create", "job", "--from=cronjob/"+c.fullname+"-backup", job)
	c.until("the backup has ended", func() bool {
		return c.kubectl("get", "job", job, "-o", `jsonpath={.status.conditions[?(@.status=="True")].type}`) != ""
	})
	c.kubectl("wait", "--for=condition=complete", "job/"+job, "--timeout=1s")
	c.say("backup: %s", strings.ReplaceAll(c.kubectl("logs", "job/"+job), "\n", "; "))
}

// loseAVolumeAndRestoreIt deletes the volume of events and restores it, then all three from one backup while calls come in, and then what was
// saved before that.
func (c *cluster) loseAVolumeAndRestoreIt(sojourn string) {
	c.Helper()
	before := c.dump(sojourn)
	aside := func() string {
		return strings.Join(ofWorkspace(c.dumpAll(sojourn, c.secret(c.fullname+"-keys", "admin-token")), "aside"), "\n")
	}
	c.backup("backup-now")
	c.kubectl("scale", "statefulset", "sojourn-events", "--replicas=0")
	c.kubectl("wait", "--for=delete", "pod/sojourn-events-0", "--timeout", patience.String())
	c.kubectl("delete", "pvc", "data-sojourn-events-0")
	c.say("the volume of events is deleted")
	c.restore("-w", "events")
	c.compare(c.dump(sojourn), before)
	c.say("restored events alone; the dump is as before")

	if out, err := c.try(nil, "bash", "../../deploy/restore.sh", "-n", c.namespace, "-y", "-b", "20000101T000000Z"); err == nil ||
		!strings.Contains(err.Error(), "nothing was changed, and calls are taken again") {
		c.Errorf("a backup that there is not: %v, %s", err, out)
	}
	c.settle()
	c.compare(c.dump(sojourn), before)
	c.say("a backup that there is not changed nothing")

	load := c.send("restore", asideKey) // to a workspace that is not compared
	saved := c.restore()
	s := load.stop()
	s.alwaysAnswered(c)
	if s.Answers["503"] == 0 {
		c.Error("no call was answered 503 while everything was restored")
	}
	c.compare(c.dump(sojourn), before)
	const first = `"restore-0-0"` // the first call that was sent after the backup, and before the restore
	if strings.Contains(aside(), first) {
		c.Error("a call that came after the backup is still there")
	}
	c.say("restored all three over what was there; the dump is as before")
	if _, err := c.try(nil, "bash", "../../deploy/restore.sh", "-n", c.namespace, "-y", "-b", "before-restore"); err == nil {
		c.Error("before-restore alone does not say which, and is taken")
	}
	c.restore("-b", saved)
	c.compare(c.dump(sojourn), before)
	if !strings.Contains(aside(), first) {
		c.Errorf("what was answered 200 before the restore is not in what was saved as %q", saved)
	}
	c.say("restored what had been saved before that, %s: calls since the backup are there again", saved)
}

// besides installs a second release in the same namespace, with a workspaces file of its own, and restores it: the first must not notice.
func (c *cluster) besides(sojourn string) {
	c.Helper()
	other := *c
	other.release, other.fullname = "prod", "prod-sojourn"
	other.values = filepath.Join(c.TempDir(), "values.yaml")
	file := filepath.Join(c.TempDir(), "workspaces.yaml")
	keys := map[string]string{"write-key": "write_key_of_the_other", "query-token": "query_token_of_the_other", "admin-token": "admin_token_of_the_other"}
	text := fmt.Sprintf("admin_tokens: [%q]\nworkspaces: [{id: own, query_tokens: [%q], sources: [{id: app, write_keys: [%q]}]}]\n",
		hashed(keys["admin-token"]), hashed(keys["query-token"]), hashed(keys["write-key"]))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	c.kubectl("create", "secret", "generic", "prod-workspaces", "--from-file=workspaces.yaml="+file)
	args := []string{"create", "secret", "generic", "prod-keys"}
	for name, key := range keys {
		args = append(args, "--from-literal="+name+"="+key)
	}
	c.kubectl(args...)
	other.write(sizes(before) + "workspaces: {existingSecret: prod-workspaces}\n")
	if _, err := c.try(nil, "helm", "-n", c.namespace, "upgrade", "--install", "prod", chart, "-f", other.values); err == nil ||
		!strings.Contains(err.Error(), "existingSecret") {
		c.Errorf("without keys of its file: %v", err)
	}
	other.write(sizes(before) + "workspaces: {existingSecret: prod-workspaces}\nkeys: {existingSecret: prod-keys}\n")
	first := c.identities()
	other.upgrade()
	other.helm("test", "prod", "--logs")
	c.say("a second release with a workspaces file of its own: helm test passes")
	load := other.send("prod", keys["write-key"])
	time.Sleep(2 * time.Second)
	load.stop()
	dump := func() []string { return ofWorkspace(other.dumpAll(sojourn, keys["admin-token"]), "own") }
	held := dump()
	other.backup("prod-backup-now")
	load = other.send("prod-later", keys["write-key"])
	other.restore()
	s := load.stop()
	s.alwaysAnswered(&other)
	c.say("restored the second release: %d lines, %d before", len(dump()), len(held))
	if now := c.identities(); now != first {
		c.Errorf("pods of the first release were replaced:\n%s\nnow:\n%s", first, now)
	}
	c.swap(&other)
	other.helm("uninstall", "prod", "--wait")
	c.kubectl("delete", "pvc", "-l", "app.kubernetes.io/instance=prod")
}

// swap mounts the other release's volume of events in this one, which must be refused, and says why; then it mounts the right one again.
func (c *cluster) swap(other *cluster) {
	c.Helper()
	c.kubectl("scale", "statefulset", other.fullname+"-events", "--replicas=0")
	c.kubectl("wait", "--for=delete", "pod/"+other.fullname+"-events-0", "--timeout", patience.String())
	mount := func(claim string, more ...string) {
		c.Helper()
		set := "events.persistence.existingClaim=" + claim
		args := append([]string{"upgrade", c.release, chart, "-f", c.values, "--set", set}, more...)
		if _, err := c.try(nil, "helm", append([]string{"-n", c.namespace}, args...)...); err == nil || !strings.Contains(err.Error(), "delete statefulset sojourn-events") {
			c.Errorf("another volume: %v, want what to do", err)
		}
		c.kubectl("delete", "statefulset", "sojourn-events")
		c.kubectl("wait", "--for=delete", "pod/sojourn-events-0", "--timeout", patience.String())
		c.helm(args...)
	}
	c.write(values(before))
	mount("data-" + other.fullname + "-events-0")
	gateways := c.pods("gateway")
	c.until("the gateway says that the stores do not belong together", func() bool {
		return strings.Contains(c.kubectl("logs", gateways[0], "--tail=-1"), "the stores do not belong together")
	})
	c.say("a volume of another installation is refused: %s", c.kubectl("logs", gateways[0], "--tail=1"))
	mount("", "--wait", "--timeout", patience.String())
	c.settle()
	c.say("with the right volume calls are taken again")
}
