package profile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

func str(s string) call.Value { return call.Value{Kind: call.String, Text: s} }

func num(s string) call.Value { return call.Value{Kind: call.Number, Text: s} }

func at(ms int64) call.Position { return call.Position{TimeMS: ms, MessageID: "m"} }

var (
	null  = call.Value{Kind: call.Null}
	empty = call.Value{Kind: call.JSON, Text: "{}"}
)

// sent returns the fields of a call at a position with traits given as path, value, path, value, …
func sent(p call.Position, traits ...any) []profile.Field {
	c := call.Call{TimeMS: p.TimeMS, MessageID: p.MessageID}
	for i := 0; i < len(traits); i += 2 {
		c.Traits = append(c.Traits, call.Trait{Path: traits[i].(string), Value: traits[i+1].(call.Value)})
	}
	return profile.MergeUser(nil, &c)
}

func joined(all ...[]profile.Field) (fields []profile.Field) {
	for _, f := range all {
		fields = profile.Join(fields, f)
	}
	return fields
}

func TestTheLatestSpellingStandsAndWithinACallTheContractsOwn(t *testing.T) {
	earlier := call.Position{TimeMS: 1, MessageID: "b"}
	for name, c := range map[string]struct {
		fields []profile.Field
		want   string // the mailing city; empty: none
	}{
		"a later call under another spelling": {
			joined(sent(at(1), "mailing_city", str("old")), sent(at(2), "address.city", str("new"))),
			"new",
		},
		"an earlier call arriving later":      {joined(sent(at(2), "city", str("new")), sent(at(1), "mailing_city", str("old"))), "new"},
		"the contract's own name":             {sent(at(1), "city", str("c"), "mailingCity", str("b"), "mailing_city", str("a")), "a"},
		"the contract's name, loosely":        {sent(at(1), "address.city", str("b"), "mailingCity", str("a")), "a"},
		"the spec's name":                     {sent(at(1), "city", str("c"), "address.city", str("b")), "b"},
		"equal rank, the smaller path":        {sent(at(1), "mailingCity", str("b"), "MailingCity", str("a")), "a"},
		"equal times, the greater messageId":  {joined(sent(earlier, "mailing_city", str("b")), sent(at(1), "city", str("m"))), "m"},
		"null clears":                         {joined(sent(at(1), "mailing_city", str("a")), sent(at(2), "mailing_city", null)), ""},
		"null under another spelling clears":  {joined(sent(at(1), "mailing_city", str("a")), sent(at(2), "city", null)), ""},
		"empty text clears":                   {joined(sent(at(1), "mailing_city", str("a")), sent(at(2), "mailing_city", str(" "))), ""},
		"an earlier null does not clear":      {joined(sent(at(2), "mailing_city", str("a")), sent(at(1), "mailing_city", null)), "a"},
		"a newer null above clears":           {joined(sent(at(1), "address.city", str("a")), sent(at(2), "Address", null)), ""},
		"an older null above does not":        {joined(sent(at(1), "address", null), sent(at(2), "address.city", str("a"))), "a"},
		"newer empty text above clears":       {joined(sent(at(1), "address.city", str("a")), sent(at(2), "address", str(" "))), ""},
		"newer text above what was cleared":   {joined(sent(at(1), "address.city", null), sent(at(2), "address", str("here"))), ""},
		"older text above does not":           {joined(sent(at(1), "address", str("here")), sent(at(2), "address.city", str("a"))), "a"},
		"a newer empty object above does not": {joined(sent(at(1), "address.city", str("a")), sent(at(2), "address", empty)), "a"},
		"an empty object does not undo null": {
			joined(sent(at(1), "city", str("a")), sent(at(2), "address", null), sent(at(3), "address", empty)),
			"",
		},
		"null above in one call, own name present": {sent(at(1), "address", null, "mailing_city", str("a")), "a"},
		"text above in one call, own name present": {sent(at(1), "address", str("here"), "mailing_city", str("a")), "a"},
		"empty own name, another in one call":      {sent(at(1), "mailing_city", str(" "), "address.city", str("a")), "a"},
		"null as own name, another in one call":    {sent(at(1), "mailing_city", null, "address.city", str("a")), ""},
		"empty own name, null under another":       {sent(at(1), "mailing_city", str(""), "address.city", null), ""},
		"a newer empty own name clears":            {joined(sent(at(1), "address.city", str("a")), sent(at(2), "mailing_city", str(""))), ""},
	} {
		got := profile.ViewUser(c.fields)
		want := map[string]profile.Value{}
		if c.want != "" {
			want["mailing_city"] = profile.Value{Text: c.want}
		}
		if diff := cmp.Diff(profile.View{Values: want}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAWholeNameIsSplitWhereItsPartsWereNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		fields      []profile.Field
		first, last string
	}{
		"two words":  {sent(at(1), "name", str("Ada Lovelace")), "Ada", "Lovelace"},
		"many words": {sent(at(1), "name", str("  Ada  King Lovelace ")), "Ada", "King Lovelace"},
		"one word":   {sent(at(1), "name", str("Ada")), "Ada", ""},
		"a part sent before stands": {
			joined(sent(at(1), "firstName", str("Augusta")), sent(at(2), "name", str("Ada Lovelace"))),
			"Augusta", "Lovelace",
		},
		"a part cleared before is filled":  {joined(sent(at(1), "firstName", null), sent(at(2), "name", str("Ada Lovelace"))), "Ada", "Lovelace"},
		"a part cleared after stays clear": {joined(sent(at(2), "firstName", null), sent(at(1), "name", str("Ada Lovelace"))), "", "Lovelace"},
		"a part cleared in the same call":  {sent(at(1), "firstName", null, "name", str("Ada Lovelace")), "", "Lovelace"},
		"an empty first name":              {sent(at(1), "firstName", str(""), "name", str("Ada King")), "Ada", "King"},
		"an empty last name":               {sent(at(1), "last_name", str(" "), "name", str("Ada King Lovelace")), "Ada", "King Lovelace"},
		"empty names in two spellings":     {sent(at(1), "First Name", str(""), "firstName", str(" "), "lastname", str(""), "Name", str("Ada King")), "Ada", "King"},
		"empty, and named in one call":     {sent(at(1), "first_name", str(""), "firstName", str("Augusta"), "name", str("Ada King")), "Augusta", "King"},
		"a part emptied after":             {joined(sent(at(2), "firstName", str("")), sent(at(1), "name", str("Ada Lovelace"))), "Ada", "Lovelace"},
		"a part sent, then emptied": {
			joined(sent(at(1), "firstName", str("Augusta"), "name", str("Ada King")), sent(at(2), "firstName", str(""))), "Ada", "King",
		},
		"a part emptied, then null": {joined(sent(at(1), "firstName", str(""), "name", str("Ada King")), sent(at(2), "firstName", null)), "", "King"},
		"empty, and no other name":  {sent(at(1), "firstName", str(""), "lastName", str("King")), "", "King"},
		"empty, and one word":       {sent(at(1), "firstName", str(""), "lastName", str(""), "name", str("Ada")), "Ada", ""},
		"an object":                 {sent(at(1), "name.first", str("Ada King")), "", ""},
		"an object after a name":    {joined(sent(at(1), "name", str("Ada King")), sent(at(2), "name.first", str("Ada"))), "", ""},
		"cleared":                   {joined(sent(at(1), "name", str("Ada Lovelace")), sent(at(2), "name", null)), "", ""},
		"no text":                   {sent(at(1), "name", num("5")), "", ""},
		"only space":                {sent(at(1), "name", str("  ")), "", ""},
	} {
		got := profile.ViewUser(c.fields)
		want := map[string]profile.Value{}
		for trait, part := range map[string]string{"first_name": c.first, "last_name": c.last} {
			if part != "" {
				want[trait] = profile.Value{Text: part}
			}
		}
		if diff := cmp.Diff(profile.View{Values: want}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatCannotBeUsedIsLeftOutAndListed(t *testing.T) {
	settings := profile.Settings{Tiers: []string{"gold"}, LifecycleStages: []string{"live"}}
	list, yes := call.Value{Kind: call.JSON, Text: "[]"}, call.Value{Kind: call.Bool, Text: "true"}
	for _, c := range []struct {
		path    string
		send    call.Value
		want    any    // nil: left out
		problem string // of the trait
	}{
		{"name", num("42"), "42", ""},
		{"name", str(" Acme "), " Acme ", ""},
		{"name", yes, nil, "name_invalid"},
		{"name", list, nil, "name_invalid"},
		{"name", str(strings.Repeat("x", profile.MaxField)), nil, "name_too_large"},
		{"createdAt", str("2026-11-01T12:00:00Z"), int64(1793534400000), ""},
		{"createdAt", str("2026-11-01"), int64(1793491200000), ""},
		{"createdAt", num("1793534400"), int64(1793534400000), ""},
		{"createdAt", str("1793534400000"), int64(1793534400000), ""},
		{"created_at", str("soon"), nil, "created_at_invalid"},
		{"createdAt", num("-1"), nil, "created_at_invalid"},
		{"createdAt", yes, nil, "created_at_invalid"},
		{"description", str(strings.Repeat("é", 512)), strings.Repeat("é", 512), ""},
		{"description", str(strings.Repeat("é", 513)), strings.Repeat("é", 512), "description_too_long"},
		{"description", list, nil, "description_invalid"},
		{"employees", num("12.5"), 12.5, ""},
		{"employees", str(" 1e3 "), 1000.0, ""},
		{"employees", num("0"), 0.0, ""},
		{"employees", num("-1"), nil, "employees_invalid"},
		{"employees", str("many"), nil, "employees_invalid"},
		{"employees", str("0x10"), nil, "employees_invalid"},
		{"employees", str("NaN"), nil, "employees_invalid"},
		{"employees", num("1e999"), nil, "employees_invalid"},
		{"employees", yes, nil, "employees_invalid"},
		{"tier", str("gold"), "gold", ""},
		{"tier", str(" gold "), "gold", ""},
		{"tier", str("Gold"), nil, "tier_unknown"},
		{"tier", str("lead"), nil, "tier_unknown"},
		{"tier", yes, nil, "tier_invalid"},
		{"stage", str("live"), "live", ""},
		{"stage", str("dead"), nil, "lifecycle_stage_unknown"},
		{"is_churned", yes, true, ""},
		{"is_churned", str("False"), false, ""},
		{"is_churned", str("1"), true, ""},
		{"is_churned", num("0"), false, ""},
		{"is_churned", num("2"), nil, "is_churned_invalid"},
		{"is_churned", str("yes"), nil, "is_churned_invalid"},
		{"is_churned", list, nil, "is_churned_invalid"},
	} {
		got := profile.ViewAccount(sent(at(1), c.path, c.send), settings)
		problem := ""
		if len(got.Problems) > 0 {
			problem = got.Problems[0].Code
		}
		var value any
		for trait, v := range got.Values {
			value = map[string]any{"createdAt": v.TimeMS, "employees": v.Number, "is_churned": v.Bool}[trait]
			if value == nil {
				value = v.Text
			}
		}
		if value != c.want || problem != c.problem || len(got.Values) > 1 || len(got.Problems) > 1 {
			t.Errorf("%s %.20v = %.20v, problem %q, want %.20v, problem %q", c.path, c.send, value, problem, c.want, c.problem)
		}
	}
}

func TestAnObjectWhereAValueBelongsIsAProblemAndSoIsTextWhereAnObjectHadTheValue(t *testing.T) {
	plain := func(path string, v call.Value) func(int64) []profile.Field {
		return func(ms int64) []profile.Field { return profile.MergeAccount(nil, sending(ms, path, v)) }
	}
	object := func(path, key string, v call.Value) func(int64) []profile.Field { return plain(path+"."+key, v) }
	for _, c := range []struct {
		good, bad func(int64) []profile.Field
		trait     string
		problem   string
	}{
		{plain("createdAt", str("2026-11-01")), object("createdAt", "$date", str("2026-11-02")), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), object("created_at", "$date", num("1793534400000")), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), object("createdAt", "$date.$numberLong", str("1")), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), object("createdAt", "$date", null), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), object("createdAt", "$date", empty), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), plain("createdAt", empty), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), plain("createdAt", num("2020")), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), plain("createdAt", num("0")), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), plain("createdAt", num("43831")), "createdAt", "created_at_invalid"},
		{plain("createdAt", str("2026-11-01")), plain("createdAt", str("43831")), "createdAt", "created_at_invalid"},
		{plain("employees", num("7")), object("employees", "min", num("1")), "employees", "employees_invalid"},
		{plain("employees", num("7")), object("numberOfEmployees", "min", str(strings.Repeat("x", 9000))), "employees", "employees_invalid"},
		{plain("name", str("Acme")), object("name", "en", str("Acme")), "name", "name_invalid"},
		{plain("tier", str("gold")), object("tier", "name", str("gold")), "tier", "tier_invalid"},
		{plain("is_churned", str("1")), object("churned", "is", str("1")), "is_churned", "is_churned_invalid"},
		{plain("description", str("x")), object("description", "html", str("x")), "description", "description_invalid"},
		{plain("address.city", str("Oslo")), object("address.city", "name", str("Rome")), "billing_city", "billing_city_invalid"},
		{plain("address.city", str("Oslo")), plain("address", str("x")), "billing_city", "billing_city_invalid"},
		{plain("Address.City", str("Oslo")), plain("address", num("7")), "billing_city", "billing_city_invalid"},
		{plain("billing_city", str("Oslo")), plain("ADDRESS", call.Value{Kind: call.JSON, Text: "[1]"}), "billing_city", "billing_city_invalid"},
		{object("address.city", "name", str("Rome")), plain("address", str("x")), "", "billing_city_invalid"},
	} {
		settings := profile.Settings{Tiers: []string{"gold"}}
		after := profile.ViewAccount(joined(c.good(1), c.bad(2)), settings)
		if diff := cmp.Diff(after, profile.ViewAccount(joined(c.bad(2), c.good(1)), settings)); diff != "" {
			t.Errorf("%s: in another order: %s", c.problem, diff)
		}
		if len(after.Values) != 0 || len(after.Problems) != 1 || after.Problems[0].Code != c.problem {
			t.Errorf("%s: %+v", c.problem, after)
		}
		if c.trait == "" {
			continue
		}
		before := profile.ViewAccount(joined(c.bad(1), c.good(2)), settings)
		if _, ok := before.Values[c.trait]; !ok || len(before.Values) != 1 || len(before.Problems) != 0 {
			t.Errorf("%s, and a value after that: %+v", c.problem, before)
		}
	}
}

func TestAnObjectUnderAHintIsNoProblem(t *testing.T) {
	settings := profile.Settings{Tiers: []string{"gold"}}
	got := profile.ViewAccount(joined(sent(at(1), "tier", str("gold")), sent(at(2), "plan.name", str("gold"))), settings)
	if got.Values["tier"].Text != "gold" || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAProblemNamesTheContractsTrait(t *testing.T) {
	got := profile.ViewAccount(sent(at(1), "tier", str("x"), "created", str("x"), "employeeCount", str("x")), profile.Settings{}).Problems
	want := []profile.Problem{
		{Code: "created_at_invalid", Trait: "createdAt"}, {Code: "employees_invalid", Trait: "employees"}, {Code: "tier_unknown", Trait: "tier"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestATierNamedLaterBecomesVisible(t *testing.T) {
	fields := sent(at(1), "tier", str("gold"), "stage", str("live"))
	before := profile.ViewAccount(fields, profile.Settings{})
	if len(before.Values) != 0 || len(before.Problems) != 2 {
		t.Errorf("before: %+v", before)
	}
	after := profile.ViewAccount(fields, profile.Settings{Tiers: []string{"gold"}, LifecycleStages: []string{"live"}})
	if after.Values["tier"].Text != "gold" || after.Values["lifecycle_stage"].Text != "live" || len(after.Problems) != 0 {
		t.Errorf("after: %+v", after)
	}
}

func TestAPlanIsTheTierOnlyIfSettingsNameIt(t *testing.T) {
	settings := profile.Settings{Tiers: []string{"gold", "silver"}}
	for name, c := range map[string]struct {
		fields []profile.Field
		want   string
	}{
		"a named plan":                       {sent(at(1), "plan", str("gold")), "gold"},
		"a newer named plan":                 {joined(sent(at(1), "tier", str("gold")), sent(at(2), "plan", str("silver"))), "silver"},
		"a newer plan that is no tier":       {joined(sent(at(1), "tier", str("gold")), sent(at(2), "plan", str("annual"))), "gold"},
		"a newer null plan":                  {joined(sent(at(1), "tier", str("gold")), sent(at(2), "plan", null)), "gold"},
		"a plan in the same call as a tier":  {sent(at(1), "plan", str("silver"), "tier", str("gold")), "gold"},
		"a plan alone that is no tier":       {sent(at(1), "plan", str("annual")), ""},
		"a plan that was a tier and is gone": {joined(sent(at(1), "plan", str("gold")), sent(at(2), "plan", null)), ""},
	} {
		if v := profile.ViewAccount(c.fields, settings); v.Values["tier"].Text != c.want || len(v.Problems) != 0 {
			t.Errorf("%s: %+v, want %q", name, v, c.want)
		}
	}
}

func TestAnAccountIsCompleteWithNameAndCreatedAt(t *testing.T) {
	for want, fields := range map[string][]profile.Field{
		"[]":               sent(at(1), "name", str("Acme"), "createdAt", str("2026-11-01")),
		"[name]":           sent(at(1), "name", str(" "), "createdAt", str("2026-11-01")),
		"[createdAt]":      sent(at(1), "name", str("Acme"), "createdAt", str("soon")),
		"[name createdAt]": nil,
	} {
		got := profile.Missing(profile.ViewAccount(fields, profile.Settings{}))
		if diff := cmp.Diff(want, fmt.Sprint(got), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
}
