package query

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	maintenancev1 "github.com/sojournhq/sojourn/proto/sojourn/maintenance/v1"
)

// maintenanceTime is how long a request of MaintenanceService may take: it copies a data file.
const maintenanceTime = 6 * time.Hour

// maintained passes on what is asked about the services' data files, by store.
type maintained map[string]maintenancev1.MaintenanceServiceClient

func newMaintained(identity, events, sessions grpc.ClientConnInterface) maintained {
	return maintained{
		"identity": maintenancev1.NewMaintenanceServiceClient(identity),
		"events":   maintenancev1.NewMaintenanceServiceClient(events),
		"sessions": maintenancev1.NewMaintenanceServiceClient(sessions),
	}
}

// Compact implements maintenancev1connect.MaintenanceServiceHandler.
func (h maintained) Compact(ctx context.Context, r *maintenancev1.CompactRequest) (*maintenancev1.CompactResponse, error) {
	service, ok := h[r.GetStore()]
	if !ok {
		return nil, status.Error(codes.NotFound, "store is none of identity, events and sessions")
	}
	return service.Compact(ctx, r)
}
