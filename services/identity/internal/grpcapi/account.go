package grpcapi

import (
	"context"
	"slices"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// toAccount returns an account that is seen as view, with its dimensions, which may have to be read from its users.
func (a *API) toAccount(
	ctx context.Context, workspace string, account *directory.Account, view profile.View, settings profile.Settings,
) (*identityv1.Account, error) {
	dimensions, problems, err := directory.Dimensions(ctx, a.store, workspace, account, settings.Dimensions)
	if err != nil {
		return nil, err
	}
	problems = append(problems, view.Problems...)
	slices.SortFunc(problems, profile.Problem.Compare)
	missing := profile.Missing(view)
	return &identityv1.Account{
		AccountId: account.AccountID, Complete: len(missing) == 0, Traits: toAccountTraits(view), Dimensions: toDimensions(dimensions),
		Problems: toProblems(problems), Missing: missing,
	}, nil
}

func toDimensions(values []profile.DimensionValue) []*identityv1.Dimension {
	out := make([]*identityv1.Dimension, 0, len(values))
	for _, v := range values {
		d := &identityv1.Dimension{Name: v.Name}
		switch v.Type {
		case profile.StringDimension:
			d.Value = &identityv1.Dimension_String_{String_: v.Value.Text}
		case profile.NumberDimension:
			d.Value = &identityv1.Dimension_Number{Number: v.Value.Number}
		case profile.DateDimension:
			d.Value = &identityv1.Dimension_Date{Date: toTimestamp(v.Value.TimeMS)}
		}
		out = append(out, d)
	}
	return out
}
