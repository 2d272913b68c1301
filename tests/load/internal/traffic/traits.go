package traffic

import "strconv"

// Trait is a trait by the contract's name.
type Trait struct{ Name, Value string }

var (
	firstNames = []string{"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Ken", "Margaret", "Leslie"}
	titles     = []string{"Analyst", "Manager", "Director", "Engineer", "Consultant", "Controller", "Vice President", "Owner"}
	industries = []string{"Software", "Logistics", "Retail", "Energy", "Health", "Banking", "Media"}
)

// UserTraits are the traits that an identify call sets: some are always those of its user, the others change from call to call.
func (*Stream) UserTraits(c Call) []Trait {
	u, id := uint64(c.User), spread(c.User)
	return []Trait{
		{"first_name", firstNames[u%uint64(len(firstNames))]},
		{"last_name", "Lovelace-" + id},
		{"email", id + "@example.com"},
		{"title", titles[c.noise>>8%uint64(len(titles))]},
		{"phone", "+1-555-" + strconv.FormatUint(1000+c.noise%9000, 10)},
	}
}

// AccountTraits are the traits that a group call sets, but for the number of employees, which changes from call to call as its industry does.
func (*Stream) AccountTraits(c Call) []Trait {
	return []Trait{
		{"name", "Company " + spread(c.Account)},
		{"createdAt", "2024-03-05T08:00:00.000Z"},
		{"industry", industries[c.noise>>8%uint64(len(industries))]},
		{"website", "https://" + spread(c.Account) + ".example.com"},
	}
}

// Employees is the number of employees that a group call sets.
func (*Stream) Employees(c Call) uint64 { return 10 + c.noise%5000 }

func appendTraits(b []byte, traits []Trait) []byte {
	for i, t := range traits {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, t.Name...)
		b = append(b, `":"`...)
		b = append(b, t.Value...)
		b = append(b, '"')
	}
	return b
}
