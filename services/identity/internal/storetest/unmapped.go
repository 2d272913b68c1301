package storetest

import (
	"cmp"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// stranger is a name that histories use and the contract does not know, or only as something that it is not.
type stranger struct {
	place     call.Place // in its canonical spelling
	spellings []string
	above     []string
}

var strangers = []stranger{
	{call.Place{Type: call.Group, Path: `\\:d0.x`}, []string{lookalike}, nil},
	{call.Place{Type: call.Group, Path: "address"}, []string{above}, nil},
	{call.Place{Type: call.Group, Path: "company"}, []string{aboveCustom}, nil},
	{call.Place{Type: call.Group, Path: "company.size"}, []string{"company.size", "company._Size"}, []string{aboveCustom}},
	{call.Place{Type: call.Group, Path: "createdat.$date"}, []string{"createdAt.$date"}, []string{"createdAt", "created_at"}},
	{call.Place{Type: call.Group, Path: "employeecount.min"}, []string{"employeeCount.min"}, []string{"employeeCount"}},
	{call.Place{Type: call.Group, Path: "plan"}, []string{hint}, nil},
	{call.Place{Type: call.Group, Path: "renewaldate"}, []string{"renewal_date", "renewalDate"}, nil},
	{call.Place{Type: call.Group, Path: "renewaldate.iso"}, []string{"renewal_date.iso"}, []string{"renewal_date", "renewalDate"}},
	{call.Place{Type: call.Identify, Path: "address"}, []string{above}, nil},
	{call.Place{Type: call.Identify, Path: "address.city.name"}, []string{"address.city.name"}, []string{"address.city", above}},
	{call.Place{Type: call.Identify, Path: "company"}, []string{aboveCustom}, nil},
	{call.Place{Type: call.Identify, Path: "company.size"}, []string{"company.size", "Company.Size"}, []string{aboveCustom}},
	{call.Place{Type: call.Identify, Path: "company.size.min"}, []string{"company.size.min"}, []string{"company.size", "Company.Size", aboveCustom}},
	{call.Place{Type: call.Identify, Path: "name.first"}, []string{"name.first"}, []string{"name"}},
	{call.Place{Type: call.Identify, Path: "seen"}, []string{"seen", "SEEN"}, nil},
	{call.Place{Type: call.Identify, Path: "seen.at"}, []string{"seen.at"}, []string{"seen", "SEEN"}},
}

// unmapped returns the strangers that no dimension is read from, in order.
func (o *oracle) unmapped(settings profile.Settings) (traits []directory.UnmappedTrait) {
	for _, s := range strangers {
		mapped := false
		for _, d := range settings.Dimensions.All() {
			mapped = mapped || slices.ContainsFunc(d.From, func(p call.Place) bool {
				return p.Type == s.place.Type && slices.Contains(s.spellings, p.Path)
			})
		}
		if t := o.count(s); t.LastSeenMS > 0 && !mapped {
			traits = append(traits, t)
		}
	}
	return traits
}

// count counts one stranger over all accounts, and over the users of none.
func (o *oracle) count(s stranger) directory.UnmappedTrait {
	t := directory.UnmappedTrait{Name: s.place.String()}
	for _, account := range []string{"", "a1", "a2", "a3"} {
		has := false
		for _, calls := range o.subjects(account, s.place.Type) {
			stands := s.latest(calls)
			if stands == nil {
				continue
			}
			has = true
			t.Looks |= looks(stands.value)
			t.LastSeenMS = max(t.LastSeenMS, stands.at.TimeMS)
			if t.Place.Path == "" || stands.path < t.Place.Path {
				t.Place = call.Place{Type: s.place.Type, Path: stands.path}
			}
		}
		if has && account != "" {
			t.Accounts++
		}
	}
	return t
}

// latest returns what stands at the stranger's place after some calls, or nil.
func (s stranger) latest(calls []call.Call) *spoken {
	var all, over []spoken
	for _, c := range calls {
		for _, t := range c.Traits {
			said := spoken{path: t.Path, value: t.Value, at: call.Position{TimeMS: c.TimeMS, MessageID: c.MessageID}}
			switch {
			case c.Type != s.place.Type, t.Value == nothing:
			case slices.Contains(s.spellings, t.Path):
				all = append(all, said)
			case slices.Contains(s.above, t.Path):
				over = append(over, said)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	last := slices.MinFunc(all, func(a, b spoken) int {
		if c := b.at.Compare(a.at); c != 0 || a.empty() == b.empty() {
			return cmp.Or(c, cmp.Compare(a.path, b.path))
		}
		return map[bool]int{true: 1, false: -1}[a.empty()]
	})
	if slices.ContainsFunc(over, func(o spoken) bool { return o.at.Compare(last.at) > 0 }) ||
		last.value.Kind == call.Null || last.value.Kind == call.String && last.value.Text == "" {
		return nil
	}
	return &last
}

func looks(v call.Value) profile.Looks {
	switch {
	case v.Kind == call.Number:
		return profile.LikeNumber
	case v.Kind == call.Bool:
		return profile.LikeFlag
	case v.Text == "2026-11-01":
		return profile.LikeDate
	}
	return profile.LikeText
}
