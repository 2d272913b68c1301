// Package report answers questions that no service can answer alone: what an account uses, how much time it spends, and who does.
//
// Each report asks events for uses, sessions for time and identity for users and accounts, side by side, page by page to the end, and joins
// what they say in memory. Distinct users and days are counted here, from marks of who was there on which day, because the counts of two
// services cannot be added. Nothing is kept between two questions.
package report

import (
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/report/v1/reportv1connect"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// Reports implements reportv1connect.ReportServiceHandler. Its errors are gRPC statuses. Who may ask has been checked before, and the
// context's deadline is that of all requests to the services together.
type Reports struct {
	services

	now func() time.Time
}

var _ reportv1connect.ReportServiceHandler = (*Reports)(nil)

// New returns reports over connections to the services, which stay the caller's. Now tells which day is today.
func New(identity, events, sessions grpc.ClientConnInterface, now func() time.Time) *Reports {
	return &Reports{now: now, services: services{
		identity: identityv1.NewQueryServiceClient(identity),
		events:   eventsv1.NewQueryServiceClient(events),
		sessions: sessionsv1.NewQueryServiceClient(sessions),
		usesOf:   activityv1.NewActivityServiceClient(events),
		timeOf:   activityv1.NewActivityServiceClient(sessions),
	}}
}

var errNoAccount = errors.New("account_id is required")

func invalid(err error) error { return status.Error(codes.InvalidArgument, err.Error()) }
