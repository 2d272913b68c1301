package crash

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/protobuf/proto"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// everything is more rows than a workspace has here.
const everything = 1000

type eventsStore struct {
	closer
	rpcs rpcs
}

func (s eventsStore) step(ctx context.Context, seed uint64, sender, step int) error {
	_, err := s.rpcs["sojourn.events.v1.IngestService"].(eventsv1.IngestServiceServer).RecordCalls(ctx,
		&eventsv1.RecordCallsRequest{Workspace: workspace(sender), Calls: calls(seed, sender, step)})
	return err
}

func (s eventsStore) state(ctx context.Context, sender int) (string, error) {
	q, w := s.rpcs["sojourn.events.v1.QueryService"].(eventsv1.QueryServiceServer), workspace(sender)
	list, err := q.ListEvents(ctx, &eventsv1.ListEventsRequest{Workspace: w, PageSize: everything})
	usage, usageErr := q.QueryUsage(ctx, &eventsv1.QueryUsageRequest{Workspace: w, PageSize: everything, GroupBy: []eventsv1.GroupBy{
		eventsv1.GroupBy_GROUP_BY_ACCOUNT, eventsv1.GroupBy_GROUP_BY_USER, eventsv1.GroupBy_GROUP_BY_MODULE, eventsv1.GroupBy_GROUP_BY_DAY,
	}})
	return text(errors.Join(err, usageErr), list, usage)
}

type identityStore struct {
	closer
	rpcs rpcs
}

func (s identityStore) step(ctx context.Context, seed uint64, sender, step int) error {
	_, err := s.rpcs["sojourn.identity.v1.IngestService"].(identityv1.IngestServiceServer).RecordCalls(ctx, &identityv1.RecordCallsRequest{
		Workspace: workspace(sender), Calls: calls(seed, sender, step), Rejections: rejections(seed, sender, step), ReceivedMs: day0 + 72*3600*1000,
	})
	return err
}

func (s identityStore) state(ctx context.Context, sender int) (string, error) {
	q, w := s.rpcs["sojourn.identity.v1.QueryService"].(identityv1.QueryServiceServer), workspace(sender)
	users, err := q.ListUsers(ctx, &identityv1.ListUsersRequest{Workspace: w, PageSize: everything})
	accounts, accountsErr := q.ListAccounts(ctx, &identityv1.ListAccountsRequest{Workspace: w, IncludeIncomplete: true, PageSize: everything})
	books, booksErr := q.ListOutcomes(ctx, &identityv1.ListOutcomesRequest{Workspace: w})
	for _, b := range books.GetOutcomes() {
		b.Received, b.Duplicate = 0, 0 // count every attempt
	}
	return text(errors.Join(err, accountsErr, booksErr), users, accounts, books)
}

type sessionsStore struct {
	closer
	rpcs rpcs
}

func (s sessionsStore) step(ctx context.Context, seed uint64, sender, step int) error {
	_, err := s.rpcs["sojourn.sessions.v1.IngestService"].(sessionsv1.IngestServiceServer).RecordCalls(ctx,
		&sessionsv1.RecordCallsRequest{Workspace: workspace(sender), Calls: calls(seed, sender, step)})
	return err
}

func (s sessionsStore) state(ctx context.Context, sender int) (string, error) {
	q, w := s.rpcs["sojourn.sessions.v1.QueryService"].(sessionsv1.QueryServiceServer), workspace(sender)
	list, err := q.ListSessions(ctx, &sessionsv1.ListSessionsRequest{Workspace: w, PageSize: everything})
	for _, session := range list.GetSessions() {
		session.State, session.Revision = 0, 0 // depend on when the session was noticed to have ended
	}
	sums, sumsErr := q.QueryTime(ctx, &sessionsv1.QueryTimeRequest{Workspace: w, PageSize: everything, GroupBy: []sessionsv1.GroupBy{
		sessionsv1.GroupBy_GROUP_BY_ACCOUNT, sessionsv1.GroupBy_GROUP_BY_USER, sessionsv1.GroupBy_GROUP_BY_MODULE, sessionsv1.GroupBy_GROUP_BY_DAY,
	}})
	return text(errors.Join(err, sumsErr), list, sums)
}

// text writes answers so that equal ones are equal, and none is cut off.
func text(err error, answers ...proto.Message) (string, error) {
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, a := range answers {
		if more, ok := a.(interface{ GetNextPageToken() string }); ok && more.GetNextPageToken() != "" {
			return "", errors.New("a workspace has more rows than fit a page")
		}
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(a)
		if err != nil {
			return "", err
		}
		_, _ = b.Write(encoded)
		_ = b.WriteByte(0)
	}
	return b.String(), nil
}
