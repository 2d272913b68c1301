package profile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// names returns the names of what is unmapped, in order.
func names(seen []profile.Sighting) (names []string) {
	for _, s := range seen {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}

func TestOnlyWhatMeansNothingIsUnmapped(t *testing.T) {
	fields := sent(at(1), "plan", str("x"), "Total Billed", num("1"), "renewal-date", str("x"), "address.planet", str("x"), "address.city", str("x"),
		"first_name", str("x"), "name", str("x"), "biling_city", str("x"), "company.size", num("1"))
	settings := profile.Settings{Tiers: []string{"x"}, Dimensions: profile.NewDimensions([]profile.Dimension{{Name: "d", From: []call.Place{
		{Type: call.Group, Path: "renewalDate"}, {Type: call.Identify, Path: "Company.Size"},
	}}})}
	for kind, want := range map[call.Type]string{
		call.Group:    "group.address.planet group.company.size group.firstname group.plan group.totalbilled",
		call.Identify: "identify.address.planet identify.bilingcity identify.plan identify.renewaldate identify.totalbilled",
	} {
		if got := strings.Join(names(settings.Unmapped(kind, fields)), " "); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	if got := names(profile.Settings{}.Unmapped(call.Group, fields)); !slices.Contains(got, "group.renewaldate") {
		t.Errorf("without dimensions: %q", got)
	}
}

func TestWhatWasClearedOrNotKeptIsNotSeen(t *testing.T) {
	for name, fields := range map[string][]profile.Field{
		"null":             joined(sent(at(1), "x", str("v")), sent(at(2), "X", null)),
		"empty text":       sent(at(1), "x", str(" ")),
		"too large":        sent(at(1), "x", str(strings.Repeat("x", profile.MaxField))),
		"its object is no": joined(sent(at(1), "x.y", str("v")), sent(at(2), "X", null)),
	} {
		if got := (profile.Settings{}).Unmapped(call.Group, fields); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	again := joined(sent(at(1), "x", null), sent(at(2), "x.y", str("v")))
	if got := names(profile.Settings{}.Unmapped(call.Group, again)); !slices.Equal(got, []string{"group.x.y"}) {
		t.Errorf("set again: %q", got)
	}
}

func TestASightingSaysWhatItsValueLooksLike(t *testing.T) {
	for _, c := range []struct {
		value call.Value
		want  profile.Looks
	}{
		{str("gold"), profile.LikeText},
		{str("0150"), profile.LikeText},
		{str("1793534400"), profile.LikeText},
		{num("1793534400"), profile.LikeNumber},
		{str("2026-11-01"), profile.LikeDate},
		{str("2026-11-01T12:00:00+0100"), profile.LikeDate},
		{str("2026-13-01"), profile.LikeText},
		{call.Value{Kind: call.Bool, Text: "false"}, profile.LikeFlag},
		{call.Value{Kind: call.JSON, Text: "[]"}, profile.LikeList},
	} {
		got := profile.Settings{}.Unmapped(call.Identify, joined(sent(at(1), "Shoe Size", str("old")), sent(at(7), "shoeSize", c.value)))
		want := []profile.Sighting{
			{Place: call.Place{Type: call.Identify, Path: "shoeSize"}, Name: "identify.shoesize", Looks: c.want, TimeMS: 7},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", c.value, diff)
		}
	}
	if profile.LikeText.Mixed() || !(profile.LikeText | profile.LikeList).Mixed() {
		t.Error("one is mixed, or two are not")
	}
}
