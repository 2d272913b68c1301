package daemon_test

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/kit/admin"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

func TestTheHealthcheckCommandExitsByWhatTheProcessSays(t *testing.T) {
	var why error
	handler := admin.Handler(prometheus.NewRegistry(), func() error { return why })
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	at := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	check := func(defaultAdmin string, args ...string) (int, string) {
		t.Helper()
		var stderr bytes.Buffer
		code, asked := daemon.RunHealthcheck(t.Context(), "eventsd", defaultAdmin, append([]string{"healthcheck"}, args...), &stderr)
		if !asked {
			t.Error("the command was not taken for one")
		}
		return code, stderr.String()
	}
	expect := func(what string, want int, says string, defaultAdmin string, args ...string) {
		t.Helper()
		if code, text := check(defaultAdmin, args...); code != want || !strings.Contains(text, says) {
			t.Errorf("%s: exit code %d, want %d; printed %q", what, code, want, text)
		}
	}
	expect("at the default", 0, "", at(plain))
	expect("at an address", 0, "", "127.0.0.1:1", "-admin", at(plain))
	expect("over TLS", 0, "", "127.0.0.1:1", "-admin", at(secure), "-tls")
	expect("a wrong flag", 2, "eventsd: ", at(plain), "-wrong")
	expect("an argument too many", 2, "unexpected argument", at(plain), "more")
	why = errors.New("stopping")
	expect("not ready", 1, "eventsd: not ready: 503 Service Unavailable: stopping\n", at(plain))
	why = nil
	t.Setenv("SOJOURN_ADMIN_LISTEN", at(secure))
	t.Setenv("SOJOURN_ADMIN_TLS", "true")
	expect("as the environment tells the process", 0, "", "127.0.0.1:1")
}

func TestWhatIsNoHealthcheckIsLeftToTheProgram(t *testing.T) {
	for _, args := range [][]string{nil, {"-listen", "x"}, {"-healthcheck"}} {
		if _, asked := daemon.RunHealthcheck(t.Context(), "eventsd", ":1", args, &bytes.Buffer{}); asked {
			t.Errorf("%q was taken for a healthcheck", args)
		}
	}
}
