// Package backup hands out copies of a service's data file over gRPC, while the service goes on writing to it.
//
// A copy is first made on the service's own disk and then sent from there. So a client that is slow, or far away, costs space for a while
// but does not hold a read transaction open, which would make the data file grow.
package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
)

// chunkBytes is how much one message holds: little enough for a slow line to take one in the seconds that a gateway gives it.
const chunkBytes = 256 << 10

type stream = grpc.ServerStreamingServer[backupv1.CopyFileResponse]

// Server implements backupv1.BackupServiceServer for one data file. It gives one copy at a time, so that copies cannot fill the disk.
type Server struct {
	backupv1.UnimplementedBackupServiceServer

	db   *boltdb.DB
	busy chan struct{} // holds one place
}

// Register adds the service to a server.
func Register(r grpc.ServiceRegistrar, db *boltdb.DB) {
	backupv1.RegisterBackupServiceServer(r, &Server{db: db, busy: make(chan struct{}, 1)})
}

// CopyFile implements backupv1.BackupServiceServer.
func (s *Server) CopyFile(r *backupv1.CopyFileRequest, to stream) error {
	if kind := r.GetKind(); kind != "" && kind != s.db.Kind() {
		return status.Error(codes.NotFound, "kind is not that of this service's data")
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		return status.Error(codes.ResourceExhausted, "a copy is being taken already, try again later")
	}
	copied, err := s.copied(to)
	if err != nil {
		return err
	}
	defer func() { _ = copied.Close() }() // all of it has been read, or is wanted no more
	return send(to.Context(), copied, to)
}

func (s *Server) copied(to stream) (*os.File, error) {
	copied, err := s.db.Copy(to.Context(), func(of boltdb.Snapshot) error {
		return to.Send(&backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Header{Header: &backupv1.FileHeader{
			Kind: of.Kind, Format: of.Format, Bytes: of.Bytes, TakenAt: timestamppb.New(of.Taken),
		}}})
	})
	if errors.Is(err, boltdb.ErrNoRoom) {
		return nil, status.Error(codes.ResourceExhausted, boltdb.ErrNoRoom.Error())
	}
	return copied, rpc.Status(err)
}

// send sends what is in a file, and what it sums up to.
func send(ctx context.Context, from io.Reader, to stream) error {
	sum := sha256.New()
	for {
		chunk := make([]byte, chunkBytes) // a message must not be changed once it is sent
		n, err := io.ReadFull(from, chunk)
		if n > 0 {
			_, _ = sum.Write(chunk[:n]) // never fails
			if err := to.Send(&backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Chunk{Chunk: chunk[:n]}}); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			trailer := &backupv1.FileTrailer{Sha256: sum.Sum(nil)}
			return to.Send(&backupv1.CopyFileResponse{Part: &backupv1.CopyFileResponse_Trailer{Trailer: trailer}})
		case err != nil:
			return fmt.Errorf("read a copy: %w", err)
		case ctx.Err() != nil:
			return rpc.Status(ctx.Err())
		}
	}
}
