package tlsfile

import (
	"crypto/tls"
	"errors"
	"flag"
	"log/slog"

	"google.golang.org/grpc/credentials"

	"github.com/sojournhq/sojourn/internal/kit/livefile"
)

// Client is what flags say about the TLS of connections to other processes.
type Client struct {
	// CA is the file of the authorities that servers' certificates are checked against. Empty: those of the system.
	CA string
	// Cert and Key are the files of the certificate that is shown to servers that ask for one, and of its key.
	Cert, Key string
	// Name is the name that a server's certificate must have. Empty: the host of the target.
	Name string

	prefix string
}

// Define adds flags whose names begin with prefix to a set: for the authorities, the certificate and its key.
func (c *Client) Define(flags *flag.FlagSet, prefix, servers string) {
	c.prefix = prefix
	flags.StringVar(&c.CA, prefix+"ca", "", "PEM file of authorities to check "+servers+" against, in place of the system's")
	flags.StringVar(&c.Cert, prefix+"cert", "", "PEM file of the certificate to show to "+servers)
	flags.StringVar(&c.Key, prefix+"key", "", "PEM file of that certificate's key")
}

// DefineName adds the flag for the servers' name to a set.
func (c *Client) DefineName(flags *flag.FlagSet, servers string) {
	flags.StringVar(&c.Name, c.prefix+"name", "", "name that the certificates of "+servers+" must have, if not the target's host")
}

// Wanted says whether anything is set: then connections are encrypted.
func (c *Client) Wanted() bool { return c.CA != "" || c.Cert != "" || c.Key != "" || c.Name != "" }

// Open reads the files. The error names every problem, by flag.
func (c *Client) Open(log *slog.Logger) (credentials.TransportCredentials, error) {
	config, err := c.Config(log)
	if err != nil {
		return nil, err
	}
	return fresh{config}, nil
}

// Config is Open for other protocols than gRPC: it returns a function that makes the configuration of a connection.
func (c *Client) Config(log *slog.Logger) (func() *tls.Config, error) {
	ca, err := openPool("-"+c.prefix+"ca", c.CA, log)
	var own *livefile.Files[tls.Certificate]
	if c.Cert != "" || c.Key != "" {
		var pairErr error
		own, pairErr = openPair("-"+c.prefix+"cert", c.Cert, "-"+c.prefix+"key", c.Key, log)
		err = errors.Join(err, pairErr)
	}
	if err != nil {
		return nil, err
	}
	return func() *tls.Config {
		now := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.Name}
		if ca != nil {
			now.RootCAs = ca.Now()
		}
		if own != nil {
			now.Certificates = []tls.Certificate{own.Now()}
		}
		return now
	}, nil
}
