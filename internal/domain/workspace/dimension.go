package workspace

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

// Dimension is something that one customer of Sojourn wants to know of each account, beside what the contract names. It is read from traits
// that calls sent, also those that came before the dimension was configured.
type Dimension struct {
	// Name is the dimension's own, within the workspace.
	Name string `yaml:"name"`
	// Type is "string", "number" or "date".
	Type DimensionType `yaml:"type"`
	// From says where the value stands, as call.Place writes it, such as "group.plan". The first place that has a value counts.
	From []string `yaml:"from"`
}

// DimensionType is what a dimension's values are.
type DimensionType string

// The types of dimensions.
const (
	String DimensionType = "string"
	Number DimensionType = "number"
	Date   DimensionType = "date"
)

// Places returns where the value stands, of a dimension that passed the check.
func (d *Dimension) Places() []call.Place {
	places := make([]call.Place, 0, len(d.From))
	for _, from := range d.From {
		if place, err := call.ParsePlace(from); err == nil {
			places = append(places, place)
		}
	}
	return places
}

// maxNameBytes is how long a dimension's name may be.
const maxNameBytes = 100

func (p *problems) dimensions(where string, dimensions []Dimension) {
	seen := map[string]bool{}
	for i := range dimensions {
		d, at := &dimensions[i], fmt.Sprintf("%s[%d]", where, i)
		switch {
		case d.Name == "":
			p.add("%s.name: required", at)
		case len(d.Name) > maxNameBytes:
			p.add("%s.name: longer than %d bytes", at, maxNameBytes)
		case seen[d.Name]:
			p.add("%s.name: %q stands twice", at, d.Name)
		}
		seen[d.Name] = true
		if d.Type != String && d.Type != Number && d.Type != Date {
			p.add("%s.type: not string, number or date", at)
		}
		p.places(at+".from", d.From)
	}
}

func (p *problems) places(where string, from []string) {
	if len(from) == 0 {
		p.add("%s: at least one is required", where)
	}
	seen := map[string]bool{}
	for i, text := range from {
		if _, err := call.ParsePlace(text); err != nil {
			p.add("%s[%d]: %w", where, i, err)
		} else if seen[text] {
			p.add("%s[%d]: %q stands twice", where, i, text)
		}
		seen[text] = true
	}
}
