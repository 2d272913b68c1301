package profile_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

var userSpellings = map[string]string{
	"first_name":      "first_name firstName firstname FirstName FIRST_NAME first-name",
	"last_name":       "last_name lastName lastname",
	"email":           "email Email",
	"phone":           "phone",
	"mobile_phone":    "mobile_phone mobilePhone mobile",
	"salutation":      "salutation",
	"title":           "title",
	"role":            "role",
	"department":      "department",
	"mailing_street":  "mailing_street mailingStreet address.street street",
	"mailing_city":    "mailing_city mailingCity address.city Address.City city",
	"mailing_state":   "mailing_state mailingState address.state state",
	"mailing_country": "mailing_country mailingCountry address.country country",
	"mailing_postal": "mailing_postal mailingPostal mailing_postal_code mailingPostalCode address.postalCode address.postal_code " +
		"address.postalcode address.zip address.zipCode address.zip_code address.zipcode",
}

var accountSpellings = map[string]string{
	"name":            "name Name",
	"createdAt":       "createdAt created_at createdat created join_date joinDate",
	"email":           "email",
	"description":     "description",
	"phone":           "phone",
	"website":         "website url domain",
	"industry":        "industry",
	"employees":       "employees employee_count employeeCount numberOfEmployees number_of_employees",
	"tier":            "tier plan",
	"lifecycle_stage": "lifecycle_stage lifecycleStage stage",
	"billing_street":  "billing_street billingStreet address.street",
	"billing_city":    "billing_city biling_city billingCity bilingCity address.city",
	"billing_state":   "billing_state billingState address.state",
	"billing_country": "billing_country billingCountry address.country",
	"billing_postal": "billing_postal billingPostal billing_postal_code billingPostalCode address.postalCode address.postal_code " +
		"address.postalcode address.zip address.zipCode address.zip_code address.zipcode",
	"is_churned": "is_churned isChurned churned",
}

// forms returns a name as senders' languages and habits write it.
func forms(name string) []string {
	words := strings.Split(name, "_")
	title := func(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
	camel, pascal := words[0], title(words[0])
	for _, word := range words[1:] {
		camel, pascal = camel+title(word), pascal+title(word)
	}
	return []string{
		name, camel, pascal, strings.ToUpper(name), strings.ToLower(camel), strings.Join(words, "-"), strings.Join(words, " "), title(name),
	}
}

// spellings returns the forms of all spellings in text.
func spellings(text string) (all []string) {
	for spelling := range strings.FieldsSeq(text) {
		all = append(all, forms(spelling)...)
	}
	return all
}

func TestTheTablesOfSpellingsHoldEveryTraitOfTheContract(t *testing.T) {
	for name, c := range map[string]struct {
		table map[string]string
		want  string
	}{
		"user": {userSpellings, "department email first_name last_name mailing_city mailing_country mailing_postal mailing_state mailing_street " +
			"mobile_phone phone role salutation title"},
		"account": {accountSpellings, "billing_city billing_country billing_postal billing_state billing_street createdAt description email " +
			"employees industry is_churned lifecycle_stage name phone tier website"},
	} {
		if got := strings.Join(slices.Sorted(maps.Keys(c.table)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestEverySpellingOfEveryUserTraitIsRead(t *testing.T) {
	for trait, text := range userSpellings {
		for _, spelling := range spellings(text) {
			v := profile.ViewUser(sent(at(1), spelling, str("x")))
			if len(v.Values) != 1 || v.Values[trait].Text != "x" || len(v.Problems) != 0 {
				t.Errorf("%s = %+v, want %s alone", spelling, v, trait)
			}
		}
	}
}

func TestEverySpellingOfEveryAccountTraitIsRead(t *testing.T) {
	settings := profile.Settings{Tiers: []string{"gold"}, LifecycleStages: []string{"live"}}
	good := map[string]struct {
		send call.Value
		want profile.Value
	}{
		"createdAt":       {str("1970-01-01T00:00:07Z"), profile.Value{TimeMS: 7000}},
		"employees":       {num("12"), profile.Value{Number: 12}},
		"tier":            {str("gold"), profile.Value{Text: "gold"}},
		"lifecycle_stage": {str("live"), profile.Value{Text: "live"}},
		"is_churned":      {call.Value{Kind: call.Bool, Text: "true"}, profile.Value{Bool: true}},
	}
	for trait, text := range accountSpellings {
		sample, special := good[trait]
		if !special {
			sample.send, sample.want = str("x"), profile.Value{Text: "x"}
		}
		for _, spelling := range spellings(text) {
			v := profile.ViewAccount(sent(at(1), spelling, sample.send), settings)
			if got, ok := v.Values[trait]; !ok || got != sample.want || len(v.Values) != 1 || len(v.Problems) != 0 {
				t.Errorf("%s = %+v, want %s alone", spelling, v, trait)
			}
		}
	}
}

func TestOtherNamesAreNoTraits(t *testing.T) {
	for _, path := range []string{
		"plan", "avatar", "address", `address\.city`, "home.address.city", "emails", "first.name", "addresses.city.name", "firstname2", "",
	} {
		if v := profile.ViewUser(sent(at(1), path, str("x"))); len(v.Values)+len(v.Problems) != 0 {
			t.Errorf("user's %q read as %+v", path, v)
		}
		if v := profile.ViewAccount(sent(at(1), path, str("x")), profile.Settings{}); len(v.Values)+len(v.Problems) != 0 {
			t.Errorf("account's %q read as %+v", path, v)
		}
	}
}
