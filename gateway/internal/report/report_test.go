package report_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"

	"github.com/sojournhq/sojourn/gateway/internal/report"
)

var errFailed = errors.New("failed")

// asked is what the services were asked: nothing is answered but which accounts there are.
type asked struct {
	underWay atomic.Int64
	begun    chan struct{} // closed when a request waits
	once     sync.Once
}

// silent is a connection to a service that answers when it is not asked any more.
type silent struct {
	grpc.ClientConnInterface
	*asked
}

func (s silent) Invoke(ctx context.Context, _ string, _, reply any, _ ...grpc.CallOption) error {
	if list, ok := reply.(*identityv1.ListAccountsResponse); ok {
		for _, id := range []string{"acme", "globex", "initech"} {
			list.Accounts = append(list.Accounts, &identityv1.Account{AccountId: id})
		}
		return nil
	}
	s.underWay.Add(1)
	defer s.underWay.Add(-1)
	s.once.Do(func() { close(s.begun) })
	<-ctx.Done()
	return ctx.Err()
}

// failing is a connection to a service that fails while another one is being asked.
type failing struct {
	grpc.ClientConnInterface
	*asked
}

func (f failing) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	<-f.begun
	return errFailed
}

func TestAReportOfWhichAPartFailsEndsWithAllThatItAskedFor(t *testing.T) {
	for name, ask := range map[string]func(r *report.Reports) error{
		"usage of an account": func(r *report.Reports) error {
			_, err := r.GetAccountUsage(t.Context(), &reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: "acme"})
			return err
		},
		"overview of an account": func(r *report.Reports) error {
			_, err := r.GetAccountOverview(t.Context(), &reportv1.GetAccountOverviewRequest{Workspace: "w", AccountId: "acme"})
			return err
		},
		"activity of all accounts": func(r *report.Reports) error {
			_, err := r.ListAccountActivity(t.Context(), &reportv1.ListAccountActivityRequest{Workspace: "w"})
			return err
		},
		"what belongs to none": func(r *report.Reports) error {
			_, err := r.GetUnattributed(t.Context(), &reportv1.GetUnattributedRequest{Workspace: "w"})
			return err
		},
	} {
		for which, service := range []string{"events", "sessions"} {
			t.Run(name+" without "+service, func(t *testing.T) {
				all := &asked{begun: make(chan struct{})}
				conns := [2]grpc.ClientConnInterface{silent{asked: all}, silent{asked: all}}
				conns[which] = failing{asked: all}
				err := ask(report.New(silent{asked: all}, conns[0], conns[1], time.Now))
				if !errors.Is(err, errFailed) {
					t.Errorf("got %v, want what the service said", err)
				}
				if n := all.underWay.Load(); n != 0 {
					t.Errorf("%d requests go on", n)
				}
			})
		}
	}
}
