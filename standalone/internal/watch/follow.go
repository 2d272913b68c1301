package watch

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/standalone/internal/follow"
)

// follow sends changes to to, over one stream after the other, until ctx ends or the service refuses.
func (w Watch) follow(ctx context.Context, to chan<- *sessionsv1.WatchSessionsResponse) error {
	err := follow.Stream[sessionsv1.WatchSessionsResponse]{
		Open: func(ctx context.Context) (grpc.ServerStreamingClient[sessionsv1.WatchSessionsResponse], error) {
			return w.Service.WatchSessions(ctx, &sessionsv1.WatchSessionsRequest{Cursor: w.Cursor, FromNow: w.FromNow})
		},
		Take: func(ctx context.Context, change *sessionsv1.WatchSessionsResponse) error {
			select {
			case to <- change:
				w.Cursor = change.GetCursor()
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		Lost: func(reason string) { w.Lost(w.loss(reason)) },
	}.Run(ctx)
	if refused := new(follow.RefusedError); errors.As(err, &refused) && refused.Code == codes.OutOfRange {
		return fmt.Errorf("the feed does not go on from the cursor (%s): "+
			"begin a watch without a cursor, with -from-now, and then take all sessions anew", refused.Message)
	}
	return err
}

// loss says why the stream was lost, and what is lost with it.
func (w Watch) loss(reason string) string {
	if w.FromNow && w.Cursor == "" {
		reason += "; nothing was seen yet, so what happens until it is back will be missing"
	}
	return reason
}
