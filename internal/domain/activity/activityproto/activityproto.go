// Package activityproto translates between activity and sojourn.activity.v1, for the services that answer it.
package activityproto

import (
	"context"
	"errors"
	"strconv"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/page"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
)

var errNoAccount = errors.New("account_id is required")

// Read returns what an account of a workspace did.
type Read func(ctx context.Context, workspace string, q activity.Query) (*activity.Activity, error)

// Status gives an error the status that its client needs; those in mistakes are the client's own.
type Status func(err error, mistakes ...error) error

// Get answers a request from what is read. Its errors have a status.
func Get(ctx context.Context, r *activityv1.GetActivityRequest, read Read, to Status) (*activityv1.GetActivityResponse, error) {
	query, err := question(r)
	if err != nil {
		return nil, to(err, err)
	}
	a, err := read(ctx, r.GetWorkspace(), query)
	if err != nil {
		return nil, to(err)
	}
	answer, err := response(r, a)
	return answer, to(err)
}

// question returns what a request asks. Its errors are the client's.
func question(r *activityv1.GetActivityRequest) (q activity.Query, err error) {
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

// response returns the answer to a request. It shares lists with the activity.
func response(r *activityv1.GetActivityRequest, a *activity.Activity) (*activityv1.GetActivityResponse, error) {
	answer := &activityv1.GetActivityResponse{
		UserIds: a.UserIDs, UserMarks: a.UserMarks, MarkPlaces: a.MarkPlaces, MarkDays: a.MarkDays,
	}
	for _, m := range a.Modules {
		answer.Modules = append(answer.Modules, &activityv1.ActivityModule{
			Module: m.Module, DurationMs: m.DurationMS, ActiveMs: m.ActiveMS,
			UserDurationMs: m.UserDurationMS, UserActiveMs: m.UserActiveMS,
		})
	}
	for i := range a.Features {
		answer.Features = append(answer.Features, toFeature(&a.Features[i]))
	}
	for _, d := range a.Days {
		answer.Days = append(answer.Days, &activityv1.ActivityDay{
			Day: uint32(d.Day), Uses: d.Uses, DurationMs: d.DurationMS, ActiveMs: d.ActiveMS,
		})
	}
	for _, p := range a.Places {
		answer.Places = append(answer.Places, &activityv1.ActivityPlace{Module: p.Module, Block: p.Block, Visit: p.Visit})
	}
	var err error
	if a.Next != 0 {
		answer.NextPageToken, err = page.Token(r, strconv.FormatUint(uint64(a.Next), 10))
	}
	return answer, err
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
