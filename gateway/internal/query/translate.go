package query

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var errInternal = errors.New("internal error")

// translator makes Connect errors of the services' statuses. Left alone, every one of them would become CodeUnknown. It also sees to it
// that every question has a deadline, and that no timeout of the server comes before it. Streams have none but their client's.
type translator struct {
	handlerOnly

	deadline time.Duration
	log      *slog.Logger
}

// WrapUnary implements connect.Interceptor.
func (t translator) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			deadline = time.Now().Add(t.deadline)
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline)
			defer cancel()
		}
		timeoutsOf(ctx).answer(deadline)
		resp, err := next(ctx, req)
		if err != nil {
			return nil, t.translate(ctx, req.Spec().Procedure, err)
		}
		return resp, nil
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (t translator) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		err := next(ctx, conn)
		if err != nil {
			return t.translate(ctx, conn.Spec().Procedure, err)
		}
		return nil
	}
}

// translate keeps code and message of a status. The two sets of codes have the same numbers. What is Connect's error already, as that of
// a panic, stays as it is.
func (t translator) translate(ctx context.Context, procedure string, err error) error {
	if already := new(connect.Error); errors.As(err, &already) {
		return err
	}
	s := status.Convert(err)
	switch s.Code() {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		t.log.ErrorContext(ctx, "query failed", slog.String("procedure", procedure), slog.Any("error", err))
		return connect.NewError(connect.Code(s.Code()), errInternal)
	default:
		return connect.NewError(connect.Code(s.Code()), errors.New(s.Message()))
	}
}
