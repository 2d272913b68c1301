package reliability_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/tests/program"
)

// The workspaces of every deployment. They have nothing in common but the ids in what they are sent.
const (
	adminToken     = "admin-token-of-everything"
	workspacesYAML = `
admin_tokens: [` + adminToken + `]
workspaces:
  - id: first
    query_tokens: [query-token-of-the-first]
    tiers: [gold, silver]
    sources: [{id: app, write_keys: [write-key-of-the-first]}]
  - id: second
    query_tokens: [query-token-of-the-second]
    tiers: [gold, silver]
    sources: [{id: app, write_keys: [write-key-of-the-second]}]
`
)

var (
	workspaces = []string{"first", "second"}
	writeKeys  = map[string]string{"first": "write-key-of-the-first", "second": "write-key-of-the-second"}

	// daemons are in the order in which they are started: the gateway needs the addresses of the others.
	daemons = []string{"identityd", "eventsd", "sessionsd", "gatewayd"}

	readyLines = map[string]*regexp.Regexp{
		program.Sojourn: regexp.MustCompile(`^Sojourn is ready on http://(\S+)$`),
		"gatewayd":      regexp.MustCompile(`"msg":"ready".*"http":"([^"]+)"`),
		"identityd":     regexp.MustCompile(`"msg":"ready".*"grpc":"([^"]+)"`),
		"eventsd":       regexp.MustCompile(`"msg":"ready".*"grpc":"([^"]+)"`),
		"sessionsd":     regexp.MustCompile(`"msg":"ready".*"grpc":"([^"]+)"`),
	}
)

// deployment is a running Sojourn.
type deployment struct {
	t        *testing.T
	dir      string
	programs []string
	binaries string
	running  map[string]*program.Process
	address  map[string]string // where a program listens: after its first start always there
	via      map[string]string // where the gateway is told that a service is, if elsewhere
	into     map[string]string // network namespaces, by program
	env      []string
}

// deploy makes a deployment of these programs that is not started. They listen on a loopback address of their own, so that no outgoing connection
// on this machine takes the port of a program that is down for a moment.
func deploy(t *testing.T, programs []string) *deployment {
	t.Helper()
	d := &deployment{
		t: t, dir: t.TempDir(), programs: programs, binaries: binaries,
		running: map[string]*program.Process{}, address: map[string]string{}, via: map[string]string{}, into: map[string]string{},
	}
	if err := os.WriteFile(filepath.Join(d.dir, "workspaces.yaml"), []byte(workspacesYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	for _, name := range programs {
		d.address[name] = host + ":0"
	}
	return d
}

// start starts what is not running.
func (d *deployment) start() {
	for _, name := range d.programs {
		if d.running[name] == nil {
			d.up(name)
		}
	}
}

func (d *deployment) up(name string) {
	d.t.Helper()
	build(d.t, d.programs, d.binaries)
	args := append([]string{filepath.Join(d.binaries, name)}, d.args(name)...)
	if namespace := d.into[name]; namespace != "" {
		args = append([]string{"ip", "netns", "exec", namespace}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), d.env...)
	var match []string
	d.running[name], match = program.Start(d.t, cmd, readyLines[name])
	d.address[name] = match[0]
}

func (d *deployment) args(name string) []string {
	args := []string{"-listen", d.address[name], "-admin-listen", "127.0.0.1:0"}
	settings := []string{"-workspaces", filepath.Join(d.dir, "workspaces.yaml")}
	switch name {
	case "gatewayd":
		for _, service := range []string{"identity", "events", "sessions"} {
			address := d.via[service+"d"]
			if address == "" {
				address = d.address[service+"d"]
			}
			args = append(args, "-"+service, address)
		}
		return append(args, settings...)
	case "identityd", "sessionsd":
		args = append(args, settings...)
	}
	return append(args, "-data", d.dir)
}

// down ends a program without warning.
func (d *deployment) down(name string) {
	d.running[name].Kill()
	d.running[name] = nil
}

// stop stops everything in good order.
func (d *deployment) stop() {
	for _, name := range slices.Backward(d.programs) {
		if d.running[name] != nil {
			d.running[name].Stop()
			d.running[name] = nil
		}
	}
}

// url is where calls are sent and questions asked.
func (d *deployment) url() string { return "http://" + d.address[d.programs[len(d.programs)-1]] }
