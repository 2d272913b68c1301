package rpc

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/streams"
)

var errStopping = status.Error(codes.Unavailable, streams.ErrStopping.Error())

// lasting gives every stream a place, and a context that ends when the server stops.
func lasting(group *streams.Group) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		ctx, leave, err := group.Enter(stream.Context())
		if err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
		defer leave()
		// Who waits for what happens next learns at once that the stream is open. And from here on its connection does not try again by
		// itself (see serviceConfig): it would repeat the request as it was first made, and so skip or repeat what lies between.
		if err := stream.SendHeader(nil); err != nil {
			return err
		}
		err = handle(srv, lastingStream{stream, ctx})
		if canceled(err) && streams.Ended(ctx) {
			return errStopping
		}
		return err
	}
}

func canceled(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}

// lastingStream is a stream with another context.
type lastingStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // a grpc.ServerStream hands out its context
}

// Context implements grpc.ServerStream.
func (s lastingStream) Context() context.Context { return s.ctx }
