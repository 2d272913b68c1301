package query

import (
	"context"
	"errors"
	"io"

	"connectrpc.com/connect"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/streams"
)

// handlerOnly is what interceptors on this side have in common: there is no client to wrap.
type handlerOnly struct{}

// WrapStreamingClient implements connect.Interceptor.
func (handlerOnly) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// lasting gives every stream a place, an end when the gateway stops, and all the time it wants, as long as its client reads.
type lasting struct {
	handlerOnly

	group *streams.Group
}

// WrapUnary implements connect.Interceptor.
func (lasting) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingHandler implements connect.Interceptor.
func (l lasting) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		ctx, leave, err := l.group.Enter(ctx)
		if err != nil {
			return connect.NewError(connect.CodeUnavailable, err)
		}
		defer leave()
		timeouts := timeoutsOf(ctx)
		defer timeouts.send() // the end of the stream is a message too
		err = next(ctx, lastingConn{conn, timeouts})
		if connect.CodeOf(err) == connect.CodeCanceled && streams.Ended(ctx) {
			return connect.NewError(connect.CodeUnavailable, streams.ErrStopping)
		}
		return err
	}
}

// lastingConn is the client's end of a stream. It may wait for ever for the next message, but not for its client to take one.
type lastingConn struct {
	connect.StreamingHandlerConn

	timeouts timeouts
}

// Receive implements connect.StreamingHandlerConn.
func (c lastingConn) Receive(m any) error {
	err := c.StreamingHandlerConn.Receive(m)
	if errors.Is(err, io.EOF) {
		c.timeouts.wait() // the request is there
	}
	return err
}

// Send implements connect.StreamingHandlerConn.
func (c lastingConn) Send(m any) error {
	c.timeouts.send()
	defer c.timeouts.wait()
	return c.StreamingHandlerConn.Send(m)
}

// relay sends a client what a service tells, until one of the three ends it.
func relay[M any](from grpc.ServerStreamingClient[M], to *connect.ServerStream[M]) error {
	// A service that takes a stream says so by its header. The client learns it at once, though nothing may happen for hours.
	if header, err := from.Header(); err == nil && header != nil {
		if err := to.Send(nil); err != nil {
			return err
		}
	}
	for {
		m, err := from.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := to.Send(m); err != nil {
			return err
		}
	}
}
