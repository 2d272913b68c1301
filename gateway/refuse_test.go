package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway"
)

func TestAGatewayThatRefusesCallsIsReadyAnswersQueriesAndSays503WithRetryAfter(t *testing.T) {
	g, b := openWith(t, gateway.Config{RefuseCalls: true})
	s := serve(t, g)
	if err := g.Ready(t.Context()); err != nil {
		t.Errorf("not ready, so that senders would find nobody: %v", err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/track", strings.NewReader(trackCall))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(writeKey, "")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("a call is answered %s, headers %v", response.Status, response.Header)
	}
	if n := len(b.Identity.Calls()); n != 0 {
		t.Errorf("%d calls reached identity", n)
	}
	if status, _ := s.post(t, "no key of anybody", trackCall); status != http.StatusUnauthorized {
		t.Errorf("an unknown key: %d", status)
	}
}
