package limit_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

func TestWhatIsPromisedTakesLittleMemoryUntilItComesAndThenNoMoreThanIsNeeded(t *testing.T) {
	registry := prometheus.NewRegistry()
	l, err := limit.New(limit.Config{BodyBytes: 1 << 20}, registry)
	if err != nil {
		t.Fatal(err)
	}
	held := func() float64 { return total(t, registry, "sojourn_gateway_body_bytes") }
	for _, c := range []struct{ promised, comes, holds int }{
		{700, 700, 701},
		{700, 0, 701},
		{0, 0, 1},
		{4095, 4095, 4096},
		{4096, 4096, 4097},
		{70_000, 70_000, 70_001},
		{70_000, 100, 4 << 10},
		{70_000, 4 << 10, 32 << 10},
		{1 << 40, 10_000, 32 << 10},
		{5_000, 6_000, 10_002}, // which HTTP does not let happen
	} {
		pass, text := l.Arrive(address), strings.Repeat("x", c.comes)
		body, err := pass.ReadAll(strings.NewReader(text), int64(c.promised))
		if err != nil || string(body) != text || held() != float64(c.holds) {
			t.Errorf("%+v: read %d bytes, holding %v, %v", c, len(body), held(), err)
		}
		pass.Leave()
	}
}

func TestABodyTakesMemoryAsItComesAndGivesItBack(t *testing.T) {
	registry := prometheus.NewRegistry()
	l, err := limit.New(limit.Config{BodyBytes: 100 << 10}, registry)
	if err != nil {
		t.Fatal(err)
	}
	held := func() float64 { return total(t, registry, "sojourn_gateway_body_bytes") }
	from, to := io.Pipe()
	slow, done := l.Arrive(address), make(chan error)
	go func() {
		_, err := slow.ReadAll(from, -1)
		done <- err
	}()
	if _, err := to.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	if got := held(); got != 4<<10 {
		t.Errorf("a body that has begun holds %v bytes", got)
	}
	if err := to.CloseWithError(errors.New("reset")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || err.Error() != "reset" {
		t.Errorf("reading ended with %v", err)
	}
	slow.Leave()
	whole, text := l.Arrive(address), strings.Repeat("0123456789", 2000)
	if body, err := whole.ReadAll(strings.NewReader(text), -1); err != nil || string(body) != text {
		t.Errorf("read %d bytes of %d, %v", len(body), len(text), err)
	}
	if got := held(); got != 32<<10 {
		t.Errorf("20,000 bytes hold %v", got)
	}
	long := l.Arrive(address)
	if r := refused(t, errOf(long.ReadAll(strings.NewReader(strings.Repeat("x", 90<<10)), -1))); r.Overloaded {
		t.Errorf("beyond its share: %+v", r)
	}
	long.Leave()
	other := l.Arrive("198.51.100.1:1")
	if _, err := other.ReadAll(strings.NewReader(text), -1); err != nil {
		t.Errorf("another address: %v", err)
	}
	for _, pass := range []*limit.Pass{whole, other} {
		pass.Leave()
		pass.Leave() // does nothing
	}
}

func errOf(_ []byte, err error) error { return err }

func TestWhatAnUnknownSenderHoldsBecomesItsWorkspaces(t *testing.T) {
	registry := prometheus.NewRegistry()
	l, err := limit.New(limit.Config{Requests: 10, BodyBytes: 100 << 10}, registry)
	if err != nil {
		t.Fatal(err)
	}
	pass := l.Arrive(address)
	if err := pass.EnterUnknown(); err != nil {
		t.Fatal(err)
	}
	if _, err := pass.ReadAll(strings.NewReader("{}"), -1); err != nil {
		t.Fatal(err)
	}
	compare := func(workspace string) {
		t.Helper()
		want := fmt.Sprintf("# HELP sojourn_gateway_requests_under_way Requests for calls that are under way, by workspace (empty: not known yet).\n"+
			"# TYPE sojourn_gateway_requests_under_way gauge\n%s", workspace)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "sojourn_gateway_requests_under_way"); err != nil {
			t.Error(err)
		}
	}
	compare("sojourn_gateway_requests_under_way{workspace=\"\"} 1\n")
	if err := pass.Enter(of("acme")); err != nil {
		t.Fatal(err)
	}
	compare("sojourn_gateway_requests_under_way{workspace=\"\"} 0\nsojourn_gateway_requests_under_way{workspace=\"acme\"} 1\n")
	pass.Leave()
	compare("sojourn_gateway_requests_under_way{workspace=\"\"} 0\n")
}

func TestUnknownSendersShareByNetwork(t *testing.T) {
	l := open(t, limit.Config{Requests: 10})
	enter := func(address string) (n int) {
		for l.Arrive(address).EnterUnknown() == nil {
			n++
		}
		return n
	}
	if got := enter("[2001:db8::1]:1"); got != 8 {
		t.Errorf("the first got %d places of 10", got)
	}
	if got := enter("[2001:db8::ffff:2]:1"); got != 0 {
		t.Errorf("a neighbour in its network got %d", got)
	}
	if got := enter("[2001:db8:1::1]:1"); got != 1 {
		t.Errorf("another got %d of the remaining two", got)
	}
	if got := enter("not an address"); got != 1 {
		t.Errorf("the last got %d", got)
	}
}

func TestAWorkspaceGetsNoMoreByKeysInBodies(t *testing.T) {
	l := open(t, limit.Config{Requests: 100})
	entered := 0
	for i := range 200 {
		pass := l.Arrive(fmt.Sprintf("192.0.2.%d:1", i))
		if pass.EnterUnknown() != nil || pass.Enter(of("acme")) != nil {
			pass.Leave()
			continue
		}
		entered++
	}
	if entered != 80 {
		t.Errorf("%d requests of one workspace entered, want 80 of 100", entered)
	}
	if err := l.Arrive(address).Enter(of("other")); err != nil {
		t.Errorf("another workspace: %v", err)
	}
}
