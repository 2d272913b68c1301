package report

import (
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sojournhq/sojourn/internal/domain/day"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
)

// toAccountActivity makes figures of what one account did.
func toAccountActivity(done *deeds, w window) *row {
	var now, before amount
	for d, a := range done.days {
		switch {
		case d >= w.firstDay(w.days):
			now.add(*a)
		case d >= w.firstDay(2*w.days):
			before.add(*a)
		}
	}
	return &row{
		ActiveUsers_1D:  done.seen.users(w.firstDay(1)),
		ActiveUsers_7D:  done.seen.users(w.firstDay(7)),
		ActiveUsers_30D: done.seen.users(w.firstDay(month)),
		Duration:        durationpb.New(now.duration),
		Active:          durationpb.New(now.active),
		Uses:            now.uses,
		DurationBefore:  durationpb.New(before.duration),
		ActiveBefore:    durationpb.New(before.active),
		UsesBefore:      before.uses,
		TimeChange:      change(int64(now.duration), int64(before.duration)),
		UsesChange:      change(now.uses, before.uses),
	}
}

// change returns how much a figure changed, as a part of what it was before; nil if there was nothing before.
func change(now, before int64) *float64 {
	if before == 0 {
		return nil
	}
	ratio := float64(now-before) / float64(before)
	return &ratio
}

// selected returns the rows that meet the request's conditions.
func selected(rows []*row, r *reportv1.ListAccountActivityRequest, w window) []*row {
	var kept []*row
	for _, a := range rows {
		if notSeenFor(a.GetLastSeenDay(), int(r.GetNotSeenForDays()), w) &&
			atMost(a.TimeChange, r.MaxTimeChange) && atMost(a.UsesChange, r.MaxUsesChange) {
			kept = append(kept, a)
		}
	}
	return kept
}

// notSeenFor says whether the last day lies at least n days before today, or there is none.
func notSeenFor(lastDay string, n int, w window) bool {
	if lastDay == "" || n == 0 {
		return true
	}
	last, err := day.Parse(lastDay)
	return err == nil && int64(w.asOf)-int64(last) >= int64(n)
}

// atMost says whether a figure meets a condition: without one any does, and no figure meets none.
func atMost(figure, limit *float64) bool { return limit == nil || (figure != nil && *figure <= *limit) }
