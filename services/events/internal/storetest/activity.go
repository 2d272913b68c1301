package storetest

import (
	"context"
	"math/bits"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// mark is one day of a user in a module.
type mark struct {
	user, module string
	day          day.Day
}

// featureOf is what is told of a feature.
type featureOf struct{ Uses, UserUses, Users, UserDays, DaysUsed, LastMS int64 }

// compareActivity holds what is told of an account against the oracle's uses.
func compareActivity(t *rapid.T, store usage.Store, workspace string, want oracle, account string, days day.Span) {
	q := activity.Query{AccountID: account, Days: days, ByModule: true, MaxMarks: rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "marks")}
	marks, features := map[mark]bool{}, map[[2]string]featureOf{}
	used := map[[2]string]map[day.Day]bool{}
	for more := true; more; more = q.From != 0 {
		got, err := store.Activity(context.Background(), workspace, q)
		if err != nil {
			t.Fatal(err)
		}
		addMarks(marks, got)
		addFeatures(features, used, got)
		q.From = got.Next
	}
	wantMarks, wantFeatures := map[mark]bool{}, map[[2]string]featureOf{}
	by, of := usage.Query{Days: days, AccountID: &account}, usage.Query{Days: days, AccountID: &account}
	by.By[usage.ByUser], by.By[usage.ByModule], by.By[usage.ByFeature], by.By[usage.ByDay] = true, true, true, true
	of.By[usage.ByModule], of.By[usage.ByFeature] = true, true
	for _, row := range want.usage(of) {
		wantFeatures[[2]string{row.Module, row.Feature}] = featureOf{Uses: row.Uses, Users: row.Users, DaysUsed: row.DaysUsed, LastMS: row.LastMS}
	}
	for _, row := range want.usage(by) {
		wantMarks[mark{row.UserID, row.Module, row.Day}] = true
		if row.UserID != "" {
			f := wantFeatures[[2]string{row.Module, row.Feature}]
			f.UserUses += row.Uses
			f.UserDays++
			wantFeatures[[2]string{row.Module, row.Feature}] = f
		}
	}
	if diff := cmp.Diff(wantMarks, marks, cmpopts.EquateEmpty(), cmp.AllowUnexported(mark{})); diff != "" {
		t.Fatalf("marks of %s (-want +got):\n%s", account, diff)
	}
	if diff := cmp.Diff(wantFeatures, features, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("features of %s (-want +got):\n%s", account, diff)
	}
}

// addMarks adds the marks of a page.
func addMarks(marks map[mark]bool, got *activity.Activity) {
	at := 0
	for i, user := range got.UserIDs {
		for range got.UserMarks[i] {
			place := got.Places[got.MarkPlaces[at]]
			for set := got.MarkDays[at]; set != 0; set &= set - 1 {
				marks[mark{user, got.Modules[place.Module].Module, day.Day(place.Block*64) + day.Day(bits.TrailingZeros64(set))}] = true
			}
			at++
		}
	}
}

// addFeatures adds what a page tells of features to what other pages do.
func addFeatures(features map[[2]string]featureOf, used map[[2]string]map[day.Day]bool, got *activity.Activity) {
	for i := range got.Features {
		f := &got.Features[i]
		key := [2]string{got.Modules[f.Module].Module, f.Feature}
		if used[key] == nil {
			used[key] = map[day.Day]bool{}
		}
		for _, d := range f.Days {
			for set := d.Bits; set != 0; set &= set - 1 {
				used[key][day.Day(d.Block*64)+day.Day(bits.TrailingZeros64(set))] = true
			}
		}
		sum := features[key]
		features[key] = featureOf{
			sum.Uses + f.Uses, sum.UserUses + f.UserUses, sum.Users + f.Users, sum.UserDays + f.UserDays, int64(len(used[key])),
			max(sum.LastMS, f.LastMS),
		}
	}
}

func testActivity(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	d.record("w", use("m1", "u", "a"), use("m2", "u", ""), use("m3", "", "a"))
	got, err := d.store.Activity(context.Background(), "w", activity.Query{AccountID: "a", Days: day.Span{To: day.Max}, ByModule: true})
	if err != nil || len(got.Features) != 1 {
		t.Fatal(got, err)
	}
	if f := got.Features[0]; f.Uses != 3 || f.UserUses != 2 || f.Users != 1 || f.UserDays != 1 {
		t.Errorf("the feature is told of as %+v", f)
	}
}
