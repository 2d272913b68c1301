// Package follow reads streams that are to go on for ever: when one is lost, as it is when a server restarts, it opens another.
package follow

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A stream that was lost is opened again after shortPause, and after twice as long every time that it does not last longPause.
const (
	shortPause = time.Second / 2
	longPause  = 15 * time.Second
)

var errEnded = errors.New("the stream ended")

// RefusedError says that the service will not give this stream, however often it is asked.
type RefusedError struct {
	Code    codes.Code
	Message string
}

// Error says what to do about it.
func (e *RefusedError) Error() string {
	switch e.Code {
	case codes.Unauthenticated, codes.PermissionDenied:
		return "the query token is not accepted: " + e.Message
	default:
		return "the watch is refused: " + e.Message
	}
}

// Stream opens streams of messages M and takes what they tell.
type Stream[M any] struct {
	// Open opens a stream. It is called again whenever one was lost.
	Open func(ctx context.Context) (grpc.ServerStreamingClient[M], error)
	// Take takes a message. Its error is that of the context.
	Take func(ctx context.Context, m *M) error
	// Lost is called once whenever the stream was lost, and before another is tried.
	Lost func(reason string)
}

// Run goes on until ctx ends, and then returns nil, or until the service refuses: *RefusedError.
func (s Stream[M]) Run(ctx context.Context) error {
	pause, told := shortPause, false
	for {
		began := time.Now()
		moved, err := s.one(ctx)
		why := status.Convert(err)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // nobody waits for more
		case refuses(why.Code()):
			return &RefusedError{why.Code(), why.Message()}
		}
		if moved || time.Since(began) > longPause {
			pause, told = shortPause, false
		}
		if !told {
			s.Lost(why.Message())
			told = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// one takes the messages of one stream. It returns whether there were any, and why the stream ended.
func (s Stream[M]) one(ctx context.Context) (moved bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.Open(ctx)
	if err != nil {
		return false, err
	}
	for {
		m, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return moved, errEnded
		case err != nil:
			return moved, err
		}
		if err := s.Take(ctx, m); err != nil {
			return moved, err
		}
		moved = true
	}
}

// refuses tells the codes that another try cannot change from those of a bad moment.
func refuses(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.OutOfRange, codes.Unauthenticated, codes.PermissionDenied, codes.NotFound, codes.FailedPrecondition,
		codes.Unimplemented:
		return true
	default:
		return false
	}
}
