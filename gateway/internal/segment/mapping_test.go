package segment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// mapped returns the options of a source with a mapping, which is written as in a workspaces file.
func mapped(t testing.TB, mapping string) *segment.Options {
	t.Helper()
	indent := func(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n          ") }
	c, err := workspace.Parse([]byte(`
workspaces:
  - id: acme
    dimensions: [{name: Plan, type: string, from: [group.plan]}, {name: Size, type: number, from: [group.size]}]
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        allow_delete: true
        mapping:
          ` + indent(mapping)))
	if err != nil {
		t.Fatal(err)
	}
	o := strict()
	o.Rules = segment.RulesOf(&c.Workspaces[0].Sources[0], o.MaxBytes)
	return o
}

func TestFeaturesAndModulesAreFoundAsTheMappingSays(t *testing.T) {
	const whitelist = `feature: [{path: event, events: [Export, "Invoice *"]}, {path: name, types: [screen]}]`
	const modules = `
module:
  - {literal: Money, events: ["Invoice *"]}
  - {path: 'properties.product\.area.name', types: [track, group]}
  - category
  - {literal: Elsewhere, types: [page]}`
	page := map[string]any{"type": "page", "properties": nil}
	for name, c := range map[string]struct {
		mapping                          string
		changes                          map[string]any
		wantFeature, wantModule, warning string
	}{
		"an event of the list":           {whitelist, nil, "Export", "Reports", ""},
		"an event with space around it":  {whitelist, map[string]any{"event": " Export "}, "Export", "Reports", ""},
		"a list with space around it":    {`feature: [{path: event, events: [" Export "]}]`, nil, "Export", "Reports", ""},
		"a list that begins with space":  {`feature: [{path: event, events: [" Exp*"]}]`, nil, "Export", "Reports", ""},
		"a feature with space around it": {`feature: [properties.f]`, map[string]any{"properties": raw(`{"f":" F "}`)}, "F", "", ""},
		"a module with space around it":  {`module: [properties.m]`, map[string]any{"properties": raw(`{"m":" M "}`)}, "Export", "M", ""},
		"a module of space":              {`module: [properties.m, category]`, map[string]any{"properties": raw(`{"m":" "}`), "category": "C "}, "Export", "C", ""},
		"an event that begins so":        {whitelist, map[string]any{"event": "Invoice Paid"}, "Invoice Paid", "Reports", ""},
		"an event of no list":            {whitelist, map[string]any{"event": "export"}, "", "Reports", ""},
		"a screen for a feature":         {whitelist, map[string]any{"type": "screen", "name": "Inbox"}, "Inbox", "Reports", ""},
		"a screen without one":           {whitelist, map[string]any{"type": "screen"}, "", "Reports", ""},
		"a page is none":                 {whitelist, map[string]any{"type": "page", "name": "Inbox"}, "", "Reports", ""},
		"only track calls have events":   {`feature: [{literal: F, events: [Export]}]`, map[string]any{"type": "page", "event": "Export"}, "", "Reports", ""},
		"a literal by event":             {modules, map[string]any{"event": "Invoice Paid"}, "Invoice Paid", "Money", ""},
		"a key with a dot":               {modules, map[string]any{"properties": raw(`{"product":{"area":{"name":"no"}},"product.area":{"name":"Yes"}}`)}, "Export", "Yes", ""},
		"a key with a dot, escaped":      {modules, map[string]any{"properties": raw(`{"product\u002earea":{"n\u0061me":"Yes"}}`)}, "Export", "Yes", ""},
		"the next place":                 {modules, map[string]any{"category": "C"}, "Export", "C", ""},
		"no place":                       {modules, nil, "Export", "", ""},
		"the default is replaced":        {modules, map[string]any{"properties": raw(`{"module":"M"}`)}, "Export", "", ""},
		"a literal by type":              {modules, page, "", "Elsewhere", ""},
		"a place that is no module":      {modules, map[string]any{"category": raw(`[]`)}, "Export", "", "module_invalid category"},
		"a key of an array is none":      {`module: [properties.list.0]`, map[string]any{"properties": raw(`{"list":["x"]}`)}, "Export", "", ""},
		"through null":                   {`module: [properties.a.b]`, map[string]any{"properties": raw(`{"a":null}`)}, "Export", "", ""},
		"a top level that is no other's": {`module: [area.name]`, map[string]any{"area": raw(`{"name":"Top"}`)}, "Export", "Top", ""},
		"a number":                       {`module: [properties.n]`, map[string]any{"properties": raw(`{"n":1.50}`)}, "Export", "1.50", ""},
		"a module of an identify call":   {`module: [context.area]`, map[string]any{"type": "identify", "context": raw(`{"area":"A"}`)}, "", "A", ""},
		"a feature of a literal":         {`feature: [{literal: Signed in, types: [identify]}]`, map[string]any{"type": "identify"}, "Signed in", "", ""},
		"a feature that is blank":        {`feature: [properties.action, event]`, map[string]any{"properties": raw(`{"action":" "}`)}, "Export", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, with(c.changes), mapped(t, c.mapping))
			if got.Call.Feature != c.wantFeature || got.Call.Module != c.wantModule || warnings(got) != c.warning {
				t.Errorf("feature %q in module %q with warnings %q, want %q in %q with %q",
					got.Call.Feature, got.Call.Module, warnings(got), c.wantFeature, c.wantModule, c.warning)
			}
		})
	}
}

func TestIDsAreFoundAsTheMappingSays(t *testing.T) {
	const ids = `
user: [traits.user_id, context.userKey, userId]
session: [context.sessionId]
account: [properties.company_id, {path: traits.company.id, types: [identify, group]}]`
	context := func(text string) map[string]any { return map[string]any{"context": raw(text)} }
	session := raw(`{"sessionId":1}`)
	for name, c := range map[string]struct {
		changes                                    map[string]any
		wantUser, wantSession, wantAccount, warned string
	}{
		"the next place":        {context(`{"sessionId":7}`), "user", "7", "", ""},
		"a place before":        {context(`{"sessionId":"s","userKey":" k "}`), "k", "s", "", ""},
		"not filled in":         {context(`{"sessionId":"s","userKey":"{{ user.key }}"}`), "user", "s", "", "user_id_absent context.userKey"},
		"a placeholder":         {context(`{"sessionId":"s","userKey":"undefined"}`), "user", "s", "", "user_id_absent context.userKey"},
		"groupId goes first":    {map[string]any{"context": session, "groupId": "g", "properties": raw(`{"company_id":"c"}`)}, "user", "1", "g", ""},
		"groupId, placeholder":  {map[string]any{"context": session, "groupId": "", "properties": raw(`{"company_id":"c"}`)}, "user", "1", "c", "group_id_absent groupId"},
		"context is not listed": {context(`{"sessionId":1,"groupId":"team"}`), "user", "1", "", ""},
		"an integer":            {map[string]any{"context": session, "properties": raw(`{"company_id":42}`)}, "user", "1", "42", ""},
		"a rule for other types": {
			map[string]any{"context": session, "traits": raw(`{"company":{"id":"c"}}`)}, "user", "1", "", "",
		},
		"a rule for the type": {
			map[string]any{"type": "group", "event": nil, "context": session, "traits": raw(`{"company":{"id":"c"}}`)}, "user", "1", "c", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, with(c.changes), mapped(t, ids))
			want := []string{c.wantUser, c.wantSession, c.wantAccount, c.warned}
			if diff := cmp.Diff(want, []string{got.Call.UserID, got.Call.AnonymousID, got.Call.AccountID, warnings(got)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACallThatItsMappingCannotUseIsRejectedByThePlace(t *testing.T) {
	for name, c := range map[string]struct {
		mapping           string
		changes           map[string]any
		code, field, says string
	}{
		"an account that is none":       {`account: [properties.company]`, map[string]any{"properties": raw(`{"company":{}}`)}, "group_id_invalid", "properties.company", "properties.company"},
		"a user that is none":           {`user: [properties.u]`, map[string]any{"properties": raw(`{"u":1.5}`)}, "user_id_invalid", "properties.u", "properties.u"},
		"no user where it is mapped":    {`user: [{path: traits.u, types: [group]}, properties.u, properties.u]`, nil, "user_id_required", "userId", "looked for at: properties.u"},
		"no user for this type":         {`user: [{path: traits.u, types: [group]}]`, nil, "user_id_required", "userId", "no place, in calls of this type"},
		"no session where it is mapped": {`session: [context.session_id]`, nil, "anonymous_id_required", "anonymousId", "looked for at: context.session_id"},
		"no account for a group":        {`account: [context.org]`, map[string]any{"type": "group", "event": nil}, "group_id_required", "groupId", "looked for at: groupId, context.org"},
		"no user to be deleted":         {`user: [traits.id]`, map[string]any{"type": "delete"}, "user_id_required", "userId", "looked for at: traits.id"},
		"a feature that is none":        {`feature: [properties.action]`, map[string]any{"properties": raw(`{"action":7}`)}, "feature_invalid", "properties.action", "properties.action"},
		"a feature that is too long":    {`feature: [properties.action]`, map[string]any{"properties": map[string]any{"action": strings.Repeat("x", 513)}}, "feature_invalid", "properties.action", "512"},
		"a track call without event":    {`feature: [properties.action]`, map[string]any{"event": nil, "properties": raw(`{"action":"A"}`)}, "event_required", "event", "event"},
		"an event that is none":         {`feature: [properties.action]`, map[string]any{"event": 7}, "event_invalid", "event", "event"},
		"a time that is none":           {`time: [properties.at]`, map[string]any{"properties": raw(`{"at":"soon"}`)}, "time_invalid", "properties.at", "properties.at"},
		"no own timestamp":              {`time: [properties.at]`, map[string]any{"timestamp": nil, "properties": raw(`{"at":"2026-11-01"}`)}, "timestamp_required", "timestamp", "timestamp"},
		"dimensions without end": {
			"dimensions:\n  Plan: [traits.x]\n  Size: [traits.x]",
			map[string]any{"type": "group", "groupId": "g", "traits": map[string]any{"x": strings.Repeat("x", 200_000)}},
			"traits_too_large", "", "dimensions",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := mapped(t, c.mapping)
			o.MaxBytes, o.RequireUserID, o.RequireAnonymousID = 1<<20, true, true
			_, rejection := segment.Parse([]byte(with(c.changes)), o)
			if rejection == nil {
				t.Fatal("not rejected")
			}
			if rejection.Code != c.code || rejection.Field != c.field || !strings.Contains(rejection.Message, c.says) {
				t.Errorf("rejected as %+v, want %q of %q that says %q", rejection.Problem, c.code, c.field, c.says)
			}
		})
	}
}

func TestOfManyPlacesTheMessageNamesTheFirst(t *testing.T) {
	var places strings.Builder
	for i := range 100 {
		fmt.Fprintf(&places, "\n  - properties.one_of_very_many_%d", i)
	}
	o := mapped(t, "user:"+places.String())
	o.RequireUserID = true
	_, rejection := segment.Parse([]byte(with(nil)), o)
	if rejection == nil {
		t.Fatal("not rejected")
	}
	if m := rejection.Message; len(m) > 500 || !strings.Contains(m, "one_of_very_many_0, ") || !strings.HasSuffix(m, "one_of_very_many_9 and 90 more") {
		t.Errorf("%d bytes: %s", len(m), m)
	}
}

func TestAMappedTimeIsTheEventTimeAndChangesNothingAboutWhichCallItIs(t *testing.T) {
	o := mapped(t, `time: [properties.at, {path: receivedAt, types: [page]}, {literal: "2026-10-01", events: [Old]}]`)
	own := ms(t, "2026-11-01T11:59:00Z")
	for name, c := range map[string]struct {
		changes map[string]any
		want    string
		warning string
	}{
		"not there":               {nil, "2026-11-01T11:59:00Z", ""},
		"null":                    {map[string]any{"properties": raw(`{"at":null}`)}, "2026-11-01T11:59:00Z", ""},
		"text":                    {map[string]any{"properties": raw(`{"at":"2026-10-31T00:00:00+02:00"}`)}, "2026-10-30T22:00:00Z", ""},
		"seconds":                 {map[string]any{"properties": raw(`{"at":1793534400}`)}, "2026-11-01T12:00:00Z", ""},
		"without a zone":          {map[string]any{"properties": raw(`{"at":"2026-10-31 00:00:00"}`)}, "2026-10-31T00:00:00Z", "timestamp_zone_missing properties.at"},
		"ahead":                   {map[string]any{"properties": raw(`{"at":"2026-11-01T13:00:00Z"}`)}, "2026-11-01T12:00:00Z", "timestamp_clamped timestamp"},
		"of the type":             {map[string]any{"type": "page", "receivedAt": "2026-11-01T10:00:00Z"}, "2026-11-01T10:00:00Z", ""},
		"literal":                 {map[string]any{"event": "Old"}, "2026-10-01T00:00:00Z", ""},
		"not by a wrong clock":    {map[string]any{"sentAt": "2026-11-01T13:00:00Z", "properties": raw(`{"at":"2026-10-31T00:00:00Z"}`)}, "2026-10-31T00:00:00Z", ""},
		"a wrong clock otherwise": {map[string]any{"sentAt": "2026-11-01T13:00:00Z"}, "2026-11-01T10:59:00Z", "time_corrected sentAt"},
		"in a zone": {
			map[string]any{"properties": raw(`{"at":"2026-10-31 00:00:00"}`), "context": raw(`{"timezone":"Asia/Tokyo"}`)},
			"2026-10-30T15:00:00Z", "timestamp_zone_missing properties.at",
		},
		"of a server, without a zone": {
			map[string]any{"type": "page", "receivedAt": "2026-11-01T10:00:00", "context": raw(`{"timezone":"Asia/Tokyo"}`)},
			"2026-11-01T10:00:00Z", "timestamp_zone_missing receivedAt",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, with(c.changes), o)
			if got.Call.TimeMS != ms(t, c.want) || got.Call.OriginalMS != own || got.Call.MessageID != "m1" || warnings(got) != c.warning {
				t.Errorf("time %d, own %d, messageId %s, warnings %q, want time %s", got.Call.TimeMS, got.Call.OriginalMS, got.Call.MessageID, warnings(got), c.want)
			}
		})
	}
}

func TestDimensionsAreTakenOfGroupAndIdentifyCalls(t *testing.T) {
	o := mapped(t, `
dimensions:
  Plan: [context.plan, traits.plan, {literal: free, types: [group]}]
  Size: [traits.company.size]`)
	trait := func(name string, kind call.Kind, text string) call.Trait {
		return call.Trait{Path: call.DimensionPath(name), Value: call.Value{Kind: kind, Text: text}}
	}
	for name, c := range map[string]struct {
		changes map[string]any
		want    []call.Trait // but those sent
	}{
		"track":            {map[string]any{"context": raw(`{"plan":"gold"}`)}, nil},
		"identify, none":   {map[string]any{"type": "identify"}, nil},
		"identify":         {map[string]any{"type": "identify", "context": raw(`{"plan":"gold"}`)}, []call.Trait{trait("Plan", call.String, "gold")}},
		"group, literal":   {map[string]any{"type": "group"}, []call.Trait{trait("Plan", call.String, "free")}},
		"number":           {map[string]any{"type": "identify", "traits": raw(`{"company":{"size":1.0}}`)}, []call.Trait{trait("Size", call.Number, "1.0")}},
		"null clears":      {map[string]any{"type": "identify", "traits": raw(`{"company":{"size":null}}`)}, []call.Trait{trait("Size", call.Null, "")}},
		"empty clears":     {map[string]any{"type": "identify", "traits": raw(`{"company":{"size":" "}}`)}, []call.Trait{trait("Size", call.Null, "")}},
		"the next place":   {map[string]any{"type": "group", "context": raw(`{"plan":null}`), "traits": raw(`{"plan":"gold"}`)}, []call.Trait{trait("Plan", call.String, "gold")}},
		"null, then blank": {map[string]any{"type": "identify", "context": raw(`{"plan":""}`), "traits": raw(`{"plan":null}`)}, []call.Trait{trait("Plan", call.Null, "")}},
		"a list":           {map[string]any{"type": "identify", "context": raw(`{"plan":[1, 2]}`)}, []call.Trait{trait("Plan", call.JSON, "[1,2]")}},
		"a key like it":    {map[string]any{"type": "identify", "traits": raw(`{"\\:Plan":"x"}`)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			changes := map[string]any{"groupId": "g"}
			for k, v := range c.changes {
				changes[k] = v
			}
			var got []call.Trait
			for _, trait := range parse(t, with(changes), o).Call.Traits {
				if call.IsDimension(trait.Path) {
					got = append(got, trait)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABatchsContextStandsInMemberByMember(t *testing.T) {
	o := mapped(t, `account: [context.org.id, context.groupId]`)
	b := split(t, `{"batch":[1],"context":{"org":{"id":"of batch","x":1},"groupId":"group of batch"}}`)
	for name, c := range map[string]struct{ context, want string }{
		"no context":         {``, "of batch"},
		"null":               {`null`, "of batch"},
		"other members":      {`{"ip":"::1"}`, "of batch"},
		"the member":         {`{"org":{"id":"own"}}`, "own"},
		"the member without": {`{"org":{}}`, "group of batch"},
		"the member is null": {`{"org":null}`, "group of batch"},
	} {
		for _, o.Batch = range []segment.Envelope{b.Envelope, {Context: b.Context}} {
			changes := map[string]any{}
			if c.context != "" {
				changes["context"] = raw(c.context)
			}
			if got := parse(t, with(changes), o).Call.AccountID; got != c.want {
				t.Errorf("%s: account %q, want %q", name, got, c.want)
			}
		}
	}
}

// samples are calls of every kind, good and bad.
func samples() []string {
	all := []string{
		with(nil), anonymousCall, with(map[string]any{"userId": 7, "groupId": " g "}), with(map[string]any{"type": "delete"}),
		with(map[string]any{"type": "alias", "previousId": "p", "properties": 7}),
		with(map[string]any{"type": "screen", "properties": nil, "category": true, "name": "N"}),
		with(map[string]any{"context": raw(`{"groupId":"c","traits":{"a":1}}`), "event": " "}),
		with(map[string]any{"type": "identify", "traits": raw(`{"First Name":null,"address":{"city":"O"},"x":{}}`), "context": raw(
			`{"timezone":"Asia/Tokyo","traits":{"firstName":"A","Address":{"city":"P","zip":"1"},"x":{"y":[1]}}}`), "timestamp": "2026-11-01T09:00:00"}),
		strings.Replace(with(map[string]any{"userId": "{{id}}", "event": " E "}), `"Reports"`, "[NaN, -Infinity]", 1),
		with(map[string]any{"type": "group", "groupId": 1, "traits": raw(`{"a.b":{"c":[1]},"d":{},"e":{"f":{}}}`)}),
	}
	for bad := range spoiled() {
		all = append(all, bad)
	}
	for _, text := range delivered {
		all = append(all, text)
	}
	return all
}

func TestTheDefaultsAreRulesThatCanBeWritten(t *testing.T) {
	defaults := workspace.DefaultMapping()
	o := strict()
	o.Rules = segment.RulesOf(&workspace.Source{ID: "web", Mapping: &defaults, AllowDelete: true, RequireAnonymousID: true, RequireUserID: true}, o.MaxBytes)
	for _, text := range samples() {
		want, wantRejected := segment.Parse([]byte(text), strict())
		got, rejected := segment.Parse([]byte(text), o)
		if rejected == nil && got.Call.Sent != want.Call.Fingerprint() {
			t.Errorf("%.60s: it is another call than without a mapping", text)
		}
		got.Call.Sent = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.60s: %s", text, diff)
		}
		if rejected != nil {
			rejected.Message, _, _ = strings.Cut(rejected.Message, "; for this source")
		}
		if diff := cmp.Diff(wantRejected, rejected); diff != "" {
			t.Errorf("%.60s: %s", text, diff)
		}
	}
}

func TestACopyIsKnownAsOneUnderAnotherMapping(t *testing.T) {
	text := with(map[string]any{"groupId": "g", "properties": raw(`{"module":"M","company":"c","u":"other"}`), "context": raw(`{"s":"s2"}`)})
	want := parse(t, text, strict()).Call
	for _, mapping := range []string{
		`feature: [{literal: F}]`, `module: [{literal: M2}]`, `account: [properties.company]`, `user: [properties.u]`, `session: [context.s]`,
		"user: [properties.u]\nsession: [context.s]\ntime: [{literal: 2026-01-01}]\nmodule: [nowhere]",
	} {
		got := parse(t, text, mapped(t, mapping)).Call
		if got.Fingerprint() != want.Fingerprint() {
			t.Errorf("%s: not the same call", mapping)
		}
		other := parse(t, strings.Replace(text, "Export", "Import", 1), mapped(t, mapping)).Call
		if other.Fingerprint() == want.Fingerprint() {
			t.Errorf("%s: another event is the same call", mapping)
		}
	}
}

func TestKeysOfACallMayBeEscaped(t *testing.T) {
	escaped := strings.NewReplacer(`"userId"`, `"user\u0049d"`, `"module"`, `"m\u006fdule"`, `"properties"`, `"\u0070roperties"`).Replace(with(nil))
	if diff := cmp.Diff(parse(t, with(nil), strict()), parse(t, escaped, strict())); diff != "" {
		t.Error(diff)
	}
}
