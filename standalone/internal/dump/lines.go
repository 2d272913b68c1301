package dump

import (
	"context"
	"slices"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

type eventLine struct {
	Kind      string `json:"kind"`
	Workspace string `json:"workspace"`
	Time      string `json:"time"`
	MessageID string `json:"messageId"`
	Feature   string `json:"feature"`
	Module    string `json:"module"`
	UserID    string `json:"userId"`
	AccountID string `json:"accountId"`
}

func (p *printer) printEvents(ctx context.Context, workspace string) error {
	return eachPage(func(token string) (string, error) {
		page, err := p.events.ListEvents(ctx, &eventsv1.ListEventsRequest{Workspace: workspace, PageSize: pageSize, PageToken: token})
		if err != nil {
			return "", err
		}
		return page.GetNextPageToken(), printAll(p, page.GetEvents(), func(e *eventsv1.Event) eventLine {
			return eventLine{
				"event", workspace, clock(e.GetTime()), e.GetMessageId(), e.GetFeature(), e.GetModule(), e.GetUserId(), e.GetAccountId(),
			}
		})
	})
}

type userLine struct {
	Kind      string         `json:"kind"`
	Workspace string         `json:"workspace"`
	AccountID string         `json:"accountId"`
	UserID    string         `json:"userId"`
	Traits    map[string]any `json:"traits"`
	Problems  []string       `json:"problems"`
}

func (p *printer) printUsers(ctx context.Context, workspace string) error {
	return eachPage(func(token string) (string, error) {
		page, err := p.identity.ListUsers(ctx, &identityv1.ListUsersRequest{Workspace: workspace, PageSize: pageSize, PageToken: token})
		if err != nil {
			return "", err
		}
		return page.GetNextPageToken(), printAll(p, page.GetUsers(), func(u *identityv1.User) userLine {
			return userLine{"user", workspace, u.GetAccountId(), u.GetUserId(), traits(u.GetTraits()), codes(u.GetProblems())}
		})
	})
}

type accountLine struct {
	Kind       string         `json:"kind"`
	Workspace  string         `json:"workspace"`
	AccountID  string         `json:"accountId"`
	Complete   bool           `json:"complete"`
	Traits     map[string]any `json:"traits"`
	Dimensions map[string]any `json:"dimensions"`
	Problems   []string       `json:"problems"`
}

func (p *printer) printAccounts(ctx context.Context, workspace string) error {
	return eachPage(func(token string) (string, error) {
		page, err := p.identity.ListAccounts(ctx, &identityv1.ListAccountsRequest{
			Workspace: workspace, IncludeIncomplete: true, PageSize: pageSize, PageToken: token,
		})
		if err != nil {
			return "", err
		}
		return page.GetNextPageToken(), printAll(p, page.GetAccounts(), func(a *identityv1.Account) accountLine {
			return accountLine{
				"account", workspace, a.GetAccountId(), a.GetComplete(), traits(a.GetTraits()), dimensions(a.GetDimensions()),
				codes(a.GetProblems()),
			}
		})
	})
}

type sessionLine struct {
	Kind      string `json:"kind"`
	Workspace string `json:"workspace"`
	Session
}

// Session is a session in the form in which lines hold it.
type Session struct {
	AnonymousID string       `json:"anonymousId"`
	Start       string       `json:"start"`
	End         string       `json:"end"`
	UserID      string       `json:"userId"`
	AccountID   string       `json:"accountId"`
	DurationMS  int64        `json:"durationMs"`
	ActiveMS    int64        `json:"activeMs"`
	Events      int64        `json:"events"`
	Modules     []ModuleTime `json:"modules"`
}

// ModuleTime is the time that a session spent in one module.
type ModuleTime struct {
	Module     string `json:"module"`
	DurationMS int64  `json:"durationMs"`
	ActiveMS   int64  `json:"activeMs"`
}

// SessionOf returns a session in the form of lines.
func SessionOf(s *sessionsv1.Session) Session {
	out := Session{
		s.GetAnonymousId(), clock(s.GetStart()), clock(s.GetEnd()), s.GetUserId(), s.GetAccountId(),
		millis(s.GetDuration()), millis(s.GetActive()), s.GetEvents(),
		[]ModuleTime{},
	}
	for _, m := range s.GetModules() {
		out.Modules = append(out.Modules, ModuleTime{m.GetModule(), millis(m.GetDuration()), millis(m.GetActive())})
	}
	return out
}

func (p *printer) printSessions(ctx context.Context, workspace string) error {
	return eachPage(func(token string) (string, error) {
		page, err := p.sessions.ListSessions(ctx, &sessionsv1.ListSessionsRequest{
			Workspace: workspace, PageSize: pageSize, PageToken: token,
		})
		if err != nil {
			return "", err
		}
		return page.GetNextPageToken(), printAll(p, page.GetSessions(), func(s *sessionsv1.Session) sessionLine {
			return sessionLine{"session", workspace, SessionOf(s)}
		})
	})
}

type outcomeLine struct {
	Kind      string `json:"kind"`
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	Type      string `json:"type"`
	Accepted  int64  `json:"accepted"`
	Rejected  int64  `json:"rejected"`
}

func (p *printer) printOutcomes(ctx context.Context, workspace string) error {
	books, err := p.identity.ListOutcomes(ctx, &identityv1.ListOutcomesRequest{Workspace: workspace})
	if err != nil {
		return err
	}
	// What came as copies only, or is filtered, is counted but is no part of the state.
	counted := slices.DeleteFunc(books.GetOutcomes(), func(o *identityv1.OutcomeCount) bool { return o.GetAccepted()+o.GetRejected() == 0 })
	return printAll(p, counted, func(o *identityv1.OutcomeCount) outcomeLine {
		return outcomeLine{"outcome", workspace, o.GetSource(), o.GetType(), o.GetAccepted(), o.GetRejected()}
	})
}
