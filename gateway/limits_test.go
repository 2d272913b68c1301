package gateway_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// wire is a listener without a network, and so without any room for what is not read.
type wire struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newWire() *wire { return &wire{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (w *wire) Accept() (net.Conn, error) {
	select {
	case conn := <-w.conns:
		return conn, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { w.once.Do(func() { close(w.closed) }); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }

func (w *wire) dial() net.Conn {
	here, there := net.Pipe()
	w.conns <- there
	return here
}

// onWire serves a gateway on a wire while test runs, within synctest.
func onWire(t *testing.T, test func(t *testing.T, w *wire, b *backendtest.Backend)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g, b := open(t)
		w := newWire()
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- g.ServeUntil(ctx, ctx, w) }()
		test(t, w, b)
		stop()
		if err := <-served; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.Sleep(time.Second) // a server lingers over connections that it closes
	})
}

// header is that of a request with a body of so many bytes.
func header(length int) string {
	return "POST /v1/track HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " + base64.StdEncoding.EncodeToString([]byte(writeKey+":")) +
		"\r\nContent-Length: " + fmt.Sprint(length) + "\r\n\r\n"
}

func TestAConnectionWhoseHeaderDoesNotEndIsClosedAfterFiveSeconds(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire, _ *backendtest.Backend) {
		for name, first := range map[string]string{"nothing": "", "a part": "POST /v1/track HTTP/1.1\r\nHost: h\r\nX: "} {
			conn, began := w.dial(), time.Now()
			var sender sync.WaitGroup
			sender.Go(func() {
				_, err := io.WriteString(conn, first)
				for err == nil && first != "" {
					time.Sleep(time.Second)
					_, err = io.WriteString(conn, "x")
				}
			})
			_, _ = io.Copy(io.Discard, conn)
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("%s: closed after %v", name, took)
			}
			_ = conn.Close()
			sender.Wait()
		}
	})
}

func TestABodyThatDripsIsAnsweredAtTheDeadline(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire, b *backendtest.Backend) {
		conn, began := w.dial(), time.Now()
		var sender sync.WaitGroup
		sender.Go(func() {
			_, err := io.WriteString(conn, header(len(trackCall)))
			for i := 0; err == nil && i < len(trackCall); i++ {
				_, err = io.WriteString(conn, trackCall[i:i+1])
				time.Sleep(time.Second)
			}
		})
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || !bytes.Contains(text, []byte("body_incomplete")) || time.Since(began) != 4*time.Second {
			t.Errorf("answered %d %s after %v", resp.StatusCode, text, time.Since(began))
		}
		_ = conn.Close()
		sender.Wait()
		if n := len(b.Identity.Requests()); n != 0 {
			t.Errorf("identity heard of it %d times", n)
		}
	})
}

func TestAClientThatDoesNotReadItsAnswerIsCutOff(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire, b *backendtest.Backend) {
		conn := w.dial()
		if _, err := io.WriteString(conn, header(len(trackCall))+trackCall); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second) // an answer has 10
		if n := len(b.Identity.Requests()); n != 1 {
			t.Errorf("identity heard of it %d times", n)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the connection: %v", err)
		}
	})
}

func TestAHeaderThatIsTooLongIsAnswered431(t *testing.T) {
	onWire(t, func(t *testing.T, w *wire, _ *backendtest.Backend) {
		for _, size := range []int{64 << 10, 10 << 20} {
			conn := w.dial()
			var sender sync.WaitGroup
			sender.Go(func() {
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", size)+"\r\n\r\n")
			})
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%d bytes: %s", size, resp.Status)
			}
			_ = conn.Close()
			sender.Wait()
		}
	})
}

func TestThousandsOfConnectionsThatDoNothingKeepNobodyOut(t *testing.T) {
	g, _ := openWith(t, gateway.Config{Limits: gateway.Limits{Connections: 50}})
	s := serve(t, g)
	var dialer net.Dialer
	var first net.Conn
	for range 1000 {
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "POST /v1/track HTTP/1.1\r\n")
		first = cmp.Or(first, conn)
	}
	_ = first.SetReadDeadline(time.Now().Add(4 * time.Second)) // a header has 5
	if _, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the first connection did not give way: %v", err)
	}
	if status, body := s.post(t, writeKey, trackCall); status != http.StatusOK {
		t.Errorf("answered %d %s", status, body)
	}
}

// rapid is a client that writes HTTP/2 frame by frame.
type rapid struct {
	*http2.Framer

	conn   net.Conn
	header bytes.Buffer
	fields *hpack.Encoder
}

func dialHTTP2(t *testing.T, url string) *rapid {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	r := &rapid{Framer: http2.NewFramer(conn, conn), conn: conn}
	r.fields = hpack.NewEncoder(&r.header)
	if err := r.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return r
}

// open opens a stream with a request for a call.
func (r *rapid) open(id uint32) error {
	r.header.Reset()
	for _, f := range [][2]string{
		{":method", "POST"},
		{":scheme", "http"},
		{":authority", "h"},
		{":path", "/v1/track"},
		{"authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(writeKey+":"))},
	} {
		if err := r.fields.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			return err
		}
	}
	if err := r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: r.header.Bytes(), EndHeaders: true}); err != nil {
		return err
	}
	return r.WriteData(id, true, []byte(trackCall))
}

func TestStreamsThatAreOpenedAndResetByTheThousandsKeepNobodyOut(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	var most, now atomic.Int64
	b.Events.Fail(func(ctx context.Context) error {
		n := now.Add(1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		defer now.Add(-1)
		return nil
	})
	var attack sync.WaitGroup
	var opened atomic.Int64
	for range 4 {
		attack.Go(func() {
			r := dialHTTP2(t, s.url)
			go func() { _, _ = io.Copy(io.Discard, r.conn) }()
			for id := uint32(1); id < 10_000; id += 2 {
				if r.open(id) != nil || r.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
					return // the server has had enough
				}
				opened.Add(1)
			}
		})
	}
	over := make(chan struct{})
	go func() { attack.Wait(); close(over) }()
	for answered := 0; ; answered++ {
		if status, body := s.post(t, otherKey, trackCall); status != http.StatusOK {
			t.Fatalf("a healthy client was answered %d %s", status, body)
		}
		select {
		case <-over:
			if answered > 20 {
				t.Logf("%d streams were opened and reset, at most %d were with a service at once, %d healthy requests were answered",
					opened.Load(), most.Load(), answered)
				if most.Load() > 4*250 {
					t.Errorf("%d streams were with a service at once", most.Load())
				}
				return
			}
		default:
		}
	}
}

func TestAConnectionHasNoMoreStreamsThanItIsTold(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	arrived, end := make(chan struct{}, 1000), make(chan struct{})
	b.Identity.Fail(func(context.Context) error { arrived <- struct{}{}; <-end; return nil })
	defer close(end)
	r := dialHTTP2(t, s.url)
	_ = r.conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // only a server that breaks its word needs it
	for id := uint32(1); id < 2*300; id += 2 {
		if err := r.open(id); err != nil {
			t.Fatal(err)
		}
	}
	told, refused := uint32(0), 0
	for refused < 50 {
		frame, err := r.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if v, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
				told = v
			}
		case *http2.RSTStreamFrame:
			refused++
		}
	}
	late := time.After(20 * time.Second)
	for len(b.Identity.Calls()) < 250 { // one by each stream; they travel together
		select {
		case <-arrived:
		case <-late:
			t.Fatal("fewer than 250 streams arrived")
		}
	}
	if n := len(b.Identity.Calls()); told != 250 || n > 250 {
		t.Errorf("told %d streams, and %d arrived", told, n)
	}
}

func TestTheLimitsOfOneGatewayLeaveRoomForItsLargestBatch(t *testing.T) {
	_, err := gateway.Open(t.Context(), gateway.Config{Workspaces: workspaces(), Limits: gateway.Limits{BodyBytes: 1 << 20}},
		gateway.Backends{}, observe.Discard())
	if err == nil {
		t.Error("no error")
	}
}
