package storetest

import (
	"context"
	"math/bits"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// presence is a day of a user in a module, with or without time.
type presence struct {
	user, module string
	day          day.Day
	visit        bool
}

// checkActivity holds what is told of an account, page by page, against rows of time by user, module and day.
func checkActivity(t testing.TB, store session.Store, workspace, account string, rows []session.TimeRow) {
	t.Helper()
	want, got := map[presence]bool{}, map[presence]bool{}
	var wantMS, gotMS [2]int64
	for _, row := range rows {
		if row.AccountID != account {
			continue
		}
		want[presence{row.UserID, row.Module, row.Day, row.DurationMS == 0}] = true
		wantMS[0] += row.DurationMS
		if row.UserID != "" {
			wantMS[1] += row.ActiveMS
		}
	}
	q := activity.Query{AccountID: account, Days: day.Span{To: day.Max}, ByModule: true, MaxMarks: 2}
	for more := true; more; more = q.From != 0 {
		page, err := store.Activity(context.Background(), workspace, q)
		if err != nil {
			t.Error(err)
			return
		}
		for _, m := range page.Modules {
			gotMS[0], gotMS[1] = gotMS[0]+m.DurationMS, gotMS[1]+m.UserActiveMS
		}
		addPresences(got, page)
		q.From = page.Next
	}
	if gotMS != wantMS {
		t.Errorf("%s spent, and its users were active, %d ms, want %d", account, gotMS, wantMS)
	}
	for p := range got { // where a user has time as well as visits, marked is both
		if p.visit && want[presence{p.user, p.module, p.day, false}] {
			delete(got, p)
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(presence{})); diff != "" {
		t.Errorf("presence of %s (-want +got):\n%s", account, diff)
	}
}

func addPresences(all map[presence]bool, page *activity.Activity) {
	at := 0
	for i, user := range page.UserIDs {
		for range page.UserMarks[i] {
			place := page.Places[page.MarkPlaces[at]]
			for set := page.MarkDays[at]; set != 0; set &= set - 1 {
				d := day.Day(place.Block*64) + day.Day(bits.TrailingZeros64(set))
				all[presence{user, page.Modules[place.Module].Module, d, place.Visit}] = true
			}
			at++
		}
	}
}
