package identity_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

// unmapped returns all unmapped traits, read in pages of a size.
func (c *client) unmapped(size int32) (traits []*identityv1.UnmappedTrait) {
	c.t.Helper()
	r := &identityv1.ListUnmappedTraitsRequest{Workspace: "w", PageSize: size}
	for {
		page, err := c.ListUnmappedTraits(c.t.Context(), r)
		if err != nil {
			c.t.Fatal(err)
		}
		if n := len(page.GetTraits()); size > 0 && n > int(size) {
			c.t.Errorf("a page of %d traits, want %d at most", n, size)
		}
		traits = append(traits, page.GetTraits()...)
		if r.PageToken = page.GetNextPageToken(); r.GetPageToken() == "" {
			return traits
		}
	}
}

func TestTraitsThatMeanNothingAreListedUntilADimensionIsReadFromThem(t *testing.T) {
	var config changing
	config.set(workspace.Workspace{})
	c, _ := serve(t, open(t, t.TempDir(), identity.SettingsOf(&config)))
	c.record(
		newCall(group, "1", 0, "", "acme", str("name", "Acme"), num("total billed", "830"), str("Plan", "gold"), str("renewal", "2026-11-01")),
		newCall(group, "2", 1, "", "globex", num("Total Billed", "12"), num("plan", "3"), null("gone")),
		newCall(identify, "3", 2, "ada", "acme", str("plan", "x"), str("email", "ada@acme.test")),
		newCall(identify, "4", 3, "bob", "acme", str("plan", "y")),
		newCall(identify, "5", 4, "eve", "globex", str("plan", "z")),
		newCall(identify, "6", 5, "nobody", "", str("shoe size", "42"), &segmentv1.Trait{
			Path: "tags", Value: &segmentv1.Value{Kind: &segmentv1.Value_Json{Json: "[1]"}},
		}, &segmentv1.Trait{Path: "vip", Value: &segmentv1.Value{Kind: &segmentv1.Value_Boolean{Boolean: true}}}),
	)
	billed := &identityv1.UnmappedTrait{From: "group.Total Billed", Type: identityv1.TraitType_TRAIT_TYPE_NUMBER, Accounts: 2, LastSeen: at(1)}
	want := []*identityv1.UnmappedTrait{
		{From: "group.Plan", Type: identityv1.TraitType_TRAIT_TYPE_MIXED, Accounts: 2, LastSeen: at(1)},
		{From: "group.renewal", Type: identityv1.TraitType_TRAIT_TYPE_DATE, Accounts: 1, LastSeen: at(0)},
		billed,
		{From: "identify.plan", Type: identityv1.TraitType_TRAIT_TYPE_STRING, Accounts: 2, LastSeen: at(4)},
		{From: "identify.shoe size", Type: identityv1.TraitType_TRAIT_TYPE_STRING, LastSeen: at(5)},
		{From: "identify.tags", Type: identityv1.TraitType_TRAIT_TYPE_LIST, LastSeen: at(5)},
		{From: "identify.vip", Type: identityv1.TraitType_TRAIT_TYPE_BOOLEAN, LastSeen: at(5)},
	}
	for size := range int32(4) {
		if diff := cmp.Diff(want, c.unmapped(size), protocmp.Transform()); diff != "" {
			t.Errorf("in pages of %d: %s", size, diff)
		}
	}
	config.set(workspace.Workspace{Dimensions: []workspace.Dimension{
		{Name: "d", Type: workspace.String, From: []string{
			"group.plan", "identify.PLAN", "group.renewal", "identify.shoe_size", "identify.tags", "identify.vip", "group.total.billed",
		}},
	}})
	if diff := cmp.Diff([]*identityv1.UnmappedTrait{billed}, c.unmapped(0), protocmp.Transform()); diff != "" {
		t.Errorf("with a dimension: %s", diff)
	}
}

func TestManyUnmappedTraitsOfManyAccountsAreCountedExactly(t *testing.T) {
	c := start(t)
	var calls []*segmentv1.Call
	for i := range 1300 { // more than are read at once
		traits := []*segmentv1.Trait{num("all", "1"), num(fmt.Sprintf("t%02d", i%40), "1")}
		calls = append(calls,
			newCall(group, fmt.Sprint("g", i), 0, "", fmt.Sprintf("a%04d", i), traits...),
			newCall(identify, fmt.Sprint("i", i), 0, fmt.Sprintf("u%04d", i), fmt.Sprintf("a%04d", i/2), traits...))
	}
	c.record(calls...)
	for _, size := range []int32{1, 7, 0} {
		got := map[string]int64{}
		for _, trait := range c.unmapped(size) {
			got[trait.GetFrom()] = trait.GetAccounts()
		}
		want := map[string]int64{"group.all": 1300, "identify.all": 650}
		for i := range 40 {
			n := int64(32) // accounts 0000 to 1299 in steps of 40
			if i < 20 {
				n = 33
			}
			want[fmt.Sprintf("group.t%02d", i)], want[fmt.Sprintf("identify.t%02d", i)] = n, n
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pages of %d: %s", size, diff)
		}
	}
}
