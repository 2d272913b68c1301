package tlsfile

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
)

// fresh are credentials that are made anew for every connection: a tls.Config has no hook for other authorities.
type fresh struct{ config func() *tls.Config }

// ClientHandshake implements credentials.TransportCredentials.
func (f fresh) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := credentials.NewTLS(f.config()).ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	return &beginning{Conn: conn}, info, nil
}

// ServerHandshake implements credentials.TransportCredentials.
func (fresh) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these credentials are a client's")
}

// Info implements credentials.TransportCredentials.
func (f fresh) Info() credentials.ProtocolInfo { return credentials.NewTLS(f.config()).Info() }

// Clone implements credentials.TransportCredentials.
func (f fresh) Clone() credentials.TransportCredentials { return f }

// OverrideServerName implements credentials.TransportCredentials, which has it for old programs only.
func (fresh) OverrideServerName(string) error {
	return errors.New("the name comes with the configuration")
}

// beginning is a connection of which it is not known yet whether the server wants it. With TLS 1.3 a client's handshake is over before the
// server has looked at its certificate, and a server that does not take it closes; what the client sees of that may be a bare broken pipe.
type beginning struct {
	net.Conn

	heard atomic.Bool
}

// Read implements net.Conn.
func (b *beginning) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if n > 0 {
		b.heard.Store(true)
	}
	return n, b.explain(err)
}

// Write implements net.Conn.
func (b *beginning) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(p)
	return n, b.explain(err)
}

func (b *beginning) explain(err error) error {
	if err == nil || b.heard.Load() {
		return err
	}
	return fmt.Errorf("the server closed right after the handshake, as it does when it wants another client certificate: %w", err)
}
