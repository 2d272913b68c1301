package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/program"
)

// The keys and secrets of a workspaces file that is not in a data directory.
const (
	keptKey, keptToken, keptAdmin = "a-write-key-from-before", "a-query-token-from-before", "an-admin-token-from-before"
	inlineSecret, fileSecret      = "a-shared-secret-in-the-file", "a-shared-secret-of-a-file"
	keptWorkspaces                = `# by hand
admin_tokens: [` + keptAdmin + `]
workspaces:
  - id: w
    query_tokens: [` + keptToken + `]
    tiers: [gold]
    sources:
      - {id: web, write_keys: [` + keptKey + `]}
      - {id: segment, write_keys: [` + keptKey + `-inline], shared_secrets: [` + inlineSecret + `]}
      - {id: vault, write_keys: [` + keptKey + `-file], shared_secrets: ["file:secrets/segment"]}
`
)

// machine is where a deployment runs: all that is lost when it is.
type machine struct {
	*cluster

	root       string
	workspaces string // "": that of the data directory
	alone      bool   // one process, not four
}

// newMachine is an empty one.
func newMachine(t *testing.T, alone bool) *machine {
	t.Helper()
	m := &machine{root: t.TempDir(), alone: alone}
	m.cluster = &cluster{t: t, running: map[string]*program.Process{}, address: map[string]string{}, more: map[string][]string{}}
	return m
}

// data is the data directory of a process.
func (m *machine) data(process string) string {
	if m.alone {
		process = "data"
	}
	return filepath.Join(m.root, process)
}

// startAll starts everything, four processes with a directory each.
func (m *machine) startAll() {
	if m.alone {
		args := []string{"-data", m.data(""), "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}
		if m.workspaces != "" {
			args = append(args, "-workspaces", m.workspaces)
		}
		p, match := start(m.t, greeting, "sojourn", args...)
		m.running["gatewayd"], m.address["gatewayd"] = p, match[0]
		return
	}
	for _, name := range m.processes() {
		m.address[name] = "127.0.0.1:0"
		switch name {
		case "gatewayd":
			m.more[name] = []string{"-workspaces", m.workspaces}
		case "eventsd":
			m.more[name] = []string{"-data", m.data(name)}
		default:
			m.more[name] = []string{"-data", m.data(name), "-workspaces", m.workspaces}
		}
		m.start(name)
	}
}

func (m *machine) stopAll() {
	if m.alone {
		m.running["gatewayd"].Stop()
		return
	}
	m.stop()
}

// backUp backs everything up.
func (m *machine) backUp(admin, out string) {
	m.t.Helper()
	m.run(admin, "backup", "-url", m.url(), "-out", out)
}

// backUpStopped backs a stopped machine of one process up.
func (m *machine) backUpStopped(out string) {
	m.t.Helper()
	args := []string{"backup", "-data", m.data(""), "-out", out}
	if m.workspaces != "" {
		args = append(args, "-workspaces", m.workspaces)
	}
	m.run("", args...)
}

// restore restores everything from a backup, and returns what that said.
func (m *machine) restore(from string) string {
	m.t.Helper()
	to := []string{"restore", "-from", from}
	if m.workspaces != "" {
		to = append(to, "-workspaces", m.workspaces)
	}
	if m.alone {
		return m.run("", append(to, "-data", m.data(""))...)
	}
	said := []string{m.run("", append(to, "-only", "workspaces")...)}
	for _, kind := range []string{"identity", "events", "sessions"} {
		said = append(said, m.run("", append(to, "-data", m.data(kind+"d"), "-only", kind)...))
	}
	return strings.Join(said, "")
}

func (m *machine) run(admin string, args ...string) string {
	m.t.Helper()
	out, code := runSojourn(admin, args...)
	if code != 0 {
		m.t.Fatalf("sojourn %v: exit code %d: %s", args, code, out)
	}
	return out
}

func runSojourn(admin string, args ...string) (string, int) {
	cmd := exec.Command(filepath.Join(binaries, "sojourn"), args...)
	cmd.Env = append(os.Environ(), "SOJOURN_ADMIN_TOKEN="+admin)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

func keptTrack(id string) string {
	return fmt.Sprintf(`{"type":"track","messageId":"%s","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","groupId":"g","event":"E"}`, id)
}

// signedCall sends a call as a source with a shared secret does.
func (m *machine) signedCall(key, secret, id string) int {
	m.t.Helper()
	body := keptTrack(id)
	mac := hmac.New(sha1.New, []byte(secret))
	_, _ = mac.Write([]byte(body))
	request, err := http.NewRequest(http.MethodPost, m.url()+"/v1/segment", strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	request.SetBasicAuth(key, "")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

var keyLine = regexp.MustCompile(`(?m)^(write_key|query_token|admin_token): (\S+)$`)

// firstKeys are those that the first start of a machine made.
func (m *machine) firstKeys() map[string]string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.data(""), "first-keys.yaml"))
	if err != nil {
		m.t.Fatal(err)
	}
	keys := map[string]string{}
	for _, match := range keyLine.FindAllStringSubmatch(string(text), -1) {
		keys[match[1]] = match[2]
	}
	return keys
}

// works sends a call with a key, asks with a token, and returns what a dump with the admin's has.
func (m *machine) works(writeKey, queryToken, admin, id string) string {
	m.t.Helper()
	if a := send(m.t, m, "/v1/track", writeKey, keptTrack(id)); a.status != http.StatusOK {
		m.t.Errorf("the old write key: %d %s", a.status, a.body)
	}
	sessions := ask[struct{ Sessions []any }](m.t, m, queryToken, "sojourn.sessions.v1.QueryService/ListSessions", "{}")
	if len(sessions.Sessions) != 1 {
		m.t.Errorf("the old query token: %v", sessions)
	}
	return m.run(admin, "dump", "-url", m.url())
}

func has(t *testing.T, dump string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if !strings.Contains(dump, `"messageId":"`+id+`"`) {
			t.Errorf("%s is not there:\n%s", id, dump)
		}
	}
}

// TestABackupAloneBringsASojournWithItsOwnKeysBack restores it on an empty machine, which takes calls with the old keys.
func TestABackupAloneBringsASojournWithItsOwnKeysBack(t *testing.T) {
	lost := newMachine(t, true)
	lost.startAll()
	keys := lost.firstKeys()
	if len(keys) != 3 {
		t.Fatalf("keys %v", keys)
	}
	lost.works(keys["write_key"], keys["query_token"], keys["admin_token"], "before")
	running, stopped := t.TempDir(), t.TempDir()
	lost.backUp(keys["admin_token"], running)
	lost.stopAll()
	lost.backUpStopped(stopped)
	for name, from := range map[string]string{"running": running, "stopped": stopped} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, true)
			if said := m.restore(from); !strings.Contains(said, "keys are valid as they were") {
				t.Errorf("restore said %s", said)
			}
			m.startAll()
			has(t, m.works(keys["write_key"], keys["query_token"], keys["admin_token"], "after"), "before", "after")
			if a := send(t, m, "/v1/track", "another-key-than-those", keptTrack("x")); a.status != http.StatusUnauthorized {
				t.Errorf("another key: %d %s", a.status, a.body)
			}
			m.stopAll()
		})
	}
}

// keep puts the workspaces file of a machine beside its data, and the secret that it names beside that.
func (m *machine) keep(text string) {
	m.t.Helper()
	m.workspaces = filepath.Join(m.root, "etc", "who.yaml")
	m.writeSecret()
	if err := os.WriteFile(m.workspaces, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) writeSecret() {
	m.t.Helper()
	path := filepath.Join(m.root, "etc", "secrets", "segment")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(fileSecret+"\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// TestABackupAloneBringsBackADeploymentWhoseWorkspacesFileIsElsewhere does so with one process, and with four that have a directory each.
// The backup has no plain key, and names the file with a secret that it does not have.
func TestABackupAloneBringsBackADeploymentWhoseWorkspacesFileIsElsewhere(t *testing.T) {
	for name, alone := range map[string]bool{"standalone": true, "four processes": false} {
		t.Run(name, func(t *testing.T) {
			lost := newMachine(t, alone)
			lost.keep(keptWorkspaces)
			lost.startAll()
			lost.works(keptKey, keptToken, keptAdmin, "before")
			backups := []string{t.TempDir()}
			lost.backUp(keptAdmin, backups[0])
			lost.stopAll()
			if alone {
				backups = append(backups, t.TempDir())
				lost.backUpStopped(backups[1])
			}
			for _, from := range backups {
				holdsNoKey(t, from)
				m := newMachine(t, alone)
				m.workspaces = filepath.Join(m.root, "etc", "who.yaml")
				said := m.restore(from)
				if secret := filepath.Join(m.root, "etc", "secrets", "segment"); !strings.Contains(said, "names "+secret+", which is in no backup") {
					t.Errorf("the file of a secret is not named: %s", said)
				}
				if out, code := m.checks(); code == 0 || !strings.Contains(out, "shared_secrets[0]: the file cannot be read") {
					t.Errorf("without it the configuration is good: exit code %d: %s", code, out)
				}
				m.writeSecret()
				m.startAll()
				for key, secret := range map[string]string{keptKey + "-inline": inlineSecret, keptKey + "-file": fileSecret} {
					if status := m.signedCall(key, secret, key); status != http.StatusOK {
						t.Errorf("signed with %s: %d", secret, status)
					}
					if status := m.signedCall(key, "another-secret-0000", "x"); status != http.StatusForbidden {
						t.Errorf("signed with another: %d", status)
					}
				}
				has(t, m.works(keptKey, keptToken, keptAdmin, "after"), "before", "after", keptKey+"-inline", keptKey+"-file")
				m.stopAll()
			}
		})
	}
}

// checks has the configuration checked.
func (m *machine) checks() (string, int) {
	name, args := "gatewayd", []string{"-check", "-workspaces", m.workspaces}
	if m.alone {
		name, args = "sojourn", append(args, "-data", m.data(""))
	} else {
		args = append(args, "-identity", "127.0.0.1:1", "-events", "127.0.0.1:1", "-sessions", "127.0.0.1:1")
	}
	cmd := exec.Command(filepath.Join(binaries, name), args...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// holdsNoKey looks for keys in everything that a backup holds as it is.
func holdsNoKey(t *testing.T, dir string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
	if len(files) < 5 {
		t.Fatalf("the backup has %q", files)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{keptKey, keptToken, keptAdmin, fileSecret} {
			if strings.Contains(string(text), key) {
				t.Errorf("%s holds %s", path, key)
			}
		}
	}
}

// TestTheDirectoryOfOneDaemonIsDumpedAndVerifiedWithoutAWorkspacesFile also puts the three dumps together.
func TestTheDirectoryOfOneDaemonIsDumpedAndVerifiedWithoutAWorkspacesFile(t *testing.T) {
	m := newMachine(t, false)
	m.keep(keptWorkspaces)
	m.startAll()
	for _, call := range []string{
		keptTrack("m1"), `{"type":"identify","messageId":"m2","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","traits":{"email":"a@b.c"}}`,
		`{"type":"group","messageId":"m3","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","groupId":"g","traits":{"name":"G","createdAt":"2026-01-01T00:00:00Z","tier":"gold"}}`,
	} {
		if a := send(t, m, "/v1/batch", keptKey, `{"batch":[`+call+`]}`); a.status != http.StatusOK || !strings.Contains(a.body, `"accepted":1`) {
			t.Fatalf("answered %d %s", a.status, a.body)
		}
	}
	whole := m.run(keptAdmin, "dump", "-url", m.url())
	m.stopAll()
	var lines []string
	for daemon, kinds := range map[string][]string{
		"identityd": {"user", "account", "outcome"}, "eventsd": {"event"}, "sessionsd": {"session"},
	} {
		stdout, stderr := m.dumpOf(daemon)
		others := slices.DeleteFunc([]string{"identity", "events", "sessions"}, func(name string) bool { return name+"d" == daemon })
		if want := "has no data of " + strings.Join(others, " and "); !strings.Contains(stderr, want) || !strings.Contains(stderr, "no settings count") {
			t.Errorf("%s: it says %s, want %q", daemon, stderr, want)
		}
		for _, kind := range kinds {
			if !strings.Contains(stdout, `{"kind":"`+kind+`"`) {
				t.Errorf("%s: no %s in %s", daemon, kind, stdout)
			}
		}
		with, stderr := m.dumpOf(daemon, "-workspaces", m.workspaces)
		if strings.Contains(stderr, "no settings count") {
			t.Errorf("%s: with settings it says %s", daemon, stderr)
		}
		if unset := strings.Contains(stdout, "tier_unknown"); unset != (daemon == "identityd") || strings.Contains(with, "tier_unknown") {
			t.Errorf("%s: without settings %s, with them %s", daemon, stdout, with)
		}
		lines = slices.AppendSeq(lines, strings.Lines(with))
		if verdict := m.run("", "verify", "-data", m.data(daemon)); strings.Count(verdict, ": sound\n") != 1 || strings.Count(verdict, ": not here\n") != 2 {
			t.Errorf("%s: verify says %s", daemon, verdict)
		}
	}
	want := slices.Collect(strings.Lines(whole))
	slices.Sort(want)
	slices.Sort(lines)
	if !slices.Equal(lines, want) {
		t.Errorf("together they are\n%q\nwant\n%q", lines, want)
	}
	if out, code := runSojourn("", "verify", "-data", m.root); code != 1 || !strings.Contains(out, "no data") {
		t.Errorf("of no data at all verify says %d: %s", code, out)
	}
}

func (m *machine) dumpOf(daemon string, more ...string) (stdout, stderr string) {
	m.t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "sojourn"), append([]string{"dump", "-data", m.data(daemon)}, more...)...)
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		m.t.Errorf("%s: %v: %s", daemon, err, &errors)
	}
	return string(out), errors.String()
}

// TestEveryProgramRefusesADirectoryWhoseRestoreHasNotFinished looks at each that opens data, and at what it leaves.
func TestEveryProgramRefusesADirectoryWhoseRestoreHasNotFinished(t *testing.T) {
	dir := newDir(t)
	d := startStandalone(t, dir)
	send(t, d, "/v1/track", writeKey, keptTrack("m"))
	d.stop()
	mark := filepath.Join(dir, "restoring.json")
	if err := os.WriteFile(mark, []byte(`{"from":"/backups/20261201T000000Z","placing":true,"files":["identity.db","events.db","sessions.db"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := []string{"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}
	for _, args := range [][]string{
		append([]string{"sojourn", "-data", dir}, listen...),
		{"sojourn", "-check", "-data", dir},
		append([]string{"identityd", "-data", dir}, listen...), append([]string{"eventsd", "-data", dir}, listen...),
		append([]string{"sessionsd", "-data", dir}, listen...),
		{"sojourn", "verify", "-data", dir},
		{"sojourn", "dump", "-data", dir},
		{"sojourn", "compact", "-data", dir},
		{"sojourn", "backup", "-data", dir, "-out", t.TempDir()},
		{"sojourn", "export", "users", "-data", dir},
		{"sojourn", "rebuild", "-data", dir},
		{"sojourn", "restore", "-data", dir, "-only", "events", "-force", "-from", "testdata/formats/3"},
	} {
		cmd := exec.Command(filepath.Join(binaries, args[0]), args[1:]...)
		out, _ := cmd.CombinedOutput()
		for _, want := range []string{"a restore has not finished", "identity.db, events.db, sessions.db in " + dir, "run it again"} {
			if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), want) {
				t.Errorf("%v: exit code %d: %s, want %q", args, code, out, want)
			}
		}
	}
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}
	has(t, dump(t, "-data", dir), "m")
}

// TestAStartOnDataWithoutItsWorkspacesFileIsRefused also has the commands that need settings say so.
func TestAStartOnDataWithoutItsWorkspacesFileIsRefused(t *testing.T) {
	dir := newDir(t)
	d := startStandalone(t, dir)
	send(t, d, "/v1/track", writeKey, keptTrack("m"))
	d.stop()
	if err := os.Remove(filepath.Join(dir, "workspaces.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-data", dir, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}, {"-check", "-data", dir},
	} {
		out, code := runSojourn("", args...)
		for _, want := range []string{"there is data, but no workspaces file", "sojourn restore -only workspaces", "-workspaces"} {
			if code != 1 || !strings.Contains(out, want) {
				t.Errorf("%v: exit code %d: %s, want %q", args, code, out, want)
			}
		}
	}
	for _, name := range []string{"workspaces.yaml", "first-keys.yaml"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
	for _, args := range [][]string{{"rebuild", "-data", dir}, {"export", "users", "-data", dir}} {
		if out, code := runSojourn("", args...); code != 1 || !strings.Contains(out, "workspaces.yaml") {
			t.Errorf("%v: exit code %d: %s", args, code, out)
		}
	}
	out := t.TempDir()
	if said, code := runSojourn("", "backup", "-data", dir, "-out", out); code != 0 || !strings.Contains(said, "the backup is without keys") {
		t.Errorf("a backup: exit code %d: %s", code, said)
	}
	m := newMachine(t, true)
	if said := m.restore(out); !strings.Contains(said, "is not in the backup, so keys are not either") {
		t.Errorf("restore says %s", said)
	}
}
