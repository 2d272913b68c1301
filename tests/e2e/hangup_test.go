package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestACallCountsEverywhereWhoseSenderHangsUp sends calls as a browser does whose page goes: it breaks off before the answer.
func TestACallCountsEverywhereWhoseSenderHangsUp(t *testing.T) {
	const calls = 100
	onBoth(t, func(t *testing.T, d deployment) {
		for i := range calls {
			sendAndHangUp(t, d, fmt.Sprintf(`{"messageId":"m%d","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","event":"E",`+
				`"writeKey":"%s"}`, i, writeKey))
		}
		eventually(t, "all calls are in the books", func() bool {
			return booksOf(t, d, queryToken) == sums{received: calls, accepted: calls}
		})
		d.stop() // what is under way is finished first
		if n := strings.Count(dumpStopped(t, d), `"kind":"event"`); n != calls {
			t.Errorf("%d uses of %d calls accepted", n, calls)
		}
	})
}

func sendAndHangUp(t *testing.T, d deployment, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.url(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST /v1/t HTTP/1.1\r\nHost: sojourn\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		t.Fatal(err)
	}
}
