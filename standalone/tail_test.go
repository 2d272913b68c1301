package standalone_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/identity/v1/identityv1connect"
	"github.com/sojournhq/sojourn/standalone"
)

// tailAt opens a tail of the token's workspace at a gateway, which goes on until ctx ends, or returns why it may not.
func tailAt(ctx context.Context, url, token string) error {
	client := identityv1connect.NewQueryServiceClient(http.DefaultClient, url)
	ctx, call := connect.NewClientContext(ctx)
	call.RequestHeader().Set("Authorization", "Bearer "+token)
	stream, err := client.TailCalls(ctx, &identityv1.TailCallsRequest{})
	if err != nil {
		return err
	}
	if stream.Receive() {
		return nil
	}
	return stream.Err()
}

func TestTheTailsOfOneWorkspaceAtTwoGatewaysLeaveRoomForThoseOfAnother(t *testing.T) {
	workspaces, err := workspace.Parse([]byte(`
workspaces:
  - {id: w, query_tokens: [query-token-00000000001], sources: [{id: web, write_keys: [write-key-00000000000001]}]}
  - {id: other, query_tokens: [query-token-00000000002], sources: [{id: web, write_keys: [write-key-00000000000002]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: t.TempDir(), Workspaces: workspaces}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = suite.Close() })
	var urls [2]string
	for i := range urls {
		g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: workspaces}, suite.Backends(), observe.Discard())
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(g.Handler())
		t.Cleanup(server.Close)
		urls[i] = server.URL
	}
	ctx, leave := context.WithCancel(t.Context())
	t.Cleanup(leave) // before the servers are closed, which wait for their answers
	opened := 0
	for ; err == nil && opened < 100; opened++ {
		err = tailAt(ctx, urls[opened%2], "query-token-00000000001")
	}
	if connect.CodeOf(err) != connect.CodeResourceExhausted || opened < 32 {
		t.Errorf("after %d tails of one workspace: %v", opened, err)
	}
	for _, url := range urls {
		if err := tailAt(ctx, url, "query-token-00000000002"); err != nil {
			t.Errorf("another workspace: %v", err)
		}
	}
}
