package profile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

func TestJoiningIsTheSameInWhateverOrder(t *testing.T) {
	position := rapid.Custom(func(t *rapid.T) call.Position {
		return call.Position{TimeMS: rapid.Int64Range(1, 2).Draw(t, "time"), MessageID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "id")}
	})
	fields := rapid.Custom(func(t *rapid.T) []profile.Field {
		return sent(position.Draw(t, "at"), rapid.SampledFrom([]string{"p", "q"}).Draw(t, "path"),
			rapid.SampledFrom([]call.Value{str("1"), str("2"), num("1"), null, str(strings.Repeat("x", 9000))}).Draw(t, "value"))
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(fields, 1, 6).Draw(t, "fields")
		again := rapid.Permutation(append(slices.Clone(all), all...)).Draw(t, "again")
		cut := rapid.IntRange(0, len(again)).Draw(t, "cut")
		got := profile.Join(joined(again[:cut]...), joined(again[cut:]...))
		if diff := cmp.Diff(joined(all...), got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAFieldThatIsTooLargeIsRememberedAsSent(t *testing.T) {
	fields := joined(sent(at(1), "email", str("a@b.c")), sent(at(2), "email", str(strings.Repeat("x", profile.MaxField))))
	want := []profile.Field{{Path: "email", TooLarge: true, At: at(2)}}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
	if got := sent(at(1), strings.Repeat("p", profile.MaxPath+1), str("x")); len(got) != 0 {
		t.Errorf("a path that is too long was kept")
	}
	if got := sent(at(1), "p", str(strings.Repeat("x", profile.MaxField-1))); got[0].TooLarge {
		t.Errorf("a field as large as may be was not kept")
	}
}

func TestBeyondTheLimitTheOldestUnmappedFieldsGoFirst(t *testing.T) {
	kilobytes := str(strings.Repeat("x", 7<<10))
	var fields []profile.Field
	merge := func(ms int64, path string) {
		c := call.Call{TimeMS: ms, MessageID: "m", Traits: []call.Trait{{Path: path, Value: kilobytes}}}
		fields = profile.MergeAccount(fields, &c)
	}
	merge(1, "description")
	for i := range 8 {
		merge(int64(10+i), fmt.Sprintf("custom%d", i))
	}
	if len(fields) != 9 {
		t.Fatalf("%d fields within the limit, want 9", len(fields))
	}
	merge(30, "industry")
	merge(5, "too_old")
	var paths []string
	for _, f := range fields {
		paths = append(paths, f.Path)
	}
	want := []string{"custom1", "custom2", "custom3", "custom4", "custom5", "custom6", "custom7", "description", "industry"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
	for i, path := range []string{"name", "email", "phone", "website", "tier", "stage", "url", "domain"} {
		merge(int64(40+i), path)
	}
	custom := func(f profile.Field) bool { return strings.HasPrefix(f.Path, "custom") }
	if size := len(fields); size != 9 || slices.ContainsFunc(fields, custom) {
		t.Errorf("%d fields, custom ones among them, want 9 mapped ones", size)
	}
	if slices.ContainsFunc(fields, func(f profile.Field) bool { return f.Path == "description" }) {
		t.Errorf("the oldest mapped field stayed beyond the limit")
	}
}
