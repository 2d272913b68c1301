package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// answer is what the gateway said.
type answer struct {
	status     int
	body       string
	retryAfter string
}

// send posts a body with a write key; without one, no authorization is sent.
func send(t testing.TB, d deployment, path, key, body string) answer {
	t.Helper()
	a, err := trySend(d, path, key, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func trySend(d deployment, path, key, body string) (answer, error) {
	request, err := http.NewRequest(http.MethodPost, d.url()+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.SetBasicAuth(key, "")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{response.StatusCode, strings.TrimSpace(string(text)), response.Header.Get("Retry-After")}, nil
}

// ask asks a question as curl would, and decodes the answer into a value of type T.
func ask[T any](t testing.TB, d deployment, token, method, question string) (answered T) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, d.url()+"/"+method, strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s: %s", method, question, response.Status, text)
	}
	if err := json.Unmarshal(text, &answered); err != nil {
		t.Fatalf("%s: %v in %s", method, err, text)
	}
	return answered
}

// dumpRunning prints the state of a running deployment.
func dumpRunning(t testing.TB, d deployment) string {
	t.Helper()
	return dump(t, "-url", d.url())
}

// dumpStopped prints the state of the data directory of a stopped deployment.
func dumpStopped(t testing.TB, d deployment) string {
	t.Helper()
	return dump(t, "-data", d.dir())
}

func dump(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "sojourn"), append([]string{"dump"}, args...)...)
	cmd.Env = append(os.Environ(), "SOJOURN_ADMIN_TOKEN="+adminToken)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dump %v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}
