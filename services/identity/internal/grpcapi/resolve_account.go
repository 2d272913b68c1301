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
	response := &identityv1.ResolveAccountResponse{AccountId: resolution.Account, Candidates: resolution.Candidates}
	switch resolution.State {
	case attribution.Unknown:
		response.Resolution = identityv1.Resolution_RESOLUTION_UNKNOWN
	case attribution.Known:
		response.Resolution = identityv1.Resolution_RESOLUTION_ACCOUNT
	case attribution.Ambiguous:
		response.Resolution = identityv1.Resolution_RESOLUTION_AMBIGUOUS
	}
	return response, nil
}
