// Package grpcapi serves the events store over gRPC: it translates requests and answers, and gives errors their status.
package grpcapi

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// API implements both services of sojourn.events.v1.
type API struct {
	eventsv1.UnimplementedIngestServiceServer
	eventsv1.UnimplementedQueryServiceServer

	store usage.Store
}

// New returns the API in front of a store.
func New(store usage.Store) *API { return &API{store: store} }

// toStatus gives an error the status that its client needs.
func toStatus(err error) error {
	return rpc.Status(err, callproto.ErrNoWorkspace, callproto.ErrTooMany)
}

func invalid(message string) error { return status.Error(codes.InvalidArgument, message) }

func stamp(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }
