package profile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// dimension returns one dimension, d, as settings have it.
func dimension(kind profile.DimensionType, from ...string) *profile.Dimensions {
	d := profile.Dimension{Name: "d", Type: kind}
	for _, text := range from {
		place, err := call.ParsePlace(text)
		if err != nil {
			panic(err)
		}
		d.From = append(d.From, place)
	}
	return profile.NewDimensions([]profile.Dimension{d})
}

// value reads the one dimension of an account and its users. It returns its value in text, and the codes of its problems.
func value(d *profile.Dimensions, account []profile.Field, users ...[]profile.Field) string {
	r := d.Read(account)
	for _, user := range users {
		r.AddUser(user)
	}
	values, problems := r.Values()
	var said []string
	for _, v := range values {
		switch v.Type {
		case profile.StringDimension:
			said = append(said, v.Value.Text)
		case profile.NumberDimension:
			said = append(said, fmt.Sprint(v.Value.Number))
		case profile.DateDimension:
			said = append(said, fmt.Sprint(v.Value.TimeMS))
		}
	}
	for _, p := range problems {
		said = append(said, p.Code+" of "+p.Dimension+p.Trait)
	}
	return strings.Join(said, ", ")
}

func TestADimensionIsReadAsItsType(t *testing.T) {
	const wrong, large = "dimension_wrong_type of d", "dimension_too_large of d"
	yes, list := call.Value{Kind: call.Bool, Text: "true"}, call.Value{Kind: call.JSON, Text: "[1]"}
	for _, c := range []struct {
		kind profile.DimensionType
		sent call.Value
		want string
	}{
		{profile.StringDimension, str("gold"), "gold"},
		{profile.StringDimension, num("1.10"), "1.10"},
		{profile.StringDimension, yes, "true"},
		{profile.StringDimension, list, wrong},
		{profile.StringDimension, str(strings.Repeat("x", profile.MaxField)), large},
		{profile.NumberDimension, num("12.5"), "12.5"},
		{profile.NumberDimension, num("-12.5"), "-12.5"},
		{profile.NumberDimension, num("-0"), "0"},
		{profile.NumberDimension, str(" 1e3 "), "1000"},
		{profile.NumberDimension, str("many"), wrong},
		{profile.NumberDimension, str("NaN"), wrong},
		{profile.NumberDimension, num("1e999"), wrong},
		{profile.NumberDimension, yes, wrong},
		{profile.DateDimension, str("2026-11-01"), "1793491200000"},
		{profile.DateDimension, num("1793534400"), "1793534400000"},
		{profile.DateDimension, str("blue"), wrong},
		{profile.DateDimension, num("2026"), wrong},
		{profile.DateDimension, num("0"), wrong},
		{profile.DateDimension, num("46327"), wrong},
		{profile.DateDimension, str("46327"), wrong},
		{profile.DateDimension, num("100000000"), "100000000000"},
		{profile.DateDimension, yes, wrong},
		{profile.DateDimension, null, ""},
		{profile.NumberDimension, str(" "), ""},
	} {
		if got := value(dimension(c.kind, "group.x"), sent(at(1), "x", c.sent)); got != c.want {
			t.Errorf("%.20v as type %d = %q, want %q", c.sent, c.kind, got, c.want)
		}
	}
}

func TestTheFirstPlaceThatHasAValueCounts(t *testing.T) {
	account := sent(at(9), "plan", str("group's"), "Company Plan", str("other"))
	user := sent(at(1), "company.plan", str("user's"), "plan", null)
	for want, from := range map[string][]string{
		"group's": {"group.missing", "identify.plan", "group.plan", "identify.company.plan"},
		"user's":  {"identify.company.plan", "group.plan"},
		"other":   {"group.companyPlan"},
		"":        {"group.company.plan", "identify.plan", "identify.company.plans"},
	} {
		if got := value(dimension(profile.StringDimension, from...), account, user); got != want {
			t.Errorf("from %q: %q, want %q", from, got, want)
		}
	}
	if got := value(dimension(profile.NumberDimension, "group.plan", "group.size"), sent(at(1), "plan", str("x"), "size", num("1"))); got != "dimension_wrong_type of d" {
		t.Errorf("a place with a value of the wrong type was passed over: %q", got)
	}
}

func TestAPlaceMatchesNamesLooselyAndIsClearedWithItsObject(t *testing.T) {
	country := dimension(profile.StringDimension, "group.company.home_country")
	for name, c := range map[string]struct {
		fields []profile.Field
		want   string
	}{
		"other spelling":                 {sent(at(1), "Company.Home Country", str("NO")), "NO"},
		"the later of two spellings":     {joined(sent(at(1), "company.homeCountry", str("NO")), sent(at(2), "company.home-country", str("SE"))), "SE"},
		"the exact one within one call":  {sent(at(1), "Company.homecountry", str("NO"), "company.home_country", str("SE")), "SE"},
		"null":                           {joined(sent(at(1), "company.home_country", str("NO")), sent(at(2), "company.home_country", null)), ""},
		"a later null above":             {joined(sent(at(1), "company.home_country", str("NO")), sent(at(2), "company", null)), ""},
		"an earlier null above":          {joined(sent(at(2), "company.home_country", str("NO")), sent(at(1), "company", null)), "NO"},
		"an object in its place":         {sent(at(1), "company.home_country.code", str("NO")), "dimension_wrong_type of d"},
		"an earlier object in its place": {joined(sent(at(1), "company.home_country.code", str("NO")), sent(at(2), "company.homeCountry", str("SE"))), "SE"},
		"a later object in its place":    {joined(sent(at(2), "company.home_country.code", str("NO")), sent(at(1), "company.homeCountry", str("SE"))), "dimension_wrong_type of d"},
		"null in an object in its place": {sent(at(1), "company.home_country.code", null), "dimension_wrong_type of d"},
		"a later text above":             {joined(sent(at(1), "company.home_country", str("NO")), sent(at(2), "company", str("Acme"))), "dimension_wrong_type of d"},
		"an earlier text above":          {joined(sent(at(2), "company.home_country", str("NO")), sent(at(1), "company", str("Acme"))), "NO"},
		"text above, and nothing there":  {sent(at(2), "company", str("Acme")), ""},
		"text above what was cleared":    {joined(sent(at(1), "company.home_country", null), sent(at(2), "company", str("Acme"))), ""},
		"text above an object":           {joined(sent(at(1), "company.home_country.code", str("NO")), sent(at(2), "company", str("Acme"))), "dimension_wrong_type of d"},
		"a dot in a key is no step":      {sent(at(1), `company\.home_country`, str("NO")), ""},
		"the same path without its head": {sent(at(1), "home_country", str("NO")), ""},
	} {
		if got := value(country, c.fields); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestADimensionMayBeReadFromAnObjectAndFromWhatStandsInItsPlace(t *testing.T) {
	name, text := sent(at(1), "plan.name", str("silver"), "plan.price", num("7")), sent(at(1), "plan", str("gold"))
	later := func(fields []profile.Field) []profile.Field {
		fields = slices.Clone(fields)
		for i := range fields {
			fields[i].At = at(2)
		}
		return fields
	}
	for _, from := range [][]string{{"group.plan", "group.plan.name"}, {"group.Plan.Name", "group.plan"}} {
		d := dimension(profile.StringDimension, from...)
		for want, fields := range map[string][]profile.Field{
			"silver": name, "gold": text, "silver ": joined(text, later(name)), "gold ": joined(name, later(text)),
		} {
			if got := value(d, fields); got != strings.TrimSpace(want) {
				t.Errorf("from %q: %q, want %q", from, got, want)
			}
		}
	}
	if got := value(dimension(profile.StringDimension, "group.plan", "identify.plan.name"), name); got != "dimension_wrong_type of d" {
		t.Errorf("the object of another type of calls: %q", got)
	}
}

func TestUsersWhoHaveObjectsInTheirPlaceAreAlike(t *testing.T) {
	d := dimension(profile.StringDimension, "identify.plan")
	one, two := sent(at(1), "plan.name", str("a")), sent(at(2), "plan.price", num("7"))
	if got := value(d, nil, one, two); got != "dimension_wrong_type of d" {
		t.Error(got)
	}
	if got := value(d, nil, one, sent(at(2), "plan", str("gold"))); got != "gold, dimension_conflict of d" {
		t.Error(got)
	}
}

func TestOfSeveralUsersTheLatestCountsAndADifferenceIsAConflict(t *testing.T) {
	const conflict = ", dimension_conflict of d"
	earlier, later := call.Position{TimeMS: 1, MessageID: "a"}, call.Position{TimeMS: 1, MessageID: "b"}
	user := func(p call.Position, v call.Value) []profile.Field { return sent(p, "size", v) }
	for name, c := range map[string]struct {
		users [][]profile.Field
		want  string
	}{
		"nobody":                   {nil, ""},
		"one":                      {[][]profile.Field{user(earlier, num("1"))}, "1"},
		"the later time":           {[][]profile.Field{user(at(3), num("3")), user(at(2), num("2"))}, "3" + conflict},
		"the greater messageId":    {[][]profile.Field{user(later, num("2")), user(earlier, num("1"))}, "2" + conflict},
		"the same otherwise sent":  {[][]profile.Field{user(at(3), num("1.0")), user(at(2), str("1"))}, "1"},
		"who has none is no one":   {[][]profile.Field{user(at(1), num("1")), user(at(2), null), user(at(3), str("")), nil}, "1"},
		"two of three are alike":   {[][]profile.Field{user(at(3), num("1")), user(at(2), num("1")), user(at(1), num("2"))}, "1" + conflict},
		"the latest is wrong":      {[][]profile.Field{user(at(1), num("1")), user(at(2), str("many"))}, "dimension_wrong_type of d" + conflict},
		"an earlier one is wrong":  {[][]profile.Field{user(at(2), num("1")), user(at(1), str("many"))}, "1" + conflict},
		"both are wrong alike":     {[][]profile.Field{user(at(2), str("many")), user(at(1), str("many"))}, "dimension_wrong_type of d"},
		"both are wrong otherwise": {[][]profile.Field{user(at(2), str("many")), user(at(1), str("few"))}, "dimension_wrong_type of d" + conflict},
	} {
		if got := value(dimension(profile.NumberDimension, "identify.size"), nil, c.users...); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := value(dimension(profile.NumberDimension, "group.size", "identify.size"), user(at(1), num("7")), user(at(2), num("1")), user(at(3), num("2"))); got != "7" {
		t.Errorf("users who are not asked are in conflict: %q", got)
	}
}

func TestUsersAreNeededOnlyWhereTheyDecide(t *testing.T) {
	account := sent(at(1), "plan", str("x"))
	for want, all := range map[bool][][]string{
		true:  {{"identify.plan"}, {"identify.plan", "group.plan"}, {"group.missing", "identify.plan"}},
		false: {{}, {"group.plan"}, {"group.missing"}, {"group.plan", "identify.plan"}},
	} {
		for _, from := range all {
			if got := dimension(profile.StringDimension, from...).Read(account).NeedsUsers(); got != want {
				t.Errorf("from %q: %v, want %v", from, got, want)
			}
		}
	}
	var none *profile.Dimensions
	r := none.Read(account)
	r.AddUser(account)
	if values, problems := r.Values(); r.NeedsUsers() || len(values)+len(problems) != 0 {
		t.Errorf("no dimensions: %v, %v", values, problems)
	}
}

func TestEveryDimensionIsReadOnItsOwn(t *testing.T) {
	place := []call.Place{{Type: call.Group, Path: "x"}}
	d := profile.NewDimensions([]profile.Dimension{
		{Name: "z", Type: profile.StringDimension, From: place},
		{Name: "a", Type: profile.NumberDimension, From: place},
		{Name: "m", Type: profile.DateDimension, From: place},
	})
	values, problems := d.Read(sent(at(1), "x", str("12"))).Values()
	want := []profile.DimensionValue{
		{Name: "z", Type: profile.StringDimension, Value: profile.Value{Text: "12"}},
		{Name: "a", Type: profile.NumberDimension, Value: profile.Value{Number: 12}},
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]profile.Problem{{Code: profile.DimensionWrongType, Dimension: "m"}}, problems); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAMappingFoundCountsBeforeEveryPlaceAndByTheNameToTheLetter(t *testing.T) {
	read := func(mapped bool, account []profile.Field, users ...[]profile.Field) string {
		from := []call.Place{{Type: call.Group, Path: "plan"}}
		return value(profile.NewDimensions([]profile.Dimension{
			{Name: "My.Plan", Type: profile.StringDimension, From: from, Mapped: mapped},
		}), account, users...)
	}
	own, other := call.DimensionPath("My.Plan"), call.DimensionPath("my._Plan")
	plan := account("plan", str("of a trait"))
	for name, c := range map[string]struct{ got, want string }{
		"of a group call":               {read(true, profile.MergeAccount(plan, sending(1, own, str("mapped")))), "mapped"},
		"of an identify call":           {read(true, plan, profile.MergeUser(nil, sending(1, own, str("of a user")))), "of a user"},
		"group before identify":         {read(true, profile.MergeAccount(plan, sending(1, own, str("mapped"))), profile.MergeUser(nil, sending(2, own, str("of a user")))), "mapped"},
		"nothing":                       {read(true, plan), "of a trait"},
		"cleared":                       {read(true, profile.MergeAccount(profile.MergeAccount(plan, sending(1, own, str("mapped"))), sending(2, own, call.Value{Kind: call.Null}))), "of a trait"},
		"of a name in another spelling": {read(true, profile.MergeAccount(plan, sending(1, other, str("wrong")))), "of a trait"},
		"of what would be its object":   {read(true, profile.MergeAccount(profile.MergeAccount(plan, sending(1, own, str("mapped"))), sending(2, call.DimensionPath("My"), str("other")))), "mapped"},
		"of a key that looks like it":   {read(true, profile.MergeAccount(plan, sending(1, `\\:My\.Plan`, str("wrong")))), "of a trait"},
		"no source is mapped now":       {read(false, profile.MergeAccount(plan, sending(1, own, str("mapped")))), "of a trait"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
}

func TestWhatAMappingFoundIsNoUnmappedTraitAndGoesLastWhenThereIsNoRoom(t *testing.T) {
	fields := profile.MergeAccount(nil, sending(1, call.DimensionPath("Plan"), str("gold")))
	if seen := (profile.Settings{}).Unmapped(call.Group, fields); len(seen) != 0 {
		t.Errorf("unmapped: %+v", seen)
	}
	for i := range 12 {
		fields = profile.MergeAccount(fields, sending(int64(2+i), fmt.Sprint("x", i), str(strings.Repeat("x", 8000))))
	}
	if len(fields) == 13 {
		t.Fatal("nothing had to go")
	}
	if !slices.ContainsFunc(fields, func(f profile.Field) bool { return f.Path == call.DimensionPath("Plan") }) {
		t.Error("the mapped dimension went before traits that mean nothing")
	}
}

// sending returns a call at a time that sends one trait.
func sending(ms int64, path string, v call.Value) *call.Call {
	return &call.Call{TimeMS: ms, MessageID: "m", Traits: []call.Trait{{Path: path, Value: v}}}
}

func account(path string, v call.Value) []profile.Field {
	return profile.MergeAccount(nil, sending(0, path, v))
}
