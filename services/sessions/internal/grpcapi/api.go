// Package grpcapi serves the sessions store over gRPC: it translates requests and answers, and gives errors their status.
package grpcapi

import (
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// API implements both services of sojourn.sessions.v1.
type API struct {
	sessionsv1.UnimplementedIngestServiceServer
	sessionsv1.UnimplementedQueryServiceServer

	store session.Store
}

// New returns the API in front of a store.
func New(store session.Store) *API { return &API{store: store} }

// toStatus gives an error the status that its client needs.
func toStatus(err error) error {
	if errors.Is(err, session.ErrNotFound) {
		return status.Error(codes.NotFound, err.Error())
	}
	return rpc.Status(err, callproto.ErrNoWorkspace, callproto.ErrTooMany)
}

func invalid(message string) error { return status.Error(codes.InvalidArgument, message) }
