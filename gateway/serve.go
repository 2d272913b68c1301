package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

// NewHTTPServer returns a server for h with the gateway's timeouts. It speaks HTTP/1.1 and HTTP/2, over TLS and, for gRPC, without.
func NewHTTPServer(h http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		HTTP2:             http2(),
	}
}

// http2 keeps small what one connection can make the server hold: streams, and bodies that nobody has read yet.
func http2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          250,
		MaxReceiveBufferPerConnection: 128 << 10,
		MaxReceiveBufferPerStream:     64 << 10,
		MaxReadFrameSize:              16 << 10,
		// A stream may be quiet for hours, so who is gone is found out by asking, and who does not read by what stays unwritten.
		SendPingTimeout:  time.Minute,
		PingTimeout:      20 * time.Second,
		WriteByteTimeout: 10 * time.Second,
	}
}

// ServeUntil serves on l until ctx ends, then takes no new requests, ends the streams with UNAVAILABLE, waits for the requests under way
// until drain ends, and returns.
func (g *Gateway) ServeUntil(ctx, drain context.Context, l net.Listener) error {
	defer g.calls.Close()
	if u := localURL(l, g.tls != nil); u != nil {
		g.calls.ListensOn(u)
	}
	server := NewHTTPServer(g.Handler())
	l = g.limits.Connections().Limit(l) // below TLS, whose handshake costs most
	// What it has to say is of clients that do not speak the protocol.
	server.ErrorLog = slog.NewLogLogger(g.log.Handler(), slog.LevelDebug)
	server.ConnState = g.limits.Connections().State
	served := make(chan error, 1)
	go func() { served <- g.serve(server, l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	g.streams.End()
	err := server.Shutdown(drain)
	if err != nil {
		// Whoever is still waiting will send again.
		err = errors.Join(fmt.Errorf("drain HTTP: %w", err), server.Close())
	}
	if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve HTTP on %s: %w", l.Addr(), stopped))
	}
	return err
}

// localURL returns where clients on the same machine reach a listener, or nil if it is not for them alone.
func localURL(l net.Listener, overTLS bool) *url.URL {
	if !daemon.Loopback(l) {
		return nil
	}
	if overTLS {
		return &url.URL{Scheme: "https", Host: l.Addr().String()}
	}
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// serve serves on l, over TLS if that is configured.
func (g *Gateway) serve(server *http.Server, l net.Listener) error {
	if g.tls == nil {
		return server.Serve(l)
	}
	server.TLSConfig = g.tls
	return server.ServeTLS(l, "", "")
}
