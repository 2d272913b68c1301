package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/sojournhq/sojourn/tests/program"
)

// The keys of both workspaces of every deployment.
const (
	writeKey       = "write-key-of-default-web"
	laxKey         = "write-key-of-default-lax"
	jitsuKey       = "jitsu-id-of-default:jitsu-secret" // one key, as Jitsu makes them
	queryToken     = "query-token-of-default"
	otherWriteKey  = "write-key-of-other-web"
	otherToken     = "query-token-of-other"
	adminToken     = "admin-token-of-everything"
	workspacesYAML = `
admin_tokens: [` + adminToken + `]
workspaces:
  - id: default
    query_tokens: [` + queryToken + `]
    tiers: [gold, silver]
    lifecycle_stages: [adoption]
    dimensions:
      - {name: Billed, type: number, from: [group.total_billed]}
      - {name: City, type: string, from: [group.city, identify.address.city]}
      - {name: Since, type: date, from: [group.createdAt]}
      - {name: Zip, type: date, from: [identify.address.postalCode]}
    sources:
      - id: web
        write_keys: [` + writeKey + `]
        require_anonymous_id: true
        require_user_id: true
        allow_delete: true
      - id: lax
        write_keys: [` + laxKey + `]
      - id: jitsu
        write_keys: ["` + jitsuKey + `"]
  - id: other
    query_tokens: [` + otherToken + `]
    sources:
      - id: web
        write_keys: [` + otherWriteKey + `]
`
)

// deployment is a running Sojourn.
type deployment interface {
	// url is where its gateway is now.
	url() string
	// processes names what it consists of, for kill.
	processes() []string
	// kill ends one process without warning and starts it again.
	kill(process string)
	// down ends one process without warning, and up starts it again where it was.
	down(process string)
	up(process string)
	// admin is where a process tells how it is.
	admin(process string) string
	// stop stops everything in good order.
	stop()
	// dir is its data directory.
	dir() string
}

// onBoth runs a case against both kinds of deployment.
func onBoth(t *testing.T, run func(*testing.T, deployment)) {
	t.Run("standalone", func(t *testing.T) { run(t, startStandalone(t, newDir(t))) })
	t.Run("four processes", func(t *testing.T) { run(t, startCluster(t, newDir(t))) })
}

// newDir returns a data directory that holds nothing but the workspaces.
func newDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "workspaces.yaml"), []byte(workspacesYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// standalone is sojourn in one process.
type standalone struct {
	t       *testing.T
	data    string
	address string
	sojourn *program.Process
}

var (
	greeting  = regexp.MustCompile(`^Sojourn is ready on http://(\S+)$`)
	adminLine = regexp.MustCompile(`^Health and metrics are on (\S+)$`)
)

func startStandalone(t *testing.T, dir string) *standalone {
	t.Helper()
	s := &standalone{t: t, data: dir, address: "127.0.0.1:0"}
	s.start()
	return s
}

func (s *standalone) start() {
	var match []string
	s.sojourn, match = start(s.t, greeting, "sojourn", "-data", s.data, "-listen", s.address, "-admin-listen", "127.0.0.1:0")
	s.address = match[0]
}

func (s *standalone) url() string         { return "http://" + s.address }
func (s *standalone) dir() string         { return s.data }
func (s *standalone) processes() []string { return []string{"sojourn"} }
func (s *standalone) stop()               { s.sojourn.Stop() }

func (s *standalone) admin(string) string { return s.sojourn.Line(adminLine) }

func (s *standalone) down(string) { s.sojourn.Kill() }
func (s *standalone) up(string)   { s.start() }

func (s *standalone) kill(process string) {
	s.down(process)
	s.up(process)
}

// cluster is four processes.
type cluster struct {
	t       *testing.T
	data    string
	running map[string]*program.Process
	address map[string]string
	more    map[string][]string // arguments, by process
}

var (
	serviceReady = regexp.MustCompile(`"msg":"ready".*"grpc":"([^"]+)"`)
	gatewayReady = regexp.MustCompile(`"msg":"ready".*"http":"([^"]+)"`)
	adminReady   = regexp.MustCompile(`"msg":"ready".*"admin":"([^"]+)"`)
)

func startCluster(t *testing.T, dir string) *cluster {
	t.Helper()
	c := &cluster{t: t, data: dir, running: map[string]*program.Process{}, address: map[string]string{}}
	for _, name := range c.processes() {
		c.address[name] = "127.0.0.1:0"
		c.start(name)
	}
	return c
}

// processes are named in the order in which they are started: the gateway needs the addresses of the others.
func (c *cluster) processes() []string {
	return []string{"identityd", "eventsd", "sessionsd", "gatewayd"}
}

func (c *cluster) start(name string) {
	args := []string{"-listen", c.address[name], "-admin-listen", "127.0.0.1:0"}
	workspaces := filepath.Join(c.data, "workspaces.yaml")
	ready := serviceReady
	switch name {
	case "gatewayd":
		ready = gatewayReady
		args = append(args, "-workspaces", workspaces,
			"-identity", c.address["identityd"], "-events", c.address["eventsd"], "-sessions", c.address["sessionsd"])
	case "identityd", "sessionsd":
		args = append(args, "-data", c.data, "-workspaces", workspaces)
	default:
		args = append(args, "-data", c.data)
	}
	var match []string
	c.running[name], match = start(c.t, ready, name, append(args, c.more[name]...)...)
	c.address[name] = match[0]
}

func (c *cluster) url() string { return "http://" + c.address["gatewayd"] }
func (c *cluster) dir() string { return c.data }

func (c *cluster) admin(name string) string { return "http://" + c.running[name].Line(adminReady) }

func (c *cluster) down(name string) { c.running[name].Kill() }
func (c *cluster) up(name string)   { c.start(name) }

func (c *cluster) kill(name string) {
	c.down(name)
	c.up(name)
}

func (c *cluster) stop() {
	for _, name := range []string{"gatewayd", "sessionsd", "eventsd", "identityd"} {
		c.running[name].Stop()
	}
}
