package query_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/streams"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/report/v1/reportv1connect"
)

func TestAReportIsAboutTheTokensWorkspaceAndFailsAsItsServicesDo(t *testing.T) {
	url, services, _ := open(t)
	for protocol, client := range clients(t) {
		report := func(token, workspace string) error {
			reports := reportv1connect.NewReportServiceClient(client.http, url, append(client.options, bearer("Bearer "+token))...)
			_, err := reports.GetAccountUsage(t.Context(), &reportv1.GetAccountUsageRequest{Workspace: workspace, AccountId: "a"})
			return err
		}
		if err := report(acmeToken, ""); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
		asked := services.asked()
		if got := asked.request.(interface{ GetWorkspace() string }).GetWorkspace(); got != "acme" {
			t.Errorf("%s: %s was asked about workspace %q", protocol, asked.method, got)
		}
		if asked.left <= 4*time.Second || asked.left > 30*time.Second {
			t.Errorf("%s: %s had %v", protocol, asked.method, asked.left)
		}
		for token, want := range map[string]connect.Code{
			acmeToken: connect.CodePermissionDenied, adminToken: 0, "unknown": connect.CodeUnauthenticated,
		} {
			if err := report(token, "other"); (err == nil) != (want == 0) || err != nil && connect.CodeOf(err) != want {
				t.Errorf("%s, token %s: %v, want %v", protocol, token, err, want)
			}
		}
		services.failWith(status.Error(codes.FailedPrecondition, "not now"))
		if err := report(acmeToken, ""); connect.CodeOf(err) != connect.CodeFailedPrecondition {
			t.Errorf("%s: %v, want the services' own status", protocol, err)
		}
		services.failWith(nil)
	}
}

// broken is a connection over which every request panics, as a bug in what is sent or read would.
type broken struct{ grpc.ClientConnInterface }

func (broken) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	panic("secret-value")
}

func TestAPanicWithinAReportEndsTheQuestionAndNotTheProcess(t *testing.T) {
	url, log := serve(t, broken{}, streams.New(1), never)
	for protocol, client := range clients(t) {
		log.Reset()
		reports := reportv1connect.NewReportServiceClient(client.http, url, append(client.options, bearer("Bearer "+acmeToken))...)
		_, err := reports.GetAccountOverview(t.Context(), &reportv1.GetAccountOverviewRequest{AccountId: "a"})
		if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "secret-value") {
			t.Errorf("%s: %v, want an internal error", protocol, err)
		}
		if got := log.String(); !strings.Contains(got, "panic=string") || !strings.Contains(got, "broken.Invoke") || strings.Contains(got, "secret-value") {
			t.Errorf("%s: logged %s", protocol, got)
		}
	}
}
