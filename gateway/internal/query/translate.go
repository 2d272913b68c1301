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

// translator makes Connect errors of the services' statuses. Left alone, every one of them would become CodeUnknown.
type translator struct {
	deadline time.Duration
	log      *slog.Logger
}

func (t translator) interceptor() connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if _, ok := ctx.Deadline(); !ok {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, t.deadline)
				defer cancel()
			}
			resp, err := next(ctx, req)
			if err != nil {
				return nil, t.translate(ctx, req.Spec().Procedure, err)
			}
			return resp, nil
		}
	}
}

// translate keeps code and message of a status. The two sets of codes have the same numbers.
func (t translator) translate(ctx context.Context, procedure string, err error) error {
	s := status.Convert(err)
	switch s.Code() {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		t.log.ErrorContext(ctx, "query failed", slog.String("procedure", procedure), slog.Any("error", err))
		return connect.NewError(connect.Code(s.Code()), errInternal)
	default:
		return connect.NewError(connect.Code(s.Code()), errors.New(s.Message()))
	}
}
