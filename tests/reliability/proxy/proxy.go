// Package proxy stands between two programs that speak TCP, and does to what passes what a bad network does. It needs no privileges.
package proxy

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Fault is what the network does.
type Fault int

const (
	// None lets everything pass.
	None Fault = iota
	// Partitioned lets nothing pass and says nothing. What was sent meanwhile passes when it is over, as TCP has it.
	Partitioned
	// Slowed lets every piece pass late.
	Slowed
	// Resetting resets connections, at once or after some pieces.
	Resetting
)

const (
	lateBy  = 150 * time.Millisecond
	oneIn   = 3 // pieces that reset their connection
	pieces  = 4 << 10
	dialing = 2 * time.Second
)

// Proxy passes connections on to a target.
type Proxy struct {
	target   string
	listener net.Listener

	mutex   sync.Mutex
	fault   Fault
	changed chan struct{} // closed when fault changes
	open    map[net.Conn]bool
	closed  bool
	resets  int
	group   sync.WaitGroup
}

// New returns a proxy to target that listens on a loopback port of its own. The caller closes it.
func New(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", target, err)
	}
	p := &Proxy{target: target, listener: listener, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	p.group.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Set begins a fault, or with None ends it.
func (p *Proxy) Set(f Fault) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.fault = f
	close(p.changed)
	p.changed = make(chan struct{})
}

// Resets is how many connections the fault Resetting has reset so far.
func (p *Proxy) Resets() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.resets
}

// Close ends all connections, and returns once nothing of the proxy runs.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mutex.Lock()
	p.closed = true
	for conn := range p.open {
		_ = conn.Close()
	}
	p.mutex.Unlock()
	p.Set(None)
	p.group.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.group.Go(func() { p.connect(from) })
	}
}

// connect passes a connection on. Neither end outlives the other.
func (p *Proxy) connect(from net.Conn) {
	p.wait()
	to, err := net.DialTimeout("tcp", p.target, dialing)
	if err != nil {
		reset(from) // nobody listens there
		return
	}
	if !p.note(from, to) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(from, to) })
	both.Go(func() { p.pass(to, from) })
	both.Wait()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.open, from)
	delete(p.open, to)
}

// note remembers the ends of a connection, unless the proxy is closed: then it closes them.
func (p *Proxy) note(ends ...net.Conn) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, end := range ends {
		if p.closed {
			_ = end.Close()
		}
		p.open[end] = true
	}
	return !p.closed
}

func (p *Proxy) pass(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buffer := make([]byte, pieces)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		switch f := p.wait(); {
		case f == Slowed:
			time.Sleep(lateBy)
		case f == Resetting && rand.N(oneIn) == 0:
			reset(from)
			reset(to)
			p.mutex.Lock()
			p.resets++
			p.mutex.Unlock()
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// wait waits while nothing passes, and returns the fault that there is then.
func (p *Proxy) wait() Fault {
	for {
		p.mutex.Lock()
		f, changed := p.fault, p.changed
		p.mutex.Unlock()
		if f != Partitioned {
			return f
		}
		<-changed
	}
}

// reset closes a connection so that the other end sees a reset.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
