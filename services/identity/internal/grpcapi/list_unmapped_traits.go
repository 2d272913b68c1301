package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// ListUnmappedTraits implements identityv1.QueryServiceServer.
func (a *API) ListUnmappedTraits(
	ctx context.Context, r *identityv1.ListUnmappedTraitsRequest,
) (*identityv1.ListUnmappedTraitsResponse, error) {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
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
	traits, err := directory.UnmappedTraits(ctx, a.store, r.GetWorkspace(), a.settings(r.GetWorkspace()).Settings, after, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &identityv1.ListUnmappedTraitsResponse{}
	for i := range traits[:min(size, len(traits))] {
		response.Traits = append(response.Traits, toUnmappedTrait(&traits[i]))
	}
	if len(traits) > size {
		response.NextPageToken, err = page.Token(r, traits[size-1].Name)
	}
	return response, toStatus(err)
}

func toUnmappedTrait(t *directory.UnmappedTrait) *identityv1.UnmappedTrait {
	return &identityv1.UnmappedTrait{
		From: t.Place.String(), Type: toTraitType(t.Looks), Accounts: int64(t.Accounts), LastSeen: toTimestamp(t.LastSeenMS),
	}
}

func toTraitType(l profile.Looks) identityv1.TraitType {
	if l.Mixed() {
		return identityv1.TraitType_TRAIT_TYPE_MIXED
	}
	return map[profile.Looks]identityv1.TraitType{
		profile.LikeText:   identityv1.TraitType_TRAIT_TYPE_STRING,
		profile.LikeNumber: identityv1.TraitType_TRAIT_TYPE_NUMBER,
		profile.LikeFlag:   identityv1.TraitType_TRAIT_TYPE_BOOLEAN,
		profile.LikeDate:   identityv1.TraitType_TRAIT_TYPE_DATE,
		profile.LikeList:   identityv1.TraitType_TRAIT_TYPE_LIST,
	}[l]
}
