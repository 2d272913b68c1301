package report

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
)

// answer is a page of what one service tells of an account.
type answer = activityv1.GetActivityResponse

// deedsOf returns what an account did, with its modules and features told apart or not.
func (s *services) deedsOf(ctx context.Context, about scope, byModule bool) (*deeds, error) {
	var uses, time []*answer
	together, ctx := group.WithContext(ctx)
	together.Go(func() (err error) {
		uses, err = answers(ctx, s.usesOf, about, byModule)
		return err
	})
	together.Go(func() (err error) {
		time, err = answers(ctx, s.timeOf, about, byModule)
		return err
	})
	if err := together.Wait(); err != nil {
		return nil, err
	}
	return join(append(uses, time...)), nil
}

// answers asks one service, to the last page.
func answers(ctx context.Context, service activityv1.ActivityServiceClient, about scope, byModule bool) ([]*answer, error) {
	return all(func(token string) ([]*answer, string, error) {
		page, err := service.GetActivity(ctx, &activityv1.GetActivityRequest{
			Workspace: about.workspace, AccountId: about.account, FromDay: about.from, ToDay: about.to,
			ByModule: byModule, PageToken: token,
		})
		if err == nil && !isSound(page) {
			err = status.Error(codes.Internal, "what a service tells of activity does not hold together")
		}
		return []*answer{page}, page.GetNextPageToken(), err
	})
}

// isSound says whether an answer names only modules and places that are in it, and has the marks that it tells of.
func isSound(a *answer) bool {
	modules, places, marks := uint32(len(a.GetModules())), uint32(len(a.GetPlaces())), 0
	for _, f := range a.GetFeatures() {
		if f.GetModule() >= modules {
			return false
		}
	}
	for _, p := range a.GetPlaces() {
		if p.GetModule() >= modules {
			return false
		}
	}
	for _, p := range a.GetMarkPlaces() {
		if p >= places {
			return false
		}
	}
	for _, n := range a.GetUserMarks() {
		marks += int(n)
	}
	return len(a.GetUserIds()) == len(a.GetUserMarks()) && len(a.GetMarkPlaces()) == marks && len(a.GetMarkDays()) == marks
}
