// Package grpcapi serves the directory over gRPC: it translates requests and answers, and gives errors their status.
package grpcapi

import (
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/tail"
)

// API implements both services of sojourn.identity.v1.
type API struct {
	identityv1.UnimplementedIngestServiceServer
	identityv1.UnimplementedQueryServiceServer

	store    directory.Store
	settings func(workspace string) Settings
	now      func() time.Time
	tail     tail.Hub
}

// New returns the API in front of a store. Settings is asked at every question, so that what it says may change; now tells the time.
func New(store directory.Store, settings func(workspace string) Settings, now func() time.Time) *API {
	return &API{store: store, settings: settings, now: now}
}

// Mistakes of clients.
var (
	errTooMany = errors.New("more than 10000 calls, rejections and filtered calls in one request")
	errNoUser  = errors.New("user_id is required")
	errNoGroup = errors.New("account_id is required")
	errIDsOnly = errors.New("ids_only needs an account_id")
	errReason  = errors.New("reason is not RESOLUTION_UNKNOWN or RESOLUTION_AMBIGUOUS")
)

// toStatus gives an error the status that its client needs.
func toStatus(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return status.Error(codes.NotFound, err.Error())
	}
	if errors.Is(err, tail.ErrFull) {
		return status.Error(codes.ResourceExhausted, err.Error())
	}
	return rpc.Status(err, callproto.ErrNoWorkspace, errTooMany, errNoUser, errNoGroup, errIDsOnly, errReason)
}

// required returns an error unless the workspace is named, and, where missing is not nil, missing unless the id is.
func required(workspace, id string, missing error) error {
	switch {
	case workspace == "":
		return callproto.ErrNoWorkspace
	case missing != nil && id == "":
		return missing
	}
	return nil
}
