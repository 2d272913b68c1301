package daemon

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"

	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/internal/kit/servicetoken"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile"
)

// guards is what a service's flags say about whom it talks to.
type guards struct {
	tls   tlsfile.Server
	token string
}

func (g *guards) define(flags *flag.FlagSet) {
	g.tls.Define(flags)
	DefineToken(flags, &g.token)
}

// open reads the files. The error names every problem, by flag.
func (g *guards) open(log *slog.Logger) (rpc.Guard, *tls.Config, error) {
	listeners, err := g.tls.Open(log)
	token, tokenErr := OpenToken(g.token, log)
	return rpc.Guard{TLS: listeners.Main, Token: token}, listeners.Admin, errors.Join(err, tokenErr)
}

// DefineToken adds the flag for the token that services and their gateway share.
func DefineToken(flags *flag.FlagSet, file *string) {
	flags.StringVar(file, "service-token-file", "",
		"file with the token that services and gateway share, one a line: all are valid, the first is sent; read again when it changes")
}

// OpenToken opens the file of that flag; nil if there is none.
func OpenToken(file string, log *slog.Logger) (*servicetoken.Tokens, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // no file is no error
	}
	tokens, err := servicetoken.Open(file, log)
	if err != nil {
		return nil, fmt.Errorf("-service-token-file: %w", err)
	}
	return tokens, nil
}

// Loopback says whether only this machine reaches a listener.
func Loopback(l net.Listener) bool {
	addr, ok := l.Addr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}
