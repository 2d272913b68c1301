package limit_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

// network is a listener that clients reach from any address.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (n network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.conns:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n network) Close() error   { close(n.closed); return nil }
func (n network) Addr() net.Addr { return from("192.0.2.254:80") }

type from string

func (from) Network() string  { return "tcp" }
func (f from) String() string { return string(f) }

type remote struct {
	net.Conn

	from from
}

func (r remote) RemoteAddr() net.Addr { return r.from }

// client is one connection.
type client struct {
	net.Conn

	answers *bufio.Reader
}

func (n network) dial(address string) client {
	here, there := net.Pipe()
	n.conns <- remote{there, from(address)}
	synctest.Wait()
	return client{here, bufio.NewReader(here)}
}

// get sends a request and returns the status of the answer; 0 if the connection is closed.
func (c client) get(path string) int {
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	synctest.Wait()
	return resp.StatusCode
}

func (c client) closed() bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.answers.Peek(1)
	_ = c.SetReadDeadline(time.Time{})
	return errors.Is(err, io.EOF)
}

// serve serves with so many connections; a request for /wait is answered when the test ends.
func serve(t *testing.T, connections int) (network, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	l, err := limit.New(limit.Config{Connections: connections}, registry)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	n := network{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, ConnState: l.Connections().State,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				<-ended
			}
		}),
	}
	served := make(chan error)
	go func() { served <- server.Serve(l.Connections().Limit(n)) }()
	t.Cleanup(func() {
		close(ended)
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return n, registry
}

func TestTheConnectionThatHasBeenIdleLongestGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := serve(t, 3)
		var clients []client
		for i := range 3 {
			clients = append(clients, n.dial(fmt.Sprintf("192.0.2.%d:1", i)))
			time.Sleep(time.Second)
		}
		if got := clients[0].get("/"); got != 200 { // now the second has been idle longest
			t.Fatalf("answered %d", got)
		}
		fourth := n.dial("192.0.2.4:1")
		if got := fourth.get("/"); got != 200 {
			t.Errorf("the fourth was answered %d", got)
		}
		if !clients[1].closed() || clients[0].closed() || clients[2].closed() {
			t.Error("it was not the second that gave way")
		}
	})
}

func TestAConnectionWithARequestUnderWayStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, registry := serve(t, 2)
		for i := range 2 {
			conn := n.dial(fmt.Sprintf("192.0.2.%d:1", i))
			if _, err := io.WriteString(conn, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if !n.dial("192.0.2.9:1").closed() {
			t.Error("a third was let in")
		}
		if got := total(t, registry, "sojourn_gateway_connections"); got != 2 {
			t.Errorf("%v are open", got)
		}
		if got := total(t, registry, "sojourn_gateway_refused_total"); got != 1 {
			t.Errorf("%v were refused", got)
		}
	})
}

func TestAnAddressCannotTakeAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := serve(t, 10)
		open := 0
		for range 100 {
			conn := n.dial("192.0.2.1:1")
			if _, err := io.WriteString(conn, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"); err == nil && !conn.closed() {
				open++
			}
		}
		if open != 8 {
			t.Errorf("one address has %d connections of 10", open)
		}
		if got := n.dial("192.0.2.2:1").get("/"); got != 200 {
			t.Errorf("another was answered %d", got)
		}
	})
}

func TestAConnectionWhoseHeadersDoNotEndGivesWayToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := serve(t, 3)
		for i := range 50 {
			if _, err := io.WriteString(n.dial(fmt.Sprintf("192.0.2.%d:1", i)), "GET / HTTP/1.1\r\nX: "); err != nil {
				t.Fatal(err)
			}
		}
		if got := n.dial("198.51.100.1:1").get("/"); got != 200 {
			t.Errorf("answered %d", got)
		}
	})
}

func TestAnAddressBeyondItsShareGivesUpItsOwnIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := serve(t, 5)
		other := n.dial("192.0.2.2:1")
		if got := other.get("/"); got != 200 {
			t.Fatalf("answered %d", got)
		}
		for range 20 {
			if got := n.dial("192.0.2.1:1").get("/"); got != 200 {
				t.Fatalf("answered %d", got)
			}
		}
		if other.closed() {
			t.Error("the other one's connection was closed")
		}
	})
}

func TestTheFlagsAreCheckedAllAtOnce(t *testing.T) {
	c := limit.Config{Connections: -1, Requests: 1, WorkBytes: 1}
	err := c.Check()
	if err == nil || !strings.Contains(err.Error(), "-max-connections") || !strings.Contains(err.Error(), "-max-body-memory") ||
		strings.Contains(err.Error(), "-max-requests") {
		t.Errorf("got %v", err)
	}
}
