// Package activityproto translates between activity and sojourn.activity.v1, for the services that answer it.
package activityproto

import (
	"errors"
	"strconv"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/page"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
)

var errNoAccount = errors.New("account_id is required")

// Query returns what a request asks. Its errors are the client's.
func Query(r *activityv1.GetActivityRequest) (q activity.Query, err error) {
	switch {
	case r.GetWorkspace() == "":
		return q, callproto.ErrNoWorkspace
	case r.GetAccountId() == "":
		return q, errNoAccount
	}
	q = activity.Query{AccountID: r.GetAccountId(), ByModule: r.GetByModule()}
	if q.Days, err = day.ParseSpan(r.GetFromDay(), r.GetToDay()); err != nil {
		return q, err
	}
	position, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil || position == nil {
		return q, err
	}
	from, err := strconv.ParseUint(position[0], 10, 32)
	if err != nil {
		return q, page.ErrToken
	}
	q.From = uint32(from)
	return q, nil
}

// Response returns the answer to a request. It shares lists with the activity.
func Response(r *activityv1.GetActivityRequest, a *activity.Activity) (*activityv1.GetActivityResponse, error) {
	response := &activityv1.GetActivityResponse{
		UserIds: a.UserIDs, UserMarks: a.UserMarks, MarkPlaces: a.MarkPlaces, MarkDays: a.MarkDays,
	}
	for _, m := range a.Modules {
		response.Modules = append(response.Modules, &activityv1.ActivityModule{
			Module: m.Module, DurationMs: m.DurationMS, ActiveMs: m.ActiveMS,
			UserDurationMs: m.UserDurationMS, UserActiveMs: m.UserActiveMS,
		})
	}
	for i := range a.Features {
		response.Features = append(response.Features, toFeature(&a.Features[i]))
	}
	for _, d := range a.Days {
		response.Days = append(response.Days, &activityv1.ActivityDay{
			Day: uint32(d.Day), Uses: d.Uses, DurationMs: d.DurationMS, ActiveMs: d.ActiveMS,
		})
	}
	for _, p := range a.Places {
		response.Places = append(response.Places, &activityv1.ActivityPlace{Module: p.Module, Block: p.Block, Visit: p.Visit})
	}
	var err error
	if a.Next != 0 {
		response.NextPageToken, err = page.Token(r, strconv.FormatUint(uint64(a.Next), 10))
	}
	return response, err
}

func toFeature(f *activity.Feature) *activityv1.ActivityFeature {
	out := &activityv1.ActivityFeature{
		Module: f.Module, Feature: f.Feature, Uses: f.Uses, UserUses: f.UserUses, Users: f.Users, UserDays: f.UserDays, LastUseMs: f.LastMS,
	}
	for _, d := range f.Days {
		out.Days = append(out.Days, &activityv1.ActivityDays{Block: d.Block, Days: d.Bits})
	}
	return out
}
