package grpcapi

import (
	"context"
	"strconv"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/page"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// QueryTime implements sessionsv1.QueryServiceServer.
func (a *API) QueryTime(ctx context.Context, r *sessionsv1.QueryTimeRequest) (*sessionsv1.QueryTimeResponse, error) {
	if r.GetWorkspace() == "" {
		return nil, toStatus(callproto.ErrNoWorkspace)
	}
	query, err := toTimeQuery(r)
	if err != nil {
		return nil, err
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	after, err := parseGroup(r)
	if err != nil {
		return nil, toStatus(err)
	}
	rows, err := a.store.Time(ctx, r.GetWorkspace(), query)
	if err != nil {
		return nil, toStatus(err)
	}
	for after != nil && len(rows) > 0 && rows[0].Compare(*after) <= 0 {
		rows = rows[1:]
	}
	response := &sessionsv1.QueryTimeResponse{}
	for i := range rows[:min(size, len(rows))] {
		response.Rows = append(response.Rows, toTimeRow(&rows[i], query))
	}
	if len(rows) > size {
		last := rows[size-1].Group
		response.NextPageToken, err = page.Token(r, last.AccountID, last.UserID, last.Module, strconv.FormatUint(uint64(last.Day), 10))
	}
	return response, toStatus(err)
}

var columns = map[sessionsv1.GroupBy]session.Column{
	sessionsv1.GroupBy_GROUP_BY_ACCOUNT: session.ByAccount,
	sessionsv1.GroupBy_GROUP_BY_USER:    session.ByUser,
	sessionsv1.GroupBy_GROUP_BY_MODULE:  session.ByModule,
	sessionsv1.GroupBy_GROUP_BY_DAY:     session.ByDay,
}

func toTimeQuery(r *sessionsv1.QueryTimeRequest) (session.TimeQuery, error) {
	q := session.TimeQuery{AccountID: r.AccountId, UserID: r.UserId, Module: r.Module}
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

func parseGroup(r *sessionsv1.QueryTimeRequest) (*session.Group, error) {
	position, err := page.Position(r, r.GetPageToken(), 4)
	if err != nil || position == nil {
		return nil, err
	}
	d, err := strconv.ParseUint(position[3], 10, 32)
	if err != nil {
		return nil, page.ErrToken
	}
	return &session.Group{AccountID: position[0], UserID: position[1], Module: position[2], Day: day.Day(d)}, nil
}

func toTimeRow(row *session.TimeRow, q session.TimeQuery) *sessionsv1.TimeRow {
	out := &sessionsv1.TimeRow{
		AccountId: row.AccountID,
		UserId:    row.UserID,
		Module:    row.Module,
		Sessions:  row.Sessions,
		Users:     row.Users,
		Duration:  millis(row.DurationMS),
		Active:    millis(row.ActiveMS),
	}
	if q.By[session.ByDay] {
		out.Day = row.Day.String()
	}
	return out
}
