package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// A stream that was lost is opened again after shortPause, and after twice as long every time that it does not last longPause.
const (
	shortPause = time.Second / 2
	longPause  = 15 * time.Second
)

var errEnded = errors.New("the stream ended")

// RefusedError says that the service will not answer this watch, however often it is asked.
type RefusedError struct {
	Code    codes.Code
	Message string
}

// Error says what to do about it.
func (e *RefusedError) Error() string {
	switch e.Code {
	case codes.OutOfRange:
		return fmt.Sprintf("the feed does not go on from the cursor (%s): "+
			"begin a watch without a cursor, with -from-now, and then take all sessions anew", e.Message)
	case codes.Unauthenticated, codes.PermissionDenied:
		return "the query token is not accepted: " + e.Message
	default:
		return "the watch is refused: " + e.Message
	}
}

// follow sends changes to to, over one stream after the other, until ctx ends or the service refuses.
func (w Watch) follow(ctx context.Context, to chan<- *sessionsv1.WatchSessionsResponse) error {
	pause, told := shortPause, false
	for {
		began, from := time.Now(), w.Cursor
		why := status.Convert(w.stream(ctx, to))
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // nobody waits for more
		case refuses(why.Code()):
			return &RefusedError{why.Code(), why.Message()}
		}
		if w.Cursor != from || time.Since(began) > longPause {
			pause, told = shortPause, false
		}
		if !told {
			w.Lost(w.loss(why.Message()))
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

// loss says why the stream was lost, and what is lost with it.
func (w Watch) loss(reason string) string {
	if w.FromNow && w.Cursor == "" {
		reason += "; nothing was seen yet, so what happens until it is back will be missing"
	}
	return reason
}

// stream sends the changes of one stream, and moves the cursor with them. It returns why the stream ended.
func (w *Watch) stream(ctx context.Context, to chan<- *sessionsv1.WatchSessionsResponse) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.Service.WatchSessions(ctx, &sessionsv1.WatchSessionsRequest{Cursor: w.Cursor, FromNow: w.FromNow})
	if err != nil {
		return err
	}
	for {
		change, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return errEnded
		case err != nil:
			return err
		}
		select {
		case to <- change:
			w.Cursor = change.GetCursor()
		case <-ctx.Done():
			return ctx.Err()
		}
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
