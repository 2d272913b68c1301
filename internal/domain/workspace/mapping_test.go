package workspace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

const mapped = `
workspaces:
  - id: acme
    query_tokens: []
    dimensions:
      - {name: Plan, type: string}
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        mapping:
          module:
            - path: properties.module
            - {path: category, types: [page, screen]}
            - {literal: Billing, types: [track], events: [Invoice Created, "Invoice *"]}
            - 'properties.a\.b.c\\d'
            - {literal: 12}
          account: [context.groupId, "properties.total billed"]
          time: [properties.at, {literal: 2026-11-01}]
          dimensions:
            Plan: [context.plan, {literal: free, types: [group]}]
`

func TestAMappingIsReadAndWrittenBack(t *testing.T) {
	c, err := workspace.Parse([]byte(mapped))
	if err != nil {
		t.Fatal(err)
	}
	literal := func(s string) *string { return &s }
	want := &workspace.Mapping{
		Module: []workspace.Rule{
			{Path: "properties.module"},
			{Path: "category", Types: []string{"page", "screen"}},
			{Literal: literal("Billing"), Types: []string{"track"}, Events: []string{"Invoice Created", "Invoice *"}},
			{Path: `properties.a\.b.c\\d`},
			{Literal: literal("12")},
		},
		Account:    []workspace.Rule{{Path: "context.groupId"}, {Path: "properties.total billed"}},
		Time:       []workspace.Rule{{Path: "properties.at"}, {Literal: literal("2026-11-01")}},
		Dimensions: map[string][]workspace.Rule{"Plan": {{Path: "context.plan"}, {Literal: literal("free"), Types: []string{"group"}}}},
	}
	if diff := cmp.Diff(want, c.Workspaces[0].Sources[0].Mapping); diff != "" {
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

func TestTheDefaultMappingPassesItsOwnCheck(t *testing.T) {
	m := workspace.DefaultMapping()
	m.Time = nil
	c := workspace.Config{Workspaces: []workspace.Workspace{{ID: "w", QueryTokens: workspace.NewSecrets(), Sources: []workspace.Source{
		{ID: "s", WriteKeys: workspace.NewSecrets("write-key-000000000000"), Mapping: &m},
	}}}}
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := workspace.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&c, again); diff != "" {
		t.Error(diff)
	}
}

func TestEveryProblemOfAFileIsNamedByWhereItStands(t *testing.T) {
	_, err := workspace.Parse([]byte(`
workspaces:
- id: acme
  session_timeout: 25h
  dimensions:
    - {name: Plan, type: string}
    - {name: Size, type: number}
    - name: Odd.Name
      type: date
  sources:
    - id: web
      mapping:
        feature: []
        module:
          - path: properties..module
          - {path: a, literal: b}
          - {types: [track]}
          - {literal: " x"}
          - {literal: ""}
          - path: name
            types: [page, pagé]
            events: [Invoice Created]
          - {path: x, events: [A, A, ""]}
        time: [{literal: soon}]
        dimensions:
          Plan: [{path: context.plan, types: [track, group]}]
          Odd.Name:
            - {path: 'a\b'}
            - {path: a, events: [A]}
          Unknown: [a]
      write_keys: [short]
- id: ""
`))
	if err == nil {
		t.Fatal("no error")
	}
	const web = "workspaces[0].sources[0]"
	want := []string{
		"[7:7] workspaces[0].dimensions[1].from: at least one is required, or a mapping of a source",
		"[4:3] workspaces[0].session_timeout: not between 1s and 24h0m0s",
		"[31:20] " + web + ".write_keys[0]: shorter than 16 characters: take a longer one, as sojourn new-key prints",
		"[13:9] " + web + ".mapping.feature: at least one rule is required: leave it out for the default",
		"[15:13] " + web + ".mapping.module[0]: is no path: keys are joined by dots, and a dot or backslash in a key is escaped by a backslash",
		"[16:13] " + web + ".mapping.module[1]: both a path and a literal: take one away",
		"[17:13] " + web + ".mapping.module[2]: a path or a literal is required",
		"[18:14] " + web + ".mapping.module[3].literal: space around it: take it away",
		"[19:14] " + web + ".mapping.module[4].literal: empty: write the value",
		"[21:21] " + web + ".mapping.module[5].types[0]: only track calls have events",
		"[21:27] " + web + ".mapping.module[5].types[1]: not track, identify, group, page, screen, alias or delete",
		"[23:35] " + web + ".mapping.module[6].events[1]: empty, or stands twice: take it away",
		"[23:38] " + web + ".mapping.module[6].events[2]: empty, or stands twice: take it away",
		"[24:17] " + web + ".mapping.time[0].literal: no time between 1970 and 2261, such as 2026-11-01T12:00:00.000Z",
		"[28:15] " + web + ".mapping.dimensions.Odd.Name[0]: is no path: keys are joined by dots, and a dot or backslash in a key is escaped by a backslash",
		"[29:25] " + web + ".mapping.dimensions.Odd.Name[1].events: dimensions are taken of group and identify calls, and only track calls have events",
		"[26:47] " + web + ".mapping.dimensions.Plan[0].types[0]: dimensions are taken of group and identify calls",
		"[30:11] " + web + ".mapping.dimensions.Unknown: the workspace has no such dimension: add it to its dimensions",
		"[32:3] workspaces[1].id: required",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoRuleIsAnErrorWithItsPosition(t *testing.T) {
	for name, c := range map[string][2]string{
		"unknown field":      {"path: properties.module", "pfad: properties.module"},
		"no text":            {"account: [context.groupId,", "account: [7,"},
		"a list":             {"account: [context.groupId,", "account: [[a],"},
		"null":               {"account: [context.groupId,", "account: [~,"},
		"a path of no text":  {"path: properties.module", "path: [a]"},
		"types that are one": {"types: [track]", "types: track"},
		"an unknown target":  {"account: [", "acount: ["},
		"no list":            {`account: [context.groupId, "properties.total billed"]`, "account: groupId"},
	} {
		_, err := workspace.Parse([]byte(strings.Replace(mapped, c[0], c[1], 1)))
		if err == nil || !strings.HasPrefix(err.Error(), "[") || strings.Contains(err.Error(), "write-key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSourcesCanShareAMappingByYAMLsOwnMeans(t *testing.T) {
	const shared = `
workspaces:
  - id: acme
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        mapping: &ours
          account: [context.company]
      - id: app
        write_keys: [write-key-000000000001]
        mapping: `
	for name, c := range map[string]struct{ mapping, problem string }{
		"an alias":              {"*ours", ""},
		"a merged key":          {"{<<: *ours, module: [context.area]}", ""},
		"a problem beside them": {"{<<: *ours, module: []}", "[11:30] workspaces[0].sources[1].mapping.module: at least one"},
	} {
		config, err := workspace.Parse([]byte(shared + c.mapping))
		switch {
		case c.problem != "":
			if err == nil || !strings.HasPrefix(err.Error(), c.problem) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			if m := config.Workspaces[0].Sources[1].Mapping; m == nil || len(m.Account) != 1 || m.Account[0].Path != "context.company" {
				t.Errorf("%s: read as %+v", name, m)
			}
		}
	}
}

func TestATagOutOfPlaceIsAnErrorAndNoPanic(t *testing.T) {
	_, err := workspace.Parse([]byte(strings.Replace(mapped, "query_tokens: []", "query_tokens: !secret-tag x", 1) + "        x: !y\n"))
	if err == nil || strings.Contains(err.Error(), "secret-tag") {
		t.Errorf("%v", err)
	}
	_, err = workspace.Parse([]byte("workspaces:\n  - id: a\n    query_tokens: !t\nx\n"))
	if err == nil || strings.Contains(err.Error(), "panic") {
		t.Errorf("%v", err)
	}
}

// FuzzParse: whatever stands in a file, and as a mapping in a file that is good otherwise, nothing panics, no problem shows a key, and what is
// taken can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(mapped)
	f.Add("workspaces: [{id: a, sources: [{mapping: {dimensions: {x: [a]}}}]}]")
	f.Add("{feature: [event, {literal: 7, types: [page]}], module: [{path: 'a\\.b', events: ['x*']}], dimensions: {Plan: [a.b]}}")
	f.Add("{time: [{literal: 2026-11-01}], user: [~], account: [{path: [a]}], session: []}")
	const around = `
workspaces:
  - {id: acme, query_tokens: [], dimensions: [{name: Plan, type: string}], sources: [{id: web, write_keys: [key-around-0000000], mapping: `
	f.Fuzz(func(t *testing.T, text string) {
		writtenAndRead(t, text)
		writtenAndRead(t, around+text+"}]}")
	})
}

func writtenAndRead(t *testing.T, text string) {
	t.Helper()
	c, err := workspace.Parse([]byte(text))
	if err != nil {
		if strings.Contains(err.Error(), "key-around") {
			t.Fatalf("shows a key: %v", err)
		}
		return
	}
	encoded, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := workspace.Parse(encoded)
	if err != nil {
		t.Fatalf("%v\n%s", err, encoded)
	}
	second, err := again.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if string(second) != string(encoded) {
		t.Fatalf("written as\n%s\nthen as\n%s", encoded, second)
	}
}

func TestADimensionOfAMappingThatNoWorkspaceCouldHaveIsNotNamedAtLength(t *testing.T) {
	long := strings.Repeat("x.", 51)
	_, err := workspace.Parse([]byte(strings.Replace(mapped, "dimensions:\n            Plan:", "dimensions:\n            "+long+": [a]\n            Plan:", 1)))
	const want = "[19:11] workspaces[0].sources[0].mapping.dimensions: a name longer than 100 bytes, which no dimension has"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
