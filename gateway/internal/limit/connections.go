package limit

import (
	"container/list"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// Connections bounds how many connections are open, and shares them among network addresses like every pool. When there is no place for a
// new one, that which has been idle longest gives way; when none is idle, the new one is closed at once.
type Connections struct {
	places *pool[string]
	refuse func(workspace, reason string)

	mu   sync.Mutex
	idle *list.List // of *connection: without a request, longest first
}

func newConnections(n int, refuse func(workspace, reason string)) *Connections {
	return &Connections{places: newPool[string](int64(n), 0), refuse: refuse, idle: list.New()}
}

// Limit returns a listener that accepts the connections of l that there are places for. Set State as the server's ConnState.
func (c *Connections) Limit(l net.Listener) net.Listener { return listener{l, c} }

type listener struct {
	net.Listener

	connections *Connections
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		address := network(conn.RemoteAddr().String())
		if l.connections.enter(address) {
			return &connection{Conn: conn, of: l.connections, address: address}, nil
		}
		l.connections.refuse("", "connections")
		_ = conn.Close()
	}
}

func (c *Connections) enter(address string) bool {
	for {
		// No deadline is needed, for this pool has no line.
		err := c.places.take(context.Background(), address, 1)
		if err == nil {
			return true
		}
		// Whoever is beyond its share gives up an idle one of its own.
		if !c.evict(address, errors.Is(err, errFull)) {
			return false
		}
	}
}

// evict closes the connection that has been idle longest, of that address or of any.
func (c *Connections) evict(address string, anyAddress bool) bool {
	c.mu.Lock()
	var found *connection
	for e := c.idle.Front(); e != nil && found == nil; e = e.Next() {
		if conn := e.Value.(*connection); anyAddress || conn.address == address {
			found = conn
			c.idle.Remove(e)
			conn.place = nil
		}
	}
	c.mu.Unlock()
	if found == nil {
		return false
	}
	_ = found.Close() // its server notices
	return true
}

// State notes which connections are idle. It is a http.Server's ConnState.
func (c *Connections) State(of net.Conn, state http.ConnState) {
	if secure, ok := of.(interface{ NetConn() net.Conn }); ok {
		of = secure.NetConn()
	}
	conn, ok := of.(*connection)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.place != nil {
		c.idle.Remove(conn.place)
		conn.place = nil
	}
	if state == http.StateNew || state == http.StateIdle {
		conn.place = c.idle.PushBack(conn)
	}
}

func (c *Connections) open() int64 {
	var n int64
	c.places.each(func(_ string, held int64) { n += held })
	return n
}

// connection is one that has a place.
type connection struct {
	net.Conn

	of      *Connections
	address string
	place   *list.Element // among the idle ones
	closed  sync.Once
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.closed.Do(func() { c.of.places.put(c.address, 1) })
	return c.Conn.Close()
}

// CloseWrite tells the client that nothing follows, where the connection can: the server does this before it closes, so that its last
// answer is not lost.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
