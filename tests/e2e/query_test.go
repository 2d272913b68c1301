package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/events/v1/eventsv1connect"
)

// asked is one way to ask for the usage by module.
type asked func(ctx context.Context, token string, r *eventsv1.QueryUsageRequest) (*eventsv1.QueryUsageResponse, error)

func overConnect(t *testing.T, d deployment, options ...connect.ClientOption) asked {
	client := eventsv1connect.NewQueryServiceClient(http.DefaultClient, d.url(), options...)
	return func(ctx context.Context, token string, r *eventsv1.QueryUsageRequest) (*eventsv1.QueryUsageResponse, error) {
		ctx, info := connect.NewClientContext(ctx)
		info.RequestHeader().Set("Authorization", "Bearer "+token)
		return client.QueryUsage(ctx, r)
	}
}

func overGRPC(t *testing.T, d deployment) asked {
	conn, err := grpc.NewClient(strings.TrimPrefix(d.url(), "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := eventsv1.NewQueryServiceClient(conn)
	return func(ctx context.Context, token string, r *eventsv1.QueryUsageRequest) (*eventsv1.QueryUsageResponse, error) {
		return client.QueryUsage(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), r)
	}
}

func TestQuestionsAreAnsweredOverConnectGRPCAndGRPCWebToThoseWhoMayAsk(t *testing.T) {
	code := func(err error) string {
		if _, isGRPC := status.FromError(err); isGRPC {
			return strings.ToLower(status.Code(err).String())
		}
		return strings.ReplaceAll(connect.CodeOf(err).String(), "_", "")
	}
	onBoth(t, func(t *testing.T, d deployment) {
		for _, call := range posted {
			send(t, d, call.path, writeKey, call.body)
		}
		for name, ask := range map[string]asked{
			"Connect":  overConnect(t, d),
			"JSON":     overConnect(t, d, connect.WithProtoJSON()),
			"gRPC-Web": overConnect(t, d, connect.WithGRPCWeb()),
			"gRPC":     overGRPC(t, d),
		} {
			request := func() *eventsv1.QueryUsageRequest {
				return &eventsv1.QueryUsageRequest{FromDay: "2026-11-02", ToDay: "2026-11-02", GroupBy: []eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_MODULE}}
			}
			got, err := ask(t.Context(), queryToken, request())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if rows := got.GetRows(); len(rows) != 1 || rows[0].GetModule() != "Billing" || rows[0].GetUses() != 2 || rows[0].GetUsers() != 1 {
				t.Errorf("%s: %v", name, got)
			}
			foreign, named := request(), request()
			foreign.Workspace, named.Workspace = "other", "default"
			bad := request()
			bad.FromDay = "soon"
			for what, c := range map[string]struct {
				token   string
				request *eventsv1.QueryUsageRequest
				want    string
			}{
				"the admin":               {adminToken, named, "ok"},
				"an unknown token":        {"who-is-this-supposed-to-be", request(), "unauthenticated"},
				"a write key":             {writeKey, request(), "permissiondenied"},
				"a foreign workspace":     {queryToken, foreign, "permissiondenied"},
				"an admin who names none": {adminToken, request(), strings.ToLower(codes.InvalidArgument.String())},
				"a day that is none":      {queryToken, bad, strings.ToLower(codes.InvalidArgument.String())},
			} {
				_, err := ask(t.Context(), c.token, c.request)
				got := "ok"
				if err != nil {
					got = code(err)
				}
				if got != c.want {
					t.Errorf("%s, %s: %v, want %s", name, what, err, c.want)
				}
			}
		}
	})
}
