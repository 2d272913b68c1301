package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// product is the modules of the imaginary product and the features of each.
var product = []struct {
	module   string
	features []string
}{
	{"Dashboard", []string{
		"Dashboard Viewed", "Widget Added", "Widget Moved", "Date Range Changed", "Dashboard Shared",
		"Snapshot Exported", "Goal Set", "Alert Acknowledged",
	}},
	{"Billing", []string{
		"Invoice Created", "Invoice Sent", "Payment Recorded", "Credit Note Issued", "Tax Rate Changed",
		"Dunning Started", "Statement Downloaded", "Refund Made",
	}},
	{"Projects", []string{
		"Project Created", "Task Added", "Task Completed", "Milestone Reached", "File Attached",
		"Comment Posted", "Board Rearranged", "Template Used",
	}},
	{"Reports", []string{
		"Report Built", "Report Scheduled", "Chart Exported", "Filter Saved", "Report Shared",
		"Column Added", "Pivot Opened",
	}},
	{"Contacts", []string{
		"Contact Added", "Contact Imported", "Contact Merged", "Note Written", "Tag Applied",
		"Segment Saved", "Call Logged",
	}},
	{"Automation", []string{
		"Rule Created", "Rule Enabled", "Rule Tested", "Webhook Added", "Run History Viewed",
		"Schedule Changed", "Rule Disabled",
	}},
	{"Integrations", []string{
		"Integration Connected", "Integration Removed", "Sync Started", "Field Mapped", "API Key Created",
		"Error Log Viewed", "Sandbox Opened",
	}},
	{"Settings", []string{
		"Member Invited", "Role Changed", "Plan Viewed", "Password Changed", "Branding Updated",
		"Audit Log Viewed", "Locale Changed", "Seats Added",
	}},
}

var companies = []string{
	"Alder & Finch", "Brightwater", "Cobalt Freight", "Dunmore Labs", "Elm Street Dental", "Fathom Media", "Granite Peak", "Harbor Lane",
	"Ironwood Legal", "Juniper Foods", "Kestrel Air", "Lumen Optics", "Marlow Studios", "Northgate Homes", "Oakline Bank",
	"Pinecrest Health",
	"Quarry Tools", "Ridgeway Schools", "Silverbrook", "Tidewater Energy",
}

var (
	firstNames = []string{
		"Ada", "Ben", "Chloe", "Dev", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kira", "Liam", "Mara", "Noah", "Olga",
		"Pavel", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wen", "Ximena", "Yusuf", "Zoe",
	}
	lastNames = []string{
		"Abel", "Brandt", "Castro", "Dahl", "Egan", "Fischer", "Gupta", "Hansen", "Ito", "Jensen", "Keller", "Lopez", "Meyer",
		"Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Turner", "Ueda", "Vogel", "Weber", "Young", "Zhang",
	}
	industries = []string{"Logistics", "Media", "Healthcare", "Education", "Finance", "Retail", "Energy", "Manufacturing"}
	titles     = []string{
		"Account Manager", "Analyst", "Controller", "Coordinator", "Director", "Engineer", "Head of Operations", "Office Manager",
		"Team Lead",
	}
	tiers  = []string{"trial", "starter", "starter", "growth", "growth", "enterprise"}
	stages = []string{"onboarding", "adoption", "adoption", "renewal", "at risk"}
)

// account is a customer of the imaginary company.
type account struct {
	id, name, industry, tier, stage string
	employees                       int
	users                           []user
	// eagerness is how much its people use the product, from 0 to 1.
	eagerness float64
	// complete accounts have sent both name and createdAt.
	complete bool
	// modules are the ones it has discovered, as indexes into product.
	modules []int
}

// user is one of an account's people.
type user struct {
	id, first, last, title string
	// device is the anonymousId that the browser keeps.
	device string
	// also is a second account that the same userId is used in, against the contract; empty for nearly all.
	also string
}

const userCount = 300

// newCompany invents the customers. The same seed gives the same ones.
func newCompany(rng *rand.Rand) []account {
	accounts := make([]account, len(companies))
	for i, name := range companies {
		a := &accounts[i]
		a.id = "acct-" + strings.ToLower(strings.NewReplacer(" & ", "-", " ", "-").Replace(name))
		a.name, a.industry = name, pick(rng, industries)
		a.tier, a.stage = pick(rng, tiers), pick(rng, stages)
		a.employees = 20 + rng.IntN(900)
		a.eagerness = 0.15 + 0.8*rng.Float64()
		a.complete = i != len(companies)-1
		a.modules = rng.Perm(len(product))[:3+rng.IntN(len(product)-2)]
	}
	for i := range userCount {
		// Squaring makes a few customers large and most of them small, as in life.
		a := &accounts[int(rng.Float64()*rng.Float64()*float64(len(accounts)))]
		if i < len(accounts) {
			a = &accounts[i]
		}
		u := user{
			id:    fmt.Sprintf("user-%03d", i+1),
			first: pick(rng, firstNames), last: pick(rng, lastNames), title: pick(rng, titles),
			device: uuid(rng),
		}
		if i%100 == 99 {
			u.also = accounts[(i/100)%len(accounts)].id
		}
		a.users = append(a.users, u)
	}
	return accounts
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

func uuid(rng *rand.Rand) string {
	a, b := rng.Uint64(), rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}
