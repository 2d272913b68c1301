package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	// probeTime is how long a process may take to say whether it is ready; a gateway waits a second for its services.
	probeTime = 3 * time.Second
	// maxReason is how much of the reason for not being ready is shown.
	maxReason = 1 << 10
)

// Probe asks /readyz of the admin port at addr, and returns nil if the process there is ready, or why it is not. A host that stands for all
// addresses, as in ":9100", is asked on loopback. With useTLS the certificate is not verified, for a probe knows neither its name nor who
// signed it; so only a loopback address is asked that way, where nobody can stand in between.
func Probe(ctx context.Context, addr string, useTLS bool) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("admin address: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip.IsUnspecified():
		host = "localhost"
	case host == "localhost", err == nil && ip.IsLoopback():
	case useTLS:
		return errors.New("admin address: without verifying a certificate only this machine's loopback can be asked")
	}
	scheme, transport := "http", &http.Transport{DisableKeepAlives: true}
	if useTLS {
		scheme = "https"
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // on loopback only, see above
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+"/readyz", http.NoBody)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason)) // the status alone says enough
		return fmt.Errorf("not ready: %s: %s", resp.Status, bytes.TrimSpace(reason))
	}
	return nil
}
