package rpc

import (
	"context"
	"log/slog"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/servicetoken"
)

// Caller says how a process shows itself to guarded servers. The zero Caller connects unencrypted and shows nothing.
type Caller struct {
	// TLS encrypts connections. Nil: not at all.
	TLS credentials.TransportCredentials
	// Token goes with every request. Nil: none.
	Token *servicetoken.Tokens
}

// Dial returns a connection to the server at target, called name in the log of d. When the server refuses the caller's token, requests fail
// with UNAVAILABLE, because it is nothing that whoever is behind the request could mend, and the log says so once until it is over.
func (c Caller) Dial(name, target string, d observe.Deps, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	r := &refusals{log: d.Log.With(slog.String("service", name))}
	options := append(Traced(d), grpc.WithChainUnaryInterceptor(r.unary), grpc.WithChainStreamInterceptor(r.stream))
	if c.TLS != nil {
		options = append(options, grpc.WithTransportCredentials(c.TLS))
	}
	if c.Token != nil {
		options = append(options, grpc.WithPerRPCCredentials(c.Token))
	}
	return Dial(target, append(options, more...)...)
}

// ErrRefused is what a request ends with when the server refuses the caller's token.
var ErrRefused = status.Error(codes.Unavailable, "the service refuses this process's token: give both sides the same -service-token-file")

// refusals turns a server's refusals into ErrRefused.
type refusals struct {
	log     *slog.Logger
	refused atomic.Bool // by the last answer
}

func (r *refusals) note(ctx context.Context, err error) error {
	refused := status.Code(err) == codes.Unauthenticated
	switch {
	case refused && !r.refused.Swap(true):
		r.log.ErrorContext(ctx, "the service refuses this process's token: give both sides the same -service-token-file")
	case err == nil && r.refused.Load() && r.refused.Swap(false):
		r.log.InfoContext(ctx, "the service takes this process's token again")
	}
	if refused {
		return ErrRefused
	}
	return err
}

func (r *refusals) unary(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	return r.note(ctx, invoke(ctx, method, req, reply, conn, options...))
}

func (r *refusals) stream(
	ctx context.Context, d *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	s, err := open(ctx, d, conn, method, options...)
	if err != nil {
		return nil, r.note(ctx, err)
	}
	return refusable{s, r}, nil
}

// refusable is a stream that may turn out to be refused when its answer is read.
type refusable struct {
	grpc.ClientStream

	refusals *refusals
}

// RecvMsg implements grpc.ClientStream.
func (s refusable) RecvMsg(m any) error {
	return s.refusals.note(s.Context(), s.ClientStream.RecvMsg(m))
}
