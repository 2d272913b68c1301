// Package installation keeps the stores of one installation from being mixed with those of another.
//
// Each store has an id of the installation that it belongs to, which is in its copies and backups too. A gateway asks all three services:
// those that belong to none yet join the one that the others belong to, or a new one, and where two differ the gateway takes no calls and
// says why. Every request then names the installation, so that a store which takes a service's place later is refused as well.
package installation

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	installationv1 "github.com/sojournhq/sojourn/proto/sojourn/installation/v1"
)

const maxIDBytes = 100

// Server implements installationv1.InstallationServiceServer for one data file.
type Server struct {
	installationv1.UnimplementedInstallationServiceServer

	db *boltdb.DB
}

// Register adds the service to a server.
func Register(r grpc.ServiceRegistrar, db *boltdb.DB) {
	installationv1.RegisterInstallationServiceServer(r, &Server{db: db})
}

// Join implements installationv1.InstallationServiceServer.
func (s *Server) Join(ctx context.Context, r *installationv1.JoinRequest) (*installationv1.JoinResponse, error) {
	if len(r.GetInstallation()) > maxIDBytes {
		return nil, status.Errorf(codes.InvalidArgument, "installation is longer than %d bytes", maxIDBytes)
	}
	id, err := s.db.Join(ctx, r.GetInstallation())
	if err != nil {
		return nil, rpc.Status(err)
	}
	return &installationv1.JoinResponse{Installation: id}, nil
}
