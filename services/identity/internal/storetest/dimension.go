package storetest

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// customPlaces are the places that dimensions are read from, and the traits that stand there.
var customPlaces = map[call.Place]meaning{
	{Type: call.Identify, Path: "company.size"}: spelled(userTable, "company.size"),
	{Type: call.Identify, Path: "seen"}:         spelled(userTable, "seen"),
	{Type: call.Group, Path: "company.size"}:    spelled(accountTable, "company.size"),
	{Type: call.Group, Path: "renewal_date"}:    spelled(accountTable, "renewal_date"),
}

// mappedPlaces are where values stand that mappings found.
var mappedPlaces = []call.Place{
	{Type: call.Group, Path: call.DimensionPath(mappedName)}, {Type: call.Identify, Path: call.DimensionPath(mappedName)},
}

func spelled(table []meaning, path string) meaning {
	return table[slices.IndexFunc(table, func(m meaning) bool { return m.spellings[0] == path })]
}

const wrongType = "wrong"

// readsAs is a value and what it is as text, as a number and as a date, worked out by hand.
type readsAs struct {
	value              call.Value
	text, number, date string
}

var customValues = []readsAs{
	{call.Value{Kind: call.String, Text: "12"}, "12", "12", wrongType},
	{call.Value{Kind: call.Number, Text: "12"}, "12", "12", wrongType},
	{call.Value{Kind: call.Number, Text: "12.0"}, "12.0", "12", wrongType},
	{call.Value{Kind: call.String, Text: "43831"}, "43831", "43831", wrongType},
	{call.Value{Kind: call.Number, Text: "100000000"}, "100000000", "1e+08", "100000000000"},
	{call.Value{Kind: call.Number, Text: "-3"}, "-3", "-3", wrongType},
	{call.Value{Kind: call.String, Text: "2026-11-01"}, "2026-11-01", wrongType, "1793491200000"},
	{call.Value{Kind: call.Number, Text: "1793491200"}, "1793491200", "1.7934912e+09", "1793491200000"},
	{call.Value{Kind: call.String, Text: "blue"}, "blue", wrongType, wrongType},
	{call.Value{Kind: call.Bool, Text: "true"}, "true", wrongType, wrongType},
}

func customSamples() (all []sample) {
	for _, r := range customValues {
		all = append(all, sample{value: r.value})
	}
	return all
}

func (r readsAs) as(t profile.DimensionType) string {
	return map[profile.DimensionType]string{
		profile.StringDimension: r.text, profile.NumberDimension: r.number, profile.DateDimension: r.date,
	}[t]
}

func genDimensions(t *rapid.T) *profile.Dimensions {
	var places []call.Place
	for place := range customPlaces {
		places = append(places, place)
	}
	slices.SortFunc(places, func(p, q call.Place) int { return strings.Compare(p.String(), q.String()) })
	all := make([]profile.Dimension, rapid.IntRange(0, 4).Draw(t, "dimensions"))
	for i := range all {
		order := rapid.Permutation(places).Draw(t, "places")
		name := fmt.Sprint("d ", i, ".x")
		mapped := i == 0 && rapid.Bool().Draw(t, "mapped")
		if mapped {
			name = mappedName
		}
		all[i] = profile.Dimension{
			Name: name, Mapped: mapped,
			Type: rapid.SampledFrom([]profile.DimensionType{profile.StringDimension, profile.NumberDimension, profile.DateDimension}).Draw(t, "type"),
			From: order[:rapid.IntRange(0, len(order)).Draw(t, "from")],
		}
	}
	return profile.NewDimensions(all)
}

// dimension returns a dimension of an account, if it has a value, and its problems.
func (o *oracle) dimension(account string, d *profile.Dimension) (value string, problems []string) {
	places := d.From
	if d.Mapped {
		places = slices.Concat(mappedPlaces, d.From)
	}
	for _, place := range places {
		said, ok := customPlaces[place]
		if !ok {
			said = meaning{as: custom, spellings: []string{place.Path}}
		}
		var all []spoken
		for _, calls := range o.subjects(account, place.Type) {
			if s := latest(calls, place.Type, said, profile.Settings{}); s != nil && !s.clears() {
				all = append(all, *s)
			}
		}
		if len(all) == 0 {
			continue
		}
		slices.SortFunc(all, func(a, b spoken) int { return b.at.Compare(a.at) })
		reads := func(s spoken) string {
			if s.misplaced {
				return wrongType
			}
			i := slices.IndexFunc(customValues, func(r readsAs) bool { return r.value == s.value })
			return customValues[i].as(d.Type)
		}
		if slices.ContainsFunc(all, func(s spoken) bool {
			return reads(s) != reads(all[0]) || reads(s) == wrongType && s.raw() != all[0].raw()
		}) {
			problems = append(problems, "dimension_conflict")
		}
		if value = reads(all[0]); value == wrongType {
			return "", append(problems, "dimension_wrong_type")
		}
		return value, problems
	}
	return "", nil
}

// subjects returns the calls of an account, or of each of its users.
func (o *oracle) subjects(account string, from call.Type) (all [][]call.Call) {
	users := map[string][]call.Call{}
	for _, c := range o.calls {
		switch {
		case from == call.Group && c.AccountID == account:
			users[""] = append(users[""], c)
		case from == call.Identify && c.UserID != "" && o.accountOf(&c) == account:
			users[c.UserID] = append(users[c.UserID], c)
		}
	}
	for _, calls := range users {
		all = append(all, calls)
	}
	return all
}
