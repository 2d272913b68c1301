package query

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

// crowd sees to it that the questions and streams of one workspace leave room for those of another.
type crowd struct {
	handlerOnly

	limits *limit.Limits
}

// WrapUnary implements connect.Interceptor.
func (c crowd) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	if c.limits == nil {
		return next
	}
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		leave, err := c.limits.Question(ctx, asker(ctx))
		if err != nil {
			return nil, crowded(err)
		}
		defer leave()
		return next(ctx, req)
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (c crowd) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	if c.limits == nil {
		return next
	}
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		leave, err := c.limits.Stream(asker(ctx))
		if err != nil {
			return crowded(err)
		}
		defer leave()
		return next(ctx, conn)
	}
}

// asker returns the workspace of who asks; the admin has none.
func asker(ctx context.Context) string {
	who, _ := ctx.Value(admissionKey{}).(admission)
	return who.workspace
}

// crowded says whether it is the reader's own doing.
func crowded(err error) error {
	var refused *limit.RefusedError
	if errors.As(err, &refused) && !refused.Overloaded {
		return connect.NewError(connect.CodeResourceExhausted, errors.New(refused.Message))
	}
	return connect.NewError(connect.CodeUnavailable, errors.New("too much is asked at once: ask again a little later"))
}
