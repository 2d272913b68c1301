package query

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
)

// backups passes on copies of the services' data files, by kind.
type backups map[string]backupv1.BackupServiceClient

func newBackups(identity, events, sessions grpc.ClientConnInterface) backups {
	return backups{
		"identity": backupv1.NewBackupServiceClient(identity),
		"events":   backupv1.NewBackupServiceClient(events),
		"sessions": backupv1.NewBackupServiceClient(sessions),
	}
}

// CopyFile implements backupv1connect.BackupServiceHandler.
func (h backups) CopyFile(ctx context.Context, r *backupv1.CopyFileRequest, to *connect.ServerStream[backupv1.CopyFileResponse]) error {
	service, ok := h[r.GetKind()]
	if !ok {
		return status.Error(codes.NotFound, "kind is none of identity, events and sessions")
	}
	from, err := service.CopyFile(ctx, r)
	if err != nil {
		return err
	}
	return relay(from, to)
}
