// Package grpcapi serves the sessions store over gRPC: it translates requests and answers, and gives errors their status.
package grpcapi

import (
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// API implements the services of sojourn.sessions.v1, and what reports ask of it.
type API struct {
	sessionsv1.UnimplementedIngestServiceServer
	sessionsv1.UnimplementedQueryServiceServer
	activityv1.UnimplementedActivityServiceServer
	sessionsv1.UnimplementedAdminServiceServer

	store session.Store
	now   func() time.Time
}

// New returns the API in front of a store. Now tells the time.
func New(store session.Store, now func() time.Time) *API { return &API{store: store, now: now} }

// toStatus gives an error the status that its client needs.
func toStatus(err error) error {
	if errors.Is(err, session.ErrNotFound) {
		return status.Error(codes.NotFound, err.Error())
	}
	if errors.Is(err, session.ErrCursor) {
		return status.Error(codes.OutOfRange, session.ErrCursor.Error())
	}
	return rpc.Status(err, callproto.ErrNoWorkspace, callproto.ErrTooMany)
}

func invalid(message string) error { return status.Error(codes.InvalidArgument, message) }
