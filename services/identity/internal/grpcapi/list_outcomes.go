package grpcapi

import (
	"context"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// ListOutcomes implements identityv1.QueryServiceServer.
func (a *API) ListOutcomes(ctx context.Context, r *identityv1.ListOutcomesRequest) (*identityv1.ListOutcomesResponse, error) {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
		return nil, toStatus(err)
	}
	books, err := a.store.Books(ctx, r.GetWorkspace())
	if err != nil {
		return nil, toStatus(err)
	}
	response := &identityv1.ListOutcomesResponse{}
	for i := range books {
		response.Outcomes = append(response.Outcomes, toOutcome(&books[i]))
	}
	return response, nil
}

func toOutcome(b *directory.Book) *identityv1.OutcomeCount {
	count := &identityv1.OutcomeCount{
		Source: b.Source, Type: b.Type, Accepted: b.Accepted, Duplicate: b.Duplicate, Filtered: b.Filtered, RejectedByCode: b.Rejected,
	}
	for _, n := range b.Rejected {
		count.Rejected += n
	}
	count.Received = count.Accepted + count.Duplicate + count.Filtered + count.Rejected
	return count
}
