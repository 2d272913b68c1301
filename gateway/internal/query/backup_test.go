package query_test

import (
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	"github.com/sojournhq/sojourn/internal/kit/streams"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/backup/v1/backupv1connect"

	"github.com/sojournhq/sojourn/gateway/internal/query"
)

// file is a service that hands out the name of its file.
type file struct {
	backupv1.UnimplementedBackupServiceServer

	name string
}

func (f file) CopyFile(_ *backupv1.CopyFileRequest, to grpc.ServerStreamingServer[backupv1.CopyFileResponse]) error {
	return to.Send(&backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Chunk{Chunk: []byte(f.name)}})
}

func (f file) Register(r grpc.ServiceRegistrar) { backupv1.RegisterBackupServiceServer(r, f) }

func (file) Close() error { return nil }

func TestOnlyTheAdminIsHandedDataFilesAndEachFromTheServiceThatHasIt(t *testing.T) {
	conn := func(name string) grpc.ClientConnInterface {
		conn, _ := rpctest.Serve(t, file{name: name})
		return conn
	}
	config := &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{{
		ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken), Tiers: many(50_000), Sources: []workspace.Source{{
			ID: "web", SharedSecrets: []string{"a-secret-that-stands-in-the-file", "a-secret-of-a-file"}, SecretFiles: []string{"", "secrets/web"},
		}},
	}}}
	saved, err := config.Encode()
	if err != nil || len(saved) < 3*256<<10 || strings.Contains(string(saved), "a-secret-of-a-file") || !strings.Contains(string(saved), "file:secrets/web") {
		t.Fatalf("%d bytes are to be handed out, or secrets; %v", len(saved), err)
	}
	url, _ := serveFrom(t, query.Config{
		Workspaces: config,
		Identity:   conn("identity.db"), Events: conn("events.db"), Sessions: conn("sessions.db"), SendTime: never, Streams: streams.New(1),
	})
	for name, c := range map[string]struct {
		token, kind string
		want        string
		code        connect.Code
	}{
		"identity":       {adminToken, "identity", "identity.db", 0},
		"events":         {adminToken, "events", "events.db", 0},
		"sessions":       {adminToken, "sessions", "sessions.db", 0},
		"workspaces":     {adminToken, "workspaces", string(saved), 0},
		"another":        {adminToken, "reports", "", connect.CodeNotFound},
		"none":           {adminToken, "", "", connect.CodeNotFound},
		"a reader":       {acmeToken, "events", "", connect.CodePermissionDenied},
		"a reader again": {acmeToken, "workspaces", "", connect.CodePermissionDenied},
		"no known token": {"unknown", "events", "", connect.CodeUnauthenticated},
	} {
		for protocol, client := range clients(t) {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				service := backupv1connect.NewBackupServiceClient(client.http, url, append(client.options, bearer("Bearer "+c.token))...)
				stream, err := service.CopyFile(t.Context(), &backupv1.CopyFileRequest{Kind: c.kind})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = stream.Close() }()
				var got strings.Builder
				for stream.Receive() {
					_, _ = got.Write(stream.Msg().GetChunk())
				}
				if err := stream.Err(); got.String() != c.want || (err == nil) != (c.code == 0) || err != nil && connect.CodeOf(err) != c.code {
					t.Errorf("got %.200q, %v", got.String(), err)
				}
			})
		}
	}
}

// many returns so many names.
func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint("tier number ", i))
	}
	return names
}
