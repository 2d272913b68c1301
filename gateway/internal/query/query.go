// Package query is the door for questions: the services' query APIs over Connect, gRPC and gRPC-Web on one port.
//
// It adds nothing to the services but the check of who asks. The bearer token names the reader: a query token reads its own workspace,
// and its questions are asked about that one whether they name it or not; the admin token reads all and has to say which. Statuses come
// back as the services gave them, except that what went wrong inside stays inside.
package query

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/events/v1/eventsv1connect"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/identity/v1/identityv1connect"
	"github.com/sojournhq/sojourn/proto/sojourn/report/v1/reportv1connect"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"

	"github.com/sojournhq/sojourn/gateway/internal/report"
)

// maxRequestBytes is far more than any question needs.
const maxRequestBytes = 1 << 20

// Config is what the door needs to know. All of it is required.
type Config struct {
	// Workspaces says who may read what. It is asked at every question.
	Workspaces workspace.Provider
	// Identity, Events and Sessions are connections to the services.
	Identity, Events, Sessions grpc.ClientConnInterface
	// Deadline is how long an answer may take when the client does not say.
	Deadline time.Duration
}

// Register adds the query APIs of the three services, and the reports that join them, to mux.
func Register(mux *http.ServeMux, c Config, d observe.Deps) {
	readers := newReaders(c.Workspaces)
	options := connect.WithHandlerOptions(
		connect.WithReadMaxBytes(maxRequestBytes),
		connect.WithRequestGate(readers.admit),
		connect.WithInterceptors(connect.UnaryInterceptorFunc(authorize), translator{deadline: c.Deadline, log: d.Log}.interceptor()),
		connect.WithRecover(func(ctx context.Context, _ connect.Spec, _ http.Header, p any) error {
			d.Log.ErrorContext(ctx, "query panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			return connect.NewError(connect.CodeInternal, errInternal)
		}),
	)
	mux.Handle(identityv1connect.NewQueryServiceHandler(identity{identityv1.NewQueryServiceClient(c.Identity)}, options))
	mux.Handle(eventsv1connect.NewQueryServiceHandler(events{eventsv1.NewQueryServiceClient(c.Events)}, options))
	mux.Handle(sessionsv1connect.NewQueryServiceHandler(sessions{service: sessionsv1.NewQueryServiceClient(c.Sessions)}, options))
	mux.Handle(reportv1connect.NewReportServiceHandler(report.New(c.Identity, c.Events, c.Sessions, time.Now), options))
}
