package workspace_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

func TestOneStarInAnAbsentIDStandsForAnyText(t *testing.T) {
	for _, c := range []struct {
		entry, id string
		want      bool
	}{
		{"guest", "guest", true},
		{"guest", "Guest", false},
		{"guest", "guests", false},
		{"guest*", "guest", true},
		{"guest*", "guest-7", true},
		{"guest*", "a guest", false},
		{"*@test", "a@test", true},
		{"*@test", "a@test.org", false},
		{"{{*}}", "{{user.id}}", true},
		{"{{*}}", "{{}}", true},
		{"{{*}}", "{{}", false},
		{"{{*}}", "{{user", false},
		{"%%*%%", "%%%", false},
		{"%%*%%", "%%%%", true},
		{"a*a", "a", false},
		{"*", "*", true},
		{"*", "ada", false},
		{"***", "***", true},
		{"***", "ada", false},
		{"a*b*", "a*b*", true},
		{"a*b*", "axbx", false},
	} {
		if got := workspace.IsAbsentID([]string{"", "other", c.entry}, c.id); got != c.want {
			t.Errorf("%q means %q: %t, want %t", c.entry, c.id, got, c.want)
		}
	}
}

func TestTheDefaultAbsentIDsAreWhatLanguagesAndTemplatesLeave(t *testing.T) {
	absent := func(id string) bool { return workspace.IsAbsentID(workspace.DefaultAbsentIDs(), id) }
	for _, id := range []string{
		"null", "undefined", "None", "NaN", "(null)", "<nil>", "<null>", "[object Object]", "[object Promise]", "[object HTMLInputElement]",
		"{{user.id}}", "{{ user.id | default: 'x' }}", "${userId}", "#{user.id}", "<%= user.id %>", "%%user_id%%", "00000000-0000-0000-0000-000000000000",
	} {
		if !absent(id) {
			t.Errorf("%q is an id", id)
		}
	}
	for _, id := range []string{
		"nil", "none", "Null", "(nobody)", "<ada>", "[ada]", "[object", "{ada}", "{3f2504e0-4f89-11d3-9a0c-0305e82c3301}", "$userId", "ada{{1}}", "{{1}}ada",
		"#7", "%ada%", "100%", "<ada@example.com>", "0",
	} {
		if absent(id) {
			t.Errorf("%q is none", id)
		}
	}
}

func TestThePageOfOperationsNamesTheDefaultAbsentIDs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile("replaces the usual one, which is\\s+`([^`]+)`").FindSubmatch(page)
	if list == nil {
		t.Fatal("the page has no list")
	}
	c, err := workspace.Parse([]byte("workspaces: [{id: a, sources: [{id: w, write_keys: [write-key-000000000000], absent_ids: " + string(list[1]) + "}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(workspace.AbsentIDs(workspace.DefaultAbsentIDs()), c.Workspaces[0].Sources[0].AbsentIDs); diff != "" {
		t.Error(diff)
	}
}
