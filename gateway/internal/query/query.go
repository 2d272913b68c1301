// Package query is the door for questions: the services' query APIs over Connect, gRPC and gRPC-Web on one port.
//
// It adds nothing to the services but two checks: who asks, and whether the request holds anything unknown. The bearer token names the
// reader: a query token reads its own workspace, and its questions are asked about that one whether they name it or not; the admin token
// reads all and has to say which, and it alone opens the admin APIs. Statuses come back as the services gave them, except that what went
// wrong inside stays inside.
package query

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/streams"
	"github.com/sojournhq/sojourn/proto/sojourn/admin/v1/adminv1connect"
	"github.com/sojournhq/sojourn/proto/sojourn/backup/v1/backupv1connect"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/events/v1/eventsv1connect"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/identity/v1/identityv1connect"
	"github.com/sojournhq/sojourn/proto/sojourn/maintenance/v1/maintenancev1connect"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/report/v1/reportv1connect"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/report"
	"github.com/sojournhq/sojourn/gateway/internal/strict"
)

const (
	// maxRequestBytes is far more than any question needs.
	maxRequestBytes = 1 << 20
	// reportTime is how long a report may take when the client does not say: it asks the services many questions.
	reportTime = 30 * time.Second
	// adminTime is how long a request of AdminService may take: what it asks for is work, not a question.
	adminTime = time.Minute
)

// services are those whose methods are suggested to whoever asks one for a field of another.
func services() []protoreflect.ServiceDescriptor {
	return []protoreflect.ServiceDescriptor{
		identityv1.File_sojourn_identity_v1_identity_proto.Services().ByName("QueryService"),
		eventsv1.File_sojourn_events_v1_events_proto.Services().ByName("QueryService"),
		sessionsv1.File_sojourn_sessions_v1_sessions_proto.Services().ByName("QueryService"),
		reportv1.File_sojourn_report_v1_report_proto.Services().ByName("ReportService"),
	}
}

// Config is what the door needs to know. All of it is required, but for Limits.
type Config struct {
	// Workspaces says who may read what. It is asked at every question.
	Workspaces workspace.Provider
	// Identity, Events and Sessions are connections to the services.
	Identity, Events, Sessions grpc.ClientConnInterface
	// Deadline is how long an answer may take when the client does not say.
	Deadline time.Duration
	// SendTime is how long a client may take to read an answer, or one message of a stream.
	SendTime time.Duration
	// Streams holds the answers that go on until their client leaves. Whoever ends it ends them.
	Streams *streams.Group
	// Limits says how much may be asked at once. Nil: as much as anybody likes.
	Limits *limit.Limits
}

// Register adds the query APIs of the three services, their admin APIs, and the reports that join them, to mux. It fails when its
// metrics are registered already.
func Register(mux *http.ServeMux, c Config, d observe.Deps) error {
	observed, err := newObserved(d)
	if err != nil {
		return fmt.Errorf("register query metrics: %w", err)
	}
	readers := newReaders(c.Workspaces)
	options := func(deadline time.Duration, outer ...connect.Interceptor) connect.HandlerOption {
		return connect.WithHandlerOptions(
			connect.WithReadMaxBytes(maxRequestBytes),
			connect.WithRequestGate(observed.gate(readers.admit)),
			connect.WithInterceptors(append([]connect.Interceptor{observed}, outer...)...), strict.Requests(services()...),
			connect.WithInterceptors(
				authorizer{}, crowd{limits: c.Limits}, lasting{group: c.Streams}, translator{deadline: deadline, log: d.Log},
			),
			connect.WithRecover(func(ctx context.Context, _ connect.Spec, _ http.Header, p any) error {
				d.Log.ErrorContext(ctx, "query panicked", observe.Panic(p))
				return connect.NewError(connect.CodeInternal, errInternal)
			}),
		)
	}
	logged := newActs(c.Workspaces, d.Log)
	adminOptions := func(deadline time.Duration) connect.HandlerOption {
		return connect.WithHandlerOptions(options(deadline, logged), connect.WithRequestGate(observed.gate(admitAdmin)))
	}
	handle := func(path string, h http.Handler) { mux.Handle(path, withTimeouts(c.SendTime, strict.Parameters(h))) }
	cors := newCORS(c.Workspaces, readers)
	share := func(path string, h http.Handler) {
		mux.Handle(path, withTimeouts(c.SendTime, cors.share(strict.Parameters(h))))
	}
	question := options(c.Deadline)
	share(identityv1connect.NewQueryServiceHandler(identity{identityv1.NewQueryServiceClient(c.Identity)}, question))
	share(eventsv1connect.NewQueryServiceHandler(events{eventsv1.NewQueryServiceClient(c.Events)}, question))
	share(sessionsv1connect.NewQueryServiceHandler(sessions{sessionsv1.NewQueryServiceClient(c.Sessions)}, question))
	share(reportv1connect.NewReportServiceHandler(report.New(c.Identity, c.Events, c.Sessions, time.Now), options(reportTime)))
	handle(adminv1connect.NewAdminServiceHandler(newAdmin(c.Identity, c.Events, c.Sessions, time.Now), adminOptions(adminTime)))
	handle(backupv1connect.NewBackupServiceHandler(newBackups(c), adminOptions(adminTime)))
	handle(maintenancev1connect.NewMaintenanceServiceHandler(
		newMaintained(c.Identity, c.Events, c.Sessions), adminOptions(maintenanceTime)))
	handle(sessionsv1connect.NewAdminServiceHandler(sessionsAdmin{sessionsv1.NewAdminServiceClient(c.Sessions)}, adminOptions(adminTime)))
	return nil
}
