package query_test

import (
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
	url, _ := serveFrom(t, query.Config{
		Workspaces: &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken)}}},
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
		"another":        {adminToken, "workspaces", "", connect.CodeNotFound},
		"none":           {adminToken, "", "", connect.CodeNotFound},
		"a reader":       {acmeToken, "events", "", connect.CodePermissionDenied},
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
					t.Errorf("got %q, %v", &got, err)
				}
			})
		}
	}
}
