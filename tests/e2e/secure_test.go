package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/program"
)

// serviceToken is what gateway and services share.
const serviceToken = "service-token-canary-0123"

// secure is four processes over TLS: the gateway shows services a certificate and a token, and asks senders for none.
type secure struct {
	*cluster

	authority *authority
	http      *http.Client
	token     string // its file
}

func startSecure(t *testing.T, dir string) *secure {
	t.Helper()
	s := &secure{authority: newAuthority(t), token: filepath.Join(t.TempDir(), "token")}
	s.http = s.authority.client()
	s.writeToken(serviceToken)
	s.cluster = &cluster{t: t, data: dir, running: map[string]*program.Process{}, address: map[string]string{}, more: map[string][]string{}}
	for _, name := range s.processes() {
		s.authority.issue(name)
		s.more[name] = []string{
			"-tls-cert", s.authority.file(name + ".pem"), "-tls-key", s.authority.file(name + ".key"), "-admin-tls",
			"-service-token-file", s.token, "-log-level", "debug",
		}
		if name == "gatewayd" {
			s.authority.issue("to-services")
			s.more[name] = append(s.more[name], "-backend-tls-ca", s.authority.file("ca.pem"),
				"-backend-tls-cert", s.authority.file("to-services.pem"), "-backend-tls-key", s.authority.file("to-services.key"))
		} else {
			s.more[name] = append(s.more[name], "-tls-client-ca", s.authority.file("ca.pem"))
		}
		s.address[name] = "127.0.0.1:0"
		s.start(name)
	}
	return s
}

func (s *secure) writeToken(lines ...string) {
	if err := os.WriteFile(s.token, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		panic(err)
	}
}

func (s *secure) url() string { return "https://" + s.address["gatewayd"] }
func (s *secure) admin(name string) string {
	return "https://" + strings.TrimPrefix(s.cluster.admin(name), "http://")
}

// do sends a request with an authorization, and returns status and body.
func (s *secure) do(method, url, authorization, body string) (int, string, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	if user, ok := strings.CutPrefix(authorization, "Basic "); ok {
		request.SetBasicAuth(user, "")
	} else if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// track sends a call and returns the status of its answer.
func (s *secure) track(key, messageID string) int {
	s.t.Helper()
	status, _, err := s.do(http.MethodPost, s.url()+"/v1/track", "Basic "+key, `{"messageId":"`+messageID+
		`","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"user-canary","groupId":"g","event":"E","properties":{"module":"M"}}`)
	if err != nil {
		s.t.Error(err)
	}
	return status
}

func TestOverMutualTLSWithATokenEverythingWorksAsWithout(t *testing.T) {
	s := startSecure(t, newDir(t))
	if got := s.track(writeKey, "m1"); got != http.StatusOK {
		t.Fatalf("a call is answered %d", got)
	}
	status, body, err := s.do(http.MethodPost, s.url()+"/sojourn.sessions.v1.QueryService/ListSessions", "Bearer "+queryToken, "{}")
	if err != nil || status != http.StatusOK || !strings.Contains(body, "user-canary") {
		t.Errorf("a question is answered %d %s, %v", status, body, err)
	}
	for _, name := range s.processes() {
		if status, body, err := s.do(http.MethodGet, s.admin(name)+"/readyz", "", ""); err != nil || status != http.StatusOK {
			t.Errorf("%s: ready %d %s, %v", name, status, body, err)
		}
	}
	cmd := exec.Command(filepath.Join(binaries, "sojourn"), "dump", "-url", s.url(), "-ca", s.authority.file("ca.pem"))
	cmd.Env = append(os.Environ(), "SOJOURN_ADMIN_TOKEN="+adminToken)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "user-canary") {
		t.Errorf("dump: %v: %s", err, out)
	}
	// Nobody else reaches a service.
	if _, _, err := s.do(http.MethodGet, "https://"+s.address["identityd"], "", ""); err == nil {
		t.Error("a service answers without a certificate")
	}
	s.stop()
}

func TestCertificatesAndTokensChangeWhileEverythingRuns(t *testing.T) {
	s := startSecure(t, newDir(t))
	sent := 0
	send := func() int { sent++; return s.track(writeKey, fmt.Sprint("m", sent)) }
	if got := send(); got != http.StatusOK {
		t.Fatalf("before: %d", got)
	}
	old := s.shown()
	s.authority.issue("gatewayd")
	healthy := func() {
		if got := send(); got != http.StatusOK {
			t.Errorf("meanwhile a call is answered %d", got)
		}
	}
	eventually(t, "the new certificate", func() bool { healthy(); return !bytes.Equal(s.shown(), old) })
	const newToken = "another-service-token-456"
	for step, lines := range [][]string{{serviceToken, newToken}, {newToken, serviceToken}, {newToken}} {
		s.writeToken(lines...)
		eventually(t, "a changed token file", func() bool { healthy(); return s.taken(step + 1) })
	}
	healthy()
	s.stop()
}

// taken says whether every process has taken so many changes of the token file.
func (s *secure) taken(changes int) bool {
	for _, name := range s.processes() {
		if strings.Count(s.running[name].Output(), `"changed files are taken","files":["`+s.token) < changes {
			return false
		}
	}
	return true
}

// shown is the certificate that the gateway shows on a connection.
func (s *secure) shown() []byte {
	s.t.Helper()
	s.http.CloseIdleConnections()
	response, err := s.http.Get(s.url() + "/")
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.TLS.PeerCertificates[0].Raw
}

func TestAGatewayWithAnotherTokenIsNotReadyAndItsSendersTryAgain(t *testing.T) {
	s := startSecure(t, newDir(t))
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("not-the-token-of-services"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.running["gatewayd"].Stop()
	s.more["gatewayd"] = append(s.more["gatewayd"], "-service-token-file", other)
	s.start("gatewayd")
	if got := s.track(writeKey, "m"); got != http.StatusServiceUnavailable {
		t.Errorf("a call is answered %d", got)
	}
	status, body, err := s.do(http.MethodGet, s.admin("gatewayd")+"/readyz", "", "")
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(body, "refuses this process's token") {
		t.Errorf("ready: %d %s, %v", status, body, err)
	}
	if out := s.running["gatewayd"].Output(); !strings.Contains(out, "refuses this process's token") {
		t.Errorf("the log does not say it: %s", out)
	}
}

func TestAWriteKeyIsRotatedWithoutAnyCallRefused(t *testing.T) {
	const newKey = "write-key-that-comes-new"
	hash := sha256.Sum256([]byte(newKey))
	hashed := "sha256:" + hex.EncodeToString(hash[:])
	onBoth(t, func(t *testing.T, d deployment) {
		write := func(keys string) {
			text := strings.Replace(workspacesYAML, "["+writeKey+"]", "["+keys+"]", 1)
			if err := os.WriteFile(filepath.Join(d.dir(), "workspaces.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		status := func(key string) int {
			n++
			return send(t, d, "/v1/track", key, fmt.Sprintf(`{"messageId":"m%d","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","event":"E"}`, n)).status
		}
		healthy := func(key string) {
			t.Helper()
			if got := status(key); got != http.StatusOK {
				t.Errorf("the healthy key is answered %d", got)
			}
		}
		healthy(writeKey)
		write(writeKey + ", '" + hashed + "'")
		eventually(t, "the new key", func() bool { healthy(writeKey); return status(newKey) == http.StatusOK })
		healthy(writeKey)
		write("'" + hashed + "'")
		eventually(t, "the end of the old key", func() bool { healthy(newKey); return status(writeKey) == http.StatusUnauthorized })
		if got := status(hashed); got != http.StatusUnauthorized {
			t.Errorf("the hash itself is answered %d", got)
		}
		healthy(newKey)
	})
}

func TestNoSecretIsInLogsMetricsAnswersOrArguments(t *testing.T) {
	s := startSecure(t, newDir(t))
	secrets := []string{writeKey, laxKey, queryToken, adminToken, otherToken, serviceToken, "unknown-canary", "user-canary", "trait-canary", "event-canary"}
	call := func(more string) string {
		return `{"type":"identify","messageId":"m","timestamp":"2026-11-02T09:00:00Z","anonymousId":"anon","userId":"user-canary",` +
			`"event":"event-canary","traits":{"email":"trait-canary@example.com"}` + more + `}`
	}
	var said bytes.Buffer
	for _, path := range []string{"/v1/track", "/v1/identify", "/v1/segment", "/v1/batch", "/v1/nothing", "/v1/segment/" + writeKey, "/v1/projects/" + writeKey + "/settings", "/v1/segment/unknown-canary"} {
		for _, authorization := range []string{"", "Basic " + writeKey, "Basic " + queryToken, "Basic unknown-canary", "Bearer " + adminToken, "Basic " + adminToken} {
			for _, body := range []string{
				call(""), call(`,"writeKey":"` + writeKey + `"`), call(`,"writeKey":"unknown-canary"`), call(`,"userId":"user-canary"`), call(`,"timestamp":"trait-canary"`),
				call("")[:60], `{"batch":[` + call("") + `,{"userId":"user-canary","type":"event-canary"}]}`, "[" + call("") + "]", `{"writeKey":"` + writeKey + `","trait-canary`,
				`{"traits":{"trait-canary":` + strings.Repeat("[", 10000),
			} {
				status, text, err := s.do(http.MethodPost, s.url()+path, authorization, body)
				if err != nil {
					t.Fatal(err)
				}
				if status >= 500 && status != http.StatusNotImplemented {
					t.Errorf("%s is answered %d %s", path, status, text)
				}
				said.WriteString(text)
			}
		}
	}
	for _, method := range []string{
		"identity.v1.QueryService/GetUser", "events.v1.QueryService/QueryUsage", "sessions.v1.QueryService/ListSessions", "admin.v1.AdminService/DeleteUser",
		"report.v1.ReportService/GetAccountUsage",
	} {
		for _, token := range []string{"", writeKey, queryToken, otherToken, "unknown-canary"} {
			for _, question := range []string{`{"workspace":"default","pageToken":"trait-canary"}`, `{"trait-canary":1}`, `{"userId":"user-canary`, `{"pageSize":-1}`} {
				status, text, err := s.do(http.MethodPost, s.url()+"/sojourn."+method, "Bearer "+token, question)
				if err != nil {
					t.Fatal(err)
				}
				if status != http.StatusOK { // who may read, is shown users
					said.WriteString(text)
				}
			}
		}
	}
	for _, name := range s.processes() {
		_, metrics, err := s.do(http.MethodGet, s.admin(name)+"/metrics", "", "")
		if err != nil {
			t.Fatal(err)
		}
		arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.running[name].PID()))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // only Linux has it
			t.Fatal(err)
		}
		out := s.running[name].Output()
		if !strings.Contains(out, `"level":"DEBUG"`) {
			t.Errorf("%s logs nothing at debug level", name)
		}
		for what, text := range map[string]string{"log": out, "metrics": metrics, "arguments": string(arguments)} {
			for _, secret := range secrets {
				if i := strings.Index(text, secret); i >= 0 {
					t.Errorf("%s: %s of %s: %.300s", secret, what, name, text[max(0, i-150):])
				}
			}
		}
	}
	for _, secret := range secrets {
		if i := strings.Index(said.String(), secret); i >= 0 {
			t.Errorf("%s: an answer: %.300s", secret, said.String()[max(0, i-150):])
		}
	}
}
