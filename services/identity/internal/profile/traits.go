package profile

// kind is what a trait's value must be.
type kind int8

const (
	asText        kind = iota // any text
	asDescription             // text of at most maxDescription characters
	asNumber                  // 0 or more
	asTime                    // a time
	asFlag                    // true or false
	asTier                    // a name in Settings.Tiers
	asStage                   // a name in Settings.LifecycleStages
)

// trait is one trait of the contract and how it may be spelled.
type trait struct {
	// name is the contract's own.
	name string
	kind kind
	// others are further spellings, the more telling first. Case, "_", "-" and spaces make no difference between spellings, so
	// firstName needs no entry beside first_name.
	others []string
	// hint is a spelling that often means something else. It counts only where its value is one that the trait may have.
	hint string
}

// fullName is no trait of a user, but first and last name can be read from it.
const fullName = "name"

//nolint:gochecknoglobals // a table that nothing changes
var userTraits = newSchema([]trait{
	{name: "first_name"},
	{name: "last_name"},
	{name: "email"},
	{name: "phone"},
	{name: "mobile_phone", others: []string{"mobile"}},
	{name: "salutation"},
	{name: "title"},
	{name: "role"},
	{name: "department"},
	{name: "mailing_street", others: []string{"address.street", "street"}},
	{name: "mailing_city", others: []string{"address.city", "city"}},
	{name: "mailing_state", others: []string{"address.state", "state"}},
	{name: "mailing_postal", others: []string{"address.postal_code", "mailing_postal_code", "address.zip", "address.zip_code"}},
	{name: "mailing_country", others: []string{"address.country", "country"}},
	{name: fullName},
})

//nolint:gochecknoglobals // a table that nothing changes
var accountTraits = newSchema([]trait{
	{name: "name"},
	{name: "createdAt", kind: asTime, others: []string{"created", "join_date"}},
	{name: "email"},
	{name: "description", kind: asDescription},
	{name: "phone"},
	{name: "website", others: []string{"url", "domain"}},
	{name: "industry"},
	{name: "employees", kind: asNumber, others: []string{"employee_count", "number_of_employees"}},
	{name: "tier", kind: asTier, hint: "plan"},
	{name: "lifecycle_stage", kind: asStage, others: []string{"stage"}},
	{name: "billing_street", others: []string{"address.street"}},
	{name: "billing_city", others: []string{"biling_city", "address.city"}}, // the contract itself has the slip
	{name: "billing_state", others: []string{"address.state"}},
	{name: "billing_postal", others: []string{"address.postal_code", "billing_postal_code", "address.zip", "address.zip_code"}},
	{name: "billing_country", others: []string{"address.country"}},
	{name: "is_churned", kind: asFlag, others: []string{"churned"}},
})
