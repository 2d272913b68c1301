package report

import (
	"context"
	"errors"
	"maps"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
)

// usersAtOnce is how many users identity is asked about side by side.
const usersAtOnce = 8

// ListNonUsers implements reportv1connect.ReportServiceHandler.
func (s *Reports) ListNonUsers(ctx context.Context, r *reportv1.ListNonUsersRequest) (*reportv1.ListNonUsersResponse, error) {
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, invalid(err)
	}
	if err := checkNonUsers(r); err != nil {
		return nil, invalid(err)
	}
	after, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil {
		return nil, invalid(err)
	}
	all, err := s.nonUsers(ctx, r)
	if err != nil {
		return nil, err
	}
	response := &reportv1.ListNonUsersResponse{Total: int64(len(all))}
	rest := behind(all, after)
	if len(rest) > size {
		rest = rest[:size]
		if response.NextPageToken, err = page.Token(r, rest[size-1]); err != nil {
			return nil, err
		}
	}
	response.Users, err = s.named(ctx, r.GetWorkspace(), r.GetAccountId(), rest)
	return response, err
}

func checkNonUsers(r *reportv1.ListNonUsersRequest) error {
	switch {
	case r.GetAccountId() == "":
		return errNoAccount
	case r.Feature != nil && r.Module == nil:
		return errors.New("feature needs a module: empty text for no module")
	}
	_, err := day.ParseSpan(r.GetFromDay(), r.GetToDay())
	return err
}

// behind returns the ids, which are in order, behind the position of a page token; all of them for none.
func behind(ids, position []string) []string {
	if position == nil {
		return ids
	}
	i, found := slices.BinarySearch(ids, position[0])
	if found {
		i++
	}
	return ids[i:]
}

// nonUsers returns the ids of the users whom the usage report counts as non-users, in order: the users of the account, as members counts
// them, without those who used what the request names.
func (s *services) nonUsers(ctx context.Context, r *reportv1.ListNonUsersRequest) ([]string, error) {
	about := scope{workspace: r.GetWorkspace(), account: r.GetAccountId(), from: r.GetFromDay(), to: r.GetToDay()}
	var listed []string
	var usedAny, used map[string]bool
	together, ctx := group.WithContext(ctx)
	together.Go(func() error { return s.exists(ctx, about) })
	together.Go(func() (err error) {
		listed, err = s.users(ctx, about.workspace, about.account)
		return err
	})
	together.Go(func() (err error) {
		usedAny, err = s.usersOf(ctx, about)
		return err
	})
	if r.Module != nil {
		together.Go(func() (err error) {
			used, err = s.usersOf(ctx, about.within(r.Module, r.Feature))
			return err
		})
	}
	if err := together.Wait(); err != nil {
		return nil, err
	}
	if r.Module == nil {
		used = usedAny
	}
	members := maps.Clone(usedAny)
	for _, id := range listed {
		members[id] = true
	}
	maps.DeleteFunc(members, func(id string, _ bool) bool { return used[id] })
	return slices.Sorted(maps.Keys(members)), nil
}

// usersOf returns who used something.
func (s *services) usersOf(ctx context.Context, about scope) (map[string]bool, error) {
	parts, err := s.activity(ctx, about, byUser())
	users := map[string]bool{}
	for i := range parts {
		if p := &parts[i]; p.user != "" && p.isUse() {
			users[p.user] = true
		}
	}
	return users, err
}

// exists returns NOT_FOUND if no call named the account.
func (s *services) exists(ctx context.Context, about scope) error {
	_, err := s.identity.GetAccount(ctx, &identityv1.GetAccountRequest{
		Workspace: about.workspace, AccountId: about.account, IdOnly: true,
	})
	return err
}

// named returns users with what identity knows of them.
func (s *services) named(ctx context.Context, workspace, account string, ids []string) ([]*identityv1.User, error) {
	users := make([]*identityv1.User, len(ids))
	together, ctx := group.WithContext(ctx)
	together.SetLimit(usersAtOnce)
	for i, id := range ids {
		together.Go(func() error {
			found, err := s.identity.GetUser(ctx, &identityv1.GetUserRequest{Workspace: workspace, UserId: id, AccountId: &account})
			users[i] = found.GetUser()
			if status.Code(err) == codes.NotFound {
				users[i], err = &identityv1.User{UserId: id, AccountId: account}, nil
			}
			return err
		})
	}
	return users, together.Wait()
}
