// Package grpcapi serves the events store over gRPC: it translates requests and answers, and gives errors their status.
package grpcapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// API implements both services of sojourn.events.v1, and what reports ask of it.
type API struct {
	eventsv1.UnimplementedIngestServiceServer
	eventsv1.UnimplementedQueryServiceServer
	activityv1.UnimplementedActivityServiceServer

	store usage.Store
	// Uses that were stored, whose call named an account, and whose call named none.
	named, none prometheus.Counter
}

// New returns the API in front of a store. It fails when its metrics are registered already.
func New(store usage.Store, metrics prometheus.Registerer) (*API, error) {
	uses := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sojourn_events_uses_total",
		Help: "Uses of features that were stored, by whether their call named an account: named or none.",
	}, []string{"account"})
	return &API{store: store, named: uses.WithLabelValues("named"), none: uses.WithLabelValues("none")}, metrics.Register(uses)
}

// count counts the uses that are new.
func (a *API) count(calls []call.Call, outcomes []call.Outcome) {
	var named, none float64
	for i := range calls {
		switch {
		case outcomes[i] != call.Accepted:
		case calls[i].AccountID == "":
			none++
		default:
			named++
		}
	}
	a.named.Add(named)
	a.none.Add(none)
}

// toStatus gives an error the status that its client needs.
func toStatus(err error) error {
	return rpc.Status(err, callproto.ErrNoWorkspace, callproto.ErrTooMany)
}

func invalid(message string) error { return status.Error(codes.InvalidArgument, message) }

func stamp(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }
