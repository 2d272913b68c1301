package report

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sojournhq/sojourn/internal/domain/day"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
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
		amounts[p.user].add(p.amount)
	}
	reasons, err := s.reasons(ctx, r.GetWorkspace())
	if err != nil {
		return nil, err
	}
	return unattributed(amounts, reasons, cmp.Or(int(r.GetLimit()), defaultLimit)), nil
}

// reasons returns the users whose account is not known, with why.
func (s *services) reasons(ctx context.Context, workspace string) (map[string]*identityv1.UnattributedUser, error) {
	users, err := all(func(token string) ([]*identityv1.UnattributedUser, string, error) {
		page, err := s.identity.ListUnattributedUsers(ctx, &identityv1.ListUnattributedUsersRequest{
			Workspace: workspace, PageSize: pageSize, PageToken: token,
		})
		return page.GetUsers(), page.GetNextPageToken(), err
	})
	reasons := make(map[string]*identityv1.UnattributedUser, len(users))
	for _, u := range users {
		reasons[u.GetUserId()] = u
	}
	return reasons, err
}

// unattributed splits what users did by reason. What has found its account since it was added up counts for that, and is left out.
func unattributed(
	amounts map[string]*amount, reasons map[string]*identityv1.UnattributedUser, limit int,
) *reportv1.GetUnattributedResponse {
	var noUser, unknown, ambiguous share
	response := &reportv1.GetUnattributedResponse{}
	for user, a := range amounts {
		reason := reasons[user].GetReason()
		switch {
		case user == "":
			noUser.amount = *a
			continue
		case reason == identityv1.Resolution_RESOLUTION_AMBIGUOUS:
			ambiguous.add(a)
		case reason == identityv1.Resolution_RESOLUTION_UNKNOWN:
			unknown.add(a)
		default:
			continue
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
