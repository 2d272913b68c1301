package query

import (
	"context"
	"crypto/sha256"
	"slices"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
)

const (
	// workspacesKind is the kind of file that the gateway itself has.
	workspacesKind = "workspaces"
	// workspacesFormat is that of what workspace.Config encodes.
	workspacesFormat = 1
	// workspacesChunk is how much of it one message holds.
	workspacesChunk = 256 << 10
)

// backups passes on copies of the services' data files, by kind, and hands out the configuration of workspaces.
type backups struct {
	services   map[string]backupv1.BackupServiceClient
	workspaces workspace.Provider
}

func newBackups(c Config) backups {
	return backups{
		services: map[string]backupv1.BackupServiceClient{
			"identity": backupv1.NewBackupServiceClient(c.Identity),
			"events":   backupv1.NewBackupServiceClient(c.Events),
			"sessions": backupv1.NewBackupServiceClient(c.Sessions),
		},
		workspaces: c.Workspaces,
	}
}

// CopyFile implements backupv1connect.BackupServiceHandler.
func (h backups) CopyFile(ctx context.Context, r *backupv1.CopyFileRequest, to *connect.ServerStream[backupv1.CopyFileResponse]) error {
	if r.GetKind() == workspacesKind {
		return h.copyWorkspaces(to)
	}
	service, ok := h.services[r.GetKind()]
	if !ok {
		return status.Error(codes.NotFound, "kind is none of identity, events, sessions and workspaces")
	}
	from, err := service.CopyFile(ctx, r)
	if err != nil {
		return err
	}
	return relay(from, to)
}

// copyWorkspaces sends the configuration that the gateway serves with, which is that of a file that was good when it was last read.
func (h backups) copyWorkspaces(to *connect.ServerStream[backupv1.CopyFileResponse]) error {
	taken := timestamppb.Now()
	text, err := h.workspaces.Config().Encode()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	parts := []*backupv1.CopyFileResponse{{Part: &backupv1.CopyFileResponse_Header{Header: &backupv1.FileHeader{
		Kind: workspacesKind, Format: workspacesFormat, Bytes: int64(len(text)), TakenAt: taken,
	}}}}
	for chunk := range slices.Chunk(text, workspacesChunk) {
		parts = append(parts, &backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Chunk{Chunk: chunk}})
	}
	parts = append(parts, &backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Trailer{
		Trailer: &backupv1.FileTrailer{Sha256: sum[:]},
	}})
	for _, part := range parts {
		if err := to.Send(part); err != nil {
			return err
		}
	}
	return nil
}
