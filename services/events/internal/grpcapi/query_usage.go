package grpcapi

import (
	"context"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/page"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// QueryUsage implements eventsv1.QueryServiceServer.
func (a *API) QueryUsage(ctx context.Context, r *eventsv1.QueryUsageRequest) (*eventsv1.QueryUsageResponse, error) {
	query, err := toQuery(r)
	if err != nil {
		return nil, err
	}
	rows, next, err := a.usagePage(ctx, r, query)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &eventsv1.QueryUsageResponse{NextPageToken: next}
	for i := range rows {
		response.Rows = append(response.Rows, toUsageRow(&rows[i], query))
	}
	return response, nil
}

// paged is a request for a page of a listing.
type paged interface {
	proto.Message
	GetWorkspace() string
	GetPageSize() int32
	GetPageToken() string
}

// usagePage returns the page of groups that a request asks for, and the token of the next.
func (a *API) usagePage(ctx context.Context, r paged, q usage.Query) (rows []usage.Row, next string, err error) {
	if r.GetWorkspace() == "" {
		return nil, "", callproto.ErrNoWorkspace
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, "", err
	}
	after, err := parseGroup(r)
	if err != nil {
		return nil, "", err
	}
	if rows, err = a.store.Usage(ctx, r.GetWorkspace(), q, after, size+1); err != nil {
		return nil, "", err
	}
	if len(rows) > size {
		last := rows[size-1].Group
		next, err = page.Token(r, last.AccountID, last.UserID, last.Module, last.Feature, strconv.FormatUint(uint64(last.Day), 10))
	}
	return rows[:min(size, len(rows))], next, err
}

func parseGroup(r paged) (*usage.Group, error) {
	position, err := page.Position(r, r.GetPageToken(), 5)
	if err != nil || position == nil {
		return nil, err
	}
	d, err := strconv.ParseUint(position[4], 10, 32)
	if err != nil {
		return nil, page.ErrToken
	}
	return &usage.Group{AccountID: position[0], UserID: position[1], Module: position[2], Feature: position[3], Day: day.Day(d)}, nil
}

var columns = map[eventsv1.GroupBy]usage.Column{
	eventsv1.GroupBy_GROUP_BY_ACCOUNT: usage.ByAccount,
	eventsv1.GroupBy_GROUP_BY_USER:    usage.ByUser,
	eventsv1.GroupBy_GROUP_BY_MODULE:  usage.ByModule,
	eventsv1.GroupBy_GROUP_BY_FEATURE: usage.ByFeature,
	eventsv1.GroupBy_GROUP_BY_DAY:     usage.ByDay,
}

func toQuery(r *eventsv1.QueryUsageRequest) (usage.Query, error) {
	q := usage.Query{AccountID: r.AccountId, UserID: r.UserId, Module: r.Module, Feature: r.Feature}
	var err error
	if q.Days, err = day.ParseSpan(r.GetFromDay(), r.GetToDay()); err != nil {
		return q, invalid(err.Error())
	}
	for _, by := range r.GetGroupBy() {
		column, known := columns[by]
		if !known {
			return q, invalid("group_by has an unknown column")
		}
		if q.By[column] {
			return q, invalid("group_by names a column twice")
		}
		q.By[column] = true
	}
	return q, nil
}

func toUsageRow(row *usage.Row, q usage.Query) *eventsv1.UsageRow {
	out := &eventsv1.UsageRow{
		AccountId: row.AccountID,
		UserId:    row.UserID,
		Module:    row.Module,
		Feature:   row.Feature,
		Uses:      row.Uses,
		Users:     row.Users,
		DaysUsed:  row.DaysUsed,
		FirstUse:  stamp(row.FirstMS),
		LastUse:   stamp(row.LastMS),
	}
	if q.By[usage.ByDay] {
		out.Day = row.Day.String()
	}
	return out
}
