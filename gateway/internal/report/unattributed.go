package report

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sojournhq/sojourn/internal/domain/day"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
	// usersAtOnce is how many users identity is asked about side by side.
	usersAtOnce = 16
)

// GetUnattributed implements reportv1connect.ReportServiceHandler.
func (s *Reports) GetUnattributed(
	ctx context.Context, r *reportv1.GetUnattributedRequest,
) (*reportv1.GetUnattributedResponse, error) {
	if _, err := day.ParseSpan(r.GetFromDay(), r.GetToDay()); err != nil {
		return nil, invalid(err)
	}
	if r.GetLimit() < 0 || r.GetLimit() > maxLimit {
		return nil, invalid(errors.New("limit is not from 0 to 1000"))
	}
	parts, err := s.activity(ctx, scope{workspace: r.GetWorkspace(), from: r.GetFromDay(), to: r.GetToDay()}, byUser())
	if err != nil {
		return nil, err
	}
	amounts := map[string]*amount{}
	for i := range parts {
		p := &parts[i]
		if !p.isUse() {
			continue
		}
		if amounts[p.user] == nil {
			amounts[p.user] = &amount{}
		}
		amounts[p.user].add(p)
	}
	reasons, err := s.reasons(ctx, r.GetWorkspace(), slices.Sorted(maps.Keys(amounts)))
	if err != nil {
		return nil, err
	}
	return unattributed(amounts, reasons, cmp.Or(int(r.GetLimit()), defaultLimit)), nil
}

// reasons asks what is known of the accounts of users; of no user there is nothing to ask.
func (s *services) reasons(ctx context.Context, workspace string, users []string) (map[string]*identityv1.ResolveAccountResponse, error) {
	found := make([]*identityv1.ResolveAccountResponse, len(users))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(usersAtOnce)
	for i, user := range users {
		if asking.Err() != nil {
			break
		}
		if user == "" {
			continue
		}
		group.Go(func() (err error) {
			found[i], err = s.identity.ResolveAccount(asking, &identityv1.ResolveAccountRequest{Workspace: workspace, UserId: user})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	reasons := map[string]*identityv1.ResolveAccountResponse{}
	for i, user := range users {
		reasons[user] = found[i]
	}
	return reasons, nil
}

// unattributed splits what users did by reason. What has found its account since it was added up counts for that, and is left out.
func unattributed(
	amounts map[string]*amount, reasons map[string]*identityv1.ResolveAccountResponse, limit int,
) *reportv1.GetUnattributedResponse {
	var noUser, unknown, ambiguous share
	response := &reportv1.GetUnattributedResponse{}
	for user, a := range amounts {
		reason := reasons[user].GetResolution()
		switch {
		case user == "":
			noUser.amount = *a
			continue
		case reason == identityv1.Resolution_RESOLUTION_ACCOUNT:
			continue
		case reason == identityv1.Resolution_RESOLUTION_AMBIGUOUS:
			ambiguous.add(a)
		default:
			unknown.add(a)
		}
		response.Users = append(response.Users, &reportv1.UnattributedUser{
			UserId: user, Reason: reason, Candidates: reasons[user].GetCandidates(),
			Uses: a.uses, Duration: durationpb.New(a.duration), Active: durationpb.New(a.active),
		})
	}
	slices.SortFunc(response.GetUsers(), func(a, b *reportv1.UnattributedUser) int {
		return cmp.Or(
			cmp.Compare(b.GetUses(), a.GetUses()),
			cmp.Compare(b.GetDuration().AsDuration(), a.GetDuration().AsDuration()),
			cmp.Compare(a.GetUserId(), b.GetUserId()),
		)
	})
	listed := min(limit, len(response.GetUsers()))
	response.UsersOmitted = int64(len(response.GetUsers()) - listed)
	response.Users = response.GetUsers()[:listed]
	response.NoUser, response.Unknown, response.Ambiguous = noUser.proto(), unknown.proto(), ambiguous.proto()
	return response
}

// share is what counts for no account for one reason.
type share struct {
	amount

	users int64
}

func (s *share) add(a *amount) {
	s.uses += a.uses
	s.duration += a.duration
	s.active += a.active
	s.users++
}

func (s *share) proto() *reportv1.Unattributed {
	return &reportv1.Unattributed{
		Uses: s.uses, Duration: durationpb.New(s.duration), Active: durationpb.New(s.active), Users: s.users,
	}
}
