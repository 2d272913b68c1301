package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// ResolveAccount implements identityv1.QueryServiceServer.
func (a *API) ResolveAccount(ctx context.Context, r *identityv1.ResolveAccountRequest) (*identityv1.ResolveAccountResponse, error) {
	if err := required(r.GetWorkspace(), r.GetUserId(), errNoUser); err != nil {
		return nil, toStatus(err)
	}
	resolution, err := a.store.Resolve(ctx, r.GetWorkspace(), r.GetUserId())
	if err != nil {
		return nil, toStatus(err)
	}
	return &identityv1.ResolveAccountResponse{
		Resolution: toResolution(resolution.State), AccountId: resolution.Account, Candidates: resolution.Candidates,
	}, nil
}

func toResolution(s attribution.State) identityv1.Resolution {
	switch s {
	case attribution.Known:
		return identityv1.Resolution_RESOLUTION_ACCOUNT
	case attribution.Ambiguous:
		return identityv1.Resolution_RESOLUTION_AMBIGUOUS
	default:
		return identityv1.Resolution_RESOLUTION_UNKNOWN
	}
}
