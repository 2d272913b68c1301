package storetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// kind is what a trait's values mean, for the oracle.
type kind int8

const (
	plain kind = iota
	wholeName
	instant
	amount
	tier
	custom // nothing to the contract, but a dimension may be read from it
)

// Paths that mean something else than the trait they stand beside.
const (
	above       = "address"  // where anything but an object clears what stood within
	aboveCustom = "company"  // the same
	hint        = "plan"     // which is a tier if settings name it
	lookalike   = `\\:D 0.x` // the path of a key that is written as mapped dimensions are
)

// mappedName is the name of the dimension that mappings find values for. Letter case and space make a difference in names.
const mappedName = "D 0.x"

// meaning is a trait with some of its spellings, the better ones first. One that leads on from another is of an object in the other's place.
type meaning struct {
	trait     string
	code      string
	as        kind
	spellings []string
}

var userTable = []meaning{
	{"first_name", "first_name", plain, []string{"first_name", "First Name", "firstName"}},
	{"last_name", "last_name", plain, []string{"last_name", "lastName"}},
	{"mailing_city", "mailing_city", plain, []string{"mailing_city", "mailingCity", "address.city", "city", above, "address.city.name"}},
	{"", "", wholeName, []string{"name", "name.first"}},
	{"", "", custom, []string{"company.size", "Company.Size", aboveCustom, "company.size.min"}},
	{"", "", custom, []string{"seen", "SEEN", "seen.at"}},
	{"", "", custom, []string{call.DimensionPath(mappedName)}},
}

var accountTable = []meaning{
	{"name", "name", plain, []string{"name"}},
	{"createdAt", "created_at", instant, []string{"createdAt", "created_at", "created", "createdAt.$date"}},
	{"employees", "employees", amount, []string{"employees", "employeeCount", "employeeCount.min"}},
	{"tier", "tier", tier, []string{"tier", hint}},
	{"billing_city", "billing_city", plain, []string{"billing_city", "biling_city", "address.city", above}},
	{"", "", custom, []string{"company.size", "company._Size", aboveCustom}},
	{"", "", custom, []string{"renewal_date", "renewalDate", "renewal_date.iso"}},
	{"", "", custom, []string{call.DimensionPath(mappedName)}},
	{"", "", custom, []string{lookalike}},
}

// sample is a value and what it reads as.
type sample struct {
	value   call.Value
	reads   string
	problem string // the end of the code
}

// samples returns values of a kind, each with its meaning worked out by hand.
func samples(k kind) []sample {
	text := func(s string) call.Value { return call.Value{Kind: call.String, Text: s} }
	number := func(s string) call.Value { return call.Value{Kind: call.Number, Text: s} }
	wrong := []sample{
		{value: call.Value{Kind: call.Null}},
		{value: text("")},
		{value: call.Value{Kind: call.Bool, Text: "true"}, problem: "_invalid"},
		{value: nothing, problem: "_invalid"},
	}
	return append(wrong, map[kind][]sample{
		plain:     {{value: text("Oslo"), reads: "Oslo"}, {value: text("Rome"), reads: "Rome"}, {value: number("7"), reads: "7"}},
		wholeName: {{value: text("Ada Lovelace")}, {value: text("Grace Brewster Hopper")}, {value: text("Ada")}},
		instant: {
			{value: text("2026-11-01"), reads: "1793491200000"},
			{value: number("1793534400"), reads: "1793534400000"},
			{value: text("soon"), problem: "_invalid"},
			{value: number("43831"), problem: "_invalid"},
		},
		amount: {{value: text("12"), reads: "12"}, {value: number("300"), reads: "300"}, {value: text("many"), problem: "_invalid"}},
		tier:   {{value: text("gold"), reads: "gold"}, {value: text("silver"), reads: "silver"}},
		custom: customSamples(),
	}[k]...)
}

// nothing is an empty object.
var nothing = call.Value{Kind: call.JSON, Text: "{}"}

// rank returns how good a spelling is, the smaller the better, and whether it is inside of an object in the trait's place; false: it is none.
func (m meaning) rank(path string) (rank int, inside, ok bool) {
	for i, s := range m.spellings {
		if rest, under := strings.CutPrefix(path, s); under && s != above && s != aboveCustom {
			if rest == "" || rest[0] == '.' {
				return i, rest != "", true
			}
		}
	}
	rank = slices.Index(m.spellings, path)
	return rank, false, rank >= 0
}

// read returns what something that was said reads as, or the code of what is wrong with it.
func (m meaning) read(said *spoken, settings profile.Settings) (reads, problem string) {
	if said.misplaced {
		return "", m.code + "_invalid"
	}
	all := samples(m.as)
	s := all[slices.IndexFunc(all, func(s sample) bool { return s.value == said.value })]
	switch {
	case s.problem != "":
		return "", m.code + s.problem
	case m.as == tier && !slices.Contains(settings.Tiers, s.reads):
		return "", m.code + "_unknown"
	}
	return s.reads, ""
}

// The store's answers in the form of the oracle's.

func viewUsers(users []directory.User) (out []userView) {
	for _, u := range users {
		traits, problems := viewTraits(profile.ViewUser(u.Fields))
		out = append(out, userView{UserKey: u.UserKey, LastSeenMS: u.LastSeenMS, Traits: traits, Problems: problems})
	}
	return out
}

func viewAccounts(
	t *rapid.T, store directory.Store, workspace string, accounts []directory.Account, settings profile.Settings,
) (out []accountView) {
	for _, a := range accounts {
		v := profile.ViewAccount(a.Fields, settings)
		traits, problems := viewTraits(v)
		values, wrong, err := directory.Dimensions(context.Background(), store, workspace, &a, settings.Dimensions)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range wrong {
			problems = append(problems, p.Dimension+" "+p.Code)
		}
		slices.Sort(problems)
		view := accountView{AccountID: a.AccountID, Traits: traits, Dimensions: map[string]string{}, Problems: problems, Missing: profile.Missing(v)}
		for _, d := range values {
			view.Dimensions[d.Name] = dimensionText(d)
		}
		out = append(out, view)
	}
	return out
}

func dimensionText(d profile.DimensionValue) string {
	switch d.Type {
	case profile.NumberDimension:
		return fmt.Sprint(d.Value.Number)
	case profile.DateDimension:
		return strconv.FormatInt(d.Value.TimeMS, 10)
	default:
		return d.Value.Text
	}
}

func viewTraits(v profile.View) (traits map[string]string, problems []string) {
	traits = map[string]string{}
	for name, value := range v.Values {
		switch name {
		case "createdAt":
			traits[name] = strconv.FormatInt(value.TimeMS, 10)
		case "employees":
			traits[name] = fmt.Sprint(value.Number)
		default:
			traits[name] = value.Text
		}
	}
	for _, p := range v.Problems {
		problems = append(problems, p.Code)
	}
	return traits, problems
}
