package workspace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

const good = `
admin_tokens: [admin-token-0000000000]
workspaces:
  - id: acme
    query_tokens: [query-token-0000000000]
    tiers: [gold, silver]
    session_timeout: 45m
    dimensions:
      - name: Plan
        type: string
        from: [group.plan, identify.company.plan]
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        require_user_id: true
        max_clock_skew: 90s
        allow_delete: true
`

func TestAConfigurationIsReadAndWrittenBack(t *testing.T) {
	c, err := workspace.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	s := c.Workspaces[0].Sources[0]
	if s.RequireAnonymousID || !s.RequireUserID || time.Duration(*s.MaxClockSkew) != 90*time.Second {
		t.Errorf("source read as %+v", s)
	}
	if other, err := workspace.Parse([]byte(strings.Replace(good, "allow_delete: true", "", 1))); err != nil ||
		!s.AllowDelete || other.Workspaces[0].Sources[0].AllowDelete {
		t.Errorf("allow_delete is not read as it is set: %v", err)
	}
	want := []workspace.Dimension{{Name: "Plan", Type: workspace.String, From: []string{"group.plan", "identify.company.plan"}}}
	if diff := cmp.Diff(want, c.Workspaces[0].Dimensions); diff != "" {
		t.Error(diff)
	}
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := workspace.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Error(diff)
	}
}

func TestEveryProblemIsNamedAtOnceAndNoKeyIsShown(t *testing.T) {
	_, err := workspace.Parse([]byte(`
admin_tokens: [secret-short]
workspaces:
  - id: a
    query_tokens: [the-same-secret-000000]
    tiers: [gold, gold]
    session_timeout: 25h
    idle_cap: 10ms
    keep_rejected: 2161h
    max_session: 1h0.0000001s
    dimensions:
      - {name: Plan, type: string, from: [group.plan, plan, group.plan, "group..plan"]}
      - {name: Plan, type: text, from: []}
      - {type: boolean}
      - {name: ` + strings.Repeat("x", 101) + `, type: date, from: [` + "group." + strings.Repeat("x", 1025) + `]}
    sources:
      - id: web
        write_keys: [the-same-secret-000000]
      - id: web
        write_keys: []
  - id: a
  - id: ""
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"admin_tokens[0]: shorter", "workspaces[0].tiers[1]", "workspaces[0].session_timeout", "workspaces[0].idle_cap", "workspaces[0].max_session: finer",
		"workspaces[0].keep_rejected: longer than 2160h0m0s", "workspaces[0].sources[0].write_keys[0]: the same as workspaces[0].query_tokens[0]",
		`workspaces[0].sources[1].id: "web" stands twice`, "workspaces[0].sources[1].write_keys: at least one",
		`dimensions[0].from[1]: does not begin with "group." or`, `dimensions[0].from[2]: "group.plan" stands twice`,
		"dimensions[0].from[3]: is no path", `dimensions[1].name: "Plan" stands twice`, "dimensions[1].type: not string, number or date",
		"workspaces[0].dimensions[1].from: at least one", "dimensions[2].name: required", "dimensions[2].type", "dimensions[2].from",
		"dimensions[3].name: longer", "dimensions[3].from[0]: is longer",
		`workspaces[1].id: "a" stands twice`, "workspaces[2].id: required",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error shows a key:\n%v", err)
	}
}

func TestWhatIsNoDurationIsNamedByItsPlaceWithTheOtherProblemsAndNotShown(t *testing.T) {
	_, err := workspace.Parse([]byte(`
workspaces:
  - id: a
    session_timeout: a-secret-of-somebody
    keep_rejected: -1h
    max_session: 30
    tiers: [""]
    sources:
      - id: web
        write_keys: [some-key-000000000]
        max_clock_skew: -5m
`))
	const want = "[7:13] workspaces[0].tiers[0]: empty, or stands twice: take it away\n" +
		"[4:5] workspaces[0].session_timeout: not a duration such as 5m\n" +
		"[6:5] workspaces[0].max_session: not a duration such as 5m\n" +
		"[5:5] workspaces[0].keep_rejected: not a duration such as 5m\n" +
		"[11:9] workspaces[0].sources[0].max_clock_skew: not a duration such as 5m"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want\n%s", err, want)
	}
}

func TestSessionSettingsThatAreNotSetHaveTheirDefaults(t *testing.T) {
	minute := workspace.Duration(time.Minute)
	for name, c := range map[string]struct {
		workspace workspace.Workspace
		want      workspace.SessionSettings
	}{
		"none": {workspace.Workspace{}, workspace.SessionSettings{Timeout: 30 * time.Minute, IdleCap: 5 * time.Minute, Max: 24 * time.Hour}},
		"all": {
			workspace.Workspace{SessionTimeout: new(2 * minute), IdleCap: new(minute), MaxSession: new(3 * minute)},
			workspace.SessionSettings{Timeout: 2 * time.Minute, IdleCap: time.Minute, Max: 3 * time.Minute},
		},
	} {
		if diff := cmp.Diff(c.want, c.workspace.Sessions()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestADimensionsPlacesAreReadInTheirOrder(t *testing.T) {
	d := workspace.Dimension{From: []string{"identify.company.plan", "group.plan"}}
	want := []call.Place{{Type: call.Identify, Path: "company.plan"}, {Type: call.Group, Path: "plan"}}
	if diff := cmp.Diff(want, d.Places()); diff != "" {
		t.Error(diff)
	}
}

func TestATypoIsAnErrorThatShowsNoKey(t *testing.T) {
	for name, text := range map[string]string{
		"unknown field": strings.Replace(good, "require_user_id", "require_userid", 1),
		"bad duration":  strings.Replace(good, "90s", "soon", 1),
		"bad switch":    strings.Replace(good, "allow_delete: true", "allow_delete: maybe", 1),
		"not yaml":      "{secret-key-0000000000",
		"empty":         "",
	} {
		_, err := workspace.Parse([]byte(text))
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "key-0") {
			t.Errorf("%s: error shows a key: %v", name, err)
		}
	}
}

func TestWhatIsOfAWrongShapeIsNamedTogetherWithAllOtherProblems(t *testing.T) {
	_, err := workspace.Parse([]byte(`
admin_token: [the-secret-000000000]
workspaces:
  - id: [acme]
    query_tokens: the-secret-000000000
    tiers: [gold, ~]
    sources:
      - id: web
        id: app
        write_keys: [{the-secret-000000000: x}, [the-secret], short]
        require_user_id: yes
        max_clock_skew: {the-secret: 5m}
        absent_ids: [null, "undefined"]
        limits: {calls_per_second: many, burst: 1.5}
        mapping: {module: [{path: x, typse: [page]}], account: context.groupId}
      - write_keys: [write-key-000000000000]
`))
	if err == nil {
		t.Fatal("no error")
	}
	const web = "workspaces[0].sources[0]"
	want := []string{
		"[2:1] admin_token: unknown field: the fields here are admin_tokens, workspaces",
		"[4:5] workspaces[0].id: a list or fields where one value belongs: write the value alone",
		"[5:5] workspaces[0].query_tokens: no list: write [one, two]",
		"[6:19] workspaces[0].tiers[1]: empty: write a value, in quotes if it is the word null",
		"[9:9] " + web + ".id: stands twice: take one away",
		"[10:22] " + web + ".write_keys[0]: a list or fields where one value belongs: write the value alone",
		"[10:49] " + web + ".write_keys[1]: a list or fields where one value belongs: write the value alone",
		"[11:9] " + web + ".require_user_id: neither true nor false",
		"[12:9] " + web + ".max_clock_skew: a list or fields where one value belongs: write the value alone",
		"[13:22] " + web + ".absent_ids[0]: empty: write a value, in quotes if it is the word null",
		"[14:18] " + web + ".limits.calls_per_second: no number, such as 0.5",
		"[14:42] " + web + ".limits.burst: no whole number, such as 100",
		"[15:38] " + web + ".mapping.module[0].typse: unknown field: the fields here are path, literal, types, events",
		"[15:55] " + web + ".mapping.account: no list: write [one, two]",
		"[10:63] " + web + ".write_keys[2]: shorter than 16 characters: take a longer one, as sojourn new-key prints",
		"[16:9] workspaces[0].sources[1].id: required",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestAFileIsOneDocument(t *testing.T) {
	if _, err := workspace.Parse([]byte(good + "---\n" + good)); err == nil || !strings.HasPrefix(err.Error(), "[18:1] a second document") {
		t.Errorf("two documents: %v", err)
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "{}"} {
		if _, err := workspace.Parse([]byte(text)); err == nil || !strings.HasSuffix(err.Error(), "workspaces: at least one is required") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
