package workspace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

func withIgnore(conditions string) string {
	return `
workspaces:
  - id: acme
    query_tokens: []
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        ignore:
` + conditions
}

func TestWhatASourceIgnoresIsReadAndWrittenBack(t *testing.T) {
	c, err := workspace.Parse([]byte(withIgnore(`
          - {types: [track], events: ["Application *", Heartbeat]}
          - {path: context.traits.impersonator, exists: true}
          - {path: properties.source, one_of: [audience, 7]}
          - {types: [identify], path: traits.sync, equals: true}
          - {path: channel, absent: true}
`)))
	if err != nil {
		t.Fatal(err)
	}
	yes := "true"
	want := []workspace.Condition{
		{Types: []string{"track"}, Events: []string{"Application *", "Heartbeat"}},
		{Path: "context.traits.impersonator", Exists: true},
		{Path: "properties.source", OneOf: []string{"audience", "7"}},
		{Types: []string{"identify"}, Path: "traits.sync", Equals: &yes},
		{Path: "channel", Absent: true},
	}
	if diff := cmp.Diff(want, c.Workspaces[0].Sources[0].Ignore); diff != "" {
		t.Error(diff)
	}
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := workspace.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Error(diff)
	}
}

func TestAConditionThatMeansNothingIsNamedByItsPosition(t *testing.T) {
	for condition, want := range map[string]string{
		`{}`:                                 "[9:13] workspaces[0].sources[0].ignore[0]: it would leave out every call",
		`{types: [page, erase]}`:             "ignore[0].types[1]: not track",
		`{types: [page], events: [A]}`:       "ignore[0].types[0]: only track calls have events",
		`{events: [""]}`:                     "ignore[0].events[0]: empty",
		`{equals: x}`:                        "ignore[0]: a path is required beside",
		`{types: [page], exists: true}`:      "ignore[0]: a path is required beside",
		`{path: a}`:                          "ignore[0]: exactly one of",
		`{path: a, exists: false}`:           "ignore[0]: exactly one of",
		`{path: a, one_of: []}`:              "ignore[0]: exactly one of",
		`{path: a, equals: x, exists: true}`: "ignore[0]: exactly one of",
		`{path: a..b, exists: true}`:         "ignore[0].path: is no path",
		`{path: a, exist: true}`:             "exist",
		`{path: a, exists: maybe}`:           "[9:23] workspaces[0].sources[0].ignore[0].exists: neither true nor false",
		`{path: a, one_of: [` + strings.Repeat("x,", 1001) + `]}`: "one_of: more than 1000",
	} {
		_, err := workspace.Parse([]byte(withIgnore("          - " + condition + "\n")))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", condition, err, want)
		}
	}
	_, err := workspace.Parse([]byte(withIgnore(strings.Repeat("          - {types: [page]}\n", 101))))
	if err == nil || !strings.Contains(err.Error(), "ignore: more than 100 conditions") {
		t.Errorf("101 conditions: %v", err)
	}
}
