package rpc

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/page"
)

// Status gives an error of the store or of paging the status that its client needs; errors in invalid are the client's own mistakes and
// keep their text. Statuses pass; everything else stays as it is, and the server's interceptor hides it behind a constant Internal.
func Status(err error, invalid ...error) error {
	if err == nil {
		return nil
	}
	for _, mistake := range append(invalid, page.ErrToken, page.ErrSize) {
		if errors.Is(err, mistake) {
			return status.Error(codes.InvalidArgument, err.Error())
		}
	}
	switch {
	case errors.Is(err, boltdb.ErrClosed), errors.Is(err, boltdb.ErrFailed):
		return status.Error(codes.Unavailable, "the store is stopping, try again")
	case errors.Is(err, boltdb.ErrFull):
		// Not Unavailable: a caller that asks again at once would find the same.
		return status.Error(codes.ResourceExhausted, "the disk of the store is full, try again later")
	case errors.Is(err, boltdb.ErrReadOnly):
		return status.Error(codes.FailedPrecondition, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return status.FromContextError(err).Err()
	}
	return err
}
