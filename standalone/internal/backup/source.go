package backup

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

var errCutOff = errors.New("the copy ended before it was whole")

// Stopped returns the data files in the directory of a Sojourn that is stopped, and the workspaces file at a path.
func Stopped(dir, workspaces string) Set {
	source := func(o boltdb.Options) Source {
		return Source{filepath.Base(o.Path), func(ctx context.Context, begun func(boltdb.Snapshot) error, to io.Writer) ([]byte, error) {
			return nil, boltdb.CopyStopped(ctx, o, begun, to)
		}}
	}
	return Set{
		Identity: source(identity.Data(dir)), Events: source(events.Data(dir)), Sessions: source(sessions.Data(dir)),
		Workspaces: func(context.Context) ([]byte, error) { return saved(workspaces) },
	}
}

// Running returns the data files of a Sojourn that is running, as its gateway hands them to the admin.
func Running(gateway grpc.ClientConnInterface) Set {
	client := backupv1.NewBackupServiceClient(gateway)
	source := func(o boltdb.Options) Source {
		return Source{filepath.Base(o.Path), func(ctx context.Context, begun func(boltdb.Snapshot) error, to io.Writer) ([]byte, error) {
			stream, err := client.CopyFile(ctx, &backupv1.CopyFileRequest{Kind: o.Kind})
			if err != nil {
				return nil, err
			}
			return receive(stream, begun, to)
		}}
	}
	return Set{
		Identity: source(identity.Data("")), Events: source(events.Data("")), Sessions: source(sessions.Data("")),
		Workspaces: func(ctx context.Context) ([]byte, error) { return receiveWorkspaces(ctx, client) },
	}
}

// receive writes what a stream brings, up to its trailer.
func receive(
	stream grpc.ServerStreamingClient[backupv1.CopyFileResponse], begun func(boltdb.Snapshot) error, to io.Writer,
) ([]byte, error) {
	part, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	h := part.GetHeader()
	if h == nil {
		return nil, errors.New("the copy does not begin with a header")
	}
	err = begun(boltdb.Snapshot{Kind: h.GetKind(), Format: h.GetFormat(), Bytes: h.GetBytes(), Taken: h.GetTakenAt().AsTime()})
	for err == nil {
		if part, err = stream.Recv(); err != nil {
			break
		}
		if t := part.GetTrailer(); t != nil {
			return t.GetSha256(), nil
		}
		_, err = to.Write(part.GetChunk())
	}
	if errors.Is(err, io.EOF) {
		err = errCutOff
	}
	return nil, err
}
