package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/load/internal/limits"
	"github.com/sojournhq/sojourn/tests/load/internal/measure"
)

// send runs `load send` against a server and returns what it printed.
func send(t *testing.T, handler http.Handler, args ...string) (m measure.Measurement, progress string, err error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), append([]string{
		"send", "-address", strings.TrimPrefix(server.URL, "http://"), "-calls", "500", "-warmup", "0s", "-connections", "3",
		"-pid", strconv.Itoa(os.Getpid()),
	}, args...), &stdout, &stderr)
	if problem := json.Unmarshal(stdout.Bytes(), &m); problem != nil {
		t.Fatalf("%v in %s", problem, &stdout)
	}
	return m, stderr.String(), err
}

func TestSendPrintsWhatItMeasuredAsJSON(t *testing.T) {
	for _, kind := range []string{limits.JSON, limits.Discard} {
		handler, err := limits.Handler(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, batch := range []string{"0", "100"} {
			m, _, err := send(t, handler, "-batch", batch, "-data", t.TempDir())
			if err != nil {
				t.Fatalf("%s, batch %s: %v", kind, batch, err)
			}
			if m.Calls != 500 || m.Failed != 0 || m.PerSecond <= 0 || m.Latency.P50 <= 0 || m.Server.RSSBytes == 0 || m.Next != 500 {
				t.Errorf("%s, batch %s: %+v", kind, batch, m)
			}
		}
	}
}

func TestSendFailsUnlessEverythingIsAnsweredWith200(t *testing.T) {
	n := 0
	m, _, err := send(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 100 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte("why"))
	}), "-connections", "1")
	if err == nil || !strings.Contains(err.Error(), "1 calls were not answered 200") || !strings.Contains(err.Error(), "500: why") {
		t.Errorf("error: %v", err)
	}
	if m.Failed != 1 || m.Calls != 499 {
		t.Errorf("%+v", m)
	}
}

func TestALimitThatReadsCallsRefusesWhatIsNone(t *testing.T) {
	handler, err := limits.Handler(limits.JSON)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{``, `{}`, `{"batch":[]}`, `{"messageId":`} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/track", strings.NewReader(body)))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%q is answered %d", body, w.Code)
		}
	}
	if _, err := limits.Handler("nothing"); err == nil {
		t.Error("there is a limit called nothing")
	}
}
