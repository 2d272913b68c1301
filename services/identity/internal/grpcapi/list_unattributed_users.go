package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// ListUnattributedUsers implements identityv1.QueryServiceServer.
func (a *API) ListUnattributedUsers(
	ctx context.Context, r *identityv1.ListUnattributedUsersRequest,
) (*identityv1.ListUnattributedUsersResponse, error) {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
		return nil, toStatus(err)
	}
	reason, err := toReason(r.GetReason())
	if err != nil {
		return nil, toStatus(err)
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	position, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil {
		return nil, toStatus(err)
	}
	after := ""
	if position != nil {
		after = position[0]
	}
	users, err := a.store.Unattributed(ctx, r.GetWorkspace(), reason, after, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &identityv1.ListUnattributedUsersResponse{}
	for i := range users[:min(size, len(users))] {
		response.Users = append(response.Users, toUnattributedUser(&users[i]))
	}
	if len(users) > size {
		response.NextPageToken, err = page.Token(r, users[size-1].UserID)
	}
	return response, toStatus(err)
}

// toReason returns the state to look for; nil: both.
func toReason(r identityv1.Resolution) (*attribution.State, error) {
	switch r {
	case identityv1.Resolution_RESOLUTION_UNSPECIFIED:
		return nil, nil
	case identityv1.Resolution_RESOLUTION_UNKNOWN:
		return new(attribution.Unknown), nil
	case identityv1.Resolution_RESOLUTION_AMBIGUOUS:
		return new(attribution.Ambiguous), nil
	default:
		return nil, errReason
	}
}

func toUnattributedUser(u *directory.Unattributed) *identityv1.UnattributedUser {
	return &identityv1.UnattributedUser{
		UserId: u.UserID, Reason: toResolution(u.Why.State), Candidates: u.Why.Candidates, LastSeen: toSeen(u.LastSeenMS),
	}
}
