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
	// From says where the value stands, as call.Place writes it, such as "group.plan". The first place that has a value counts. What a
	// source's mapping finds goes before all of them; where there is one, From may be empty.
	From []string `yaml:"from,omitempty"`
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

// Mapped returns the names of the dimensions that any source is mapped to find values for.
func (w *Workspace) Mapped() map[string]bool {
	mapped := map[string]bool{}
	for i := range w.Sources {
		if m := w.Sources[i].Mapping; m != nil {
			for name, rules := range m.Dimensions {
				mapped[name] = mapped[name] || len(rules) > 0
			}
		}
	}
	return mapped
}

// maxNameBytes is how long a dimension's name may be.
const maxNameBytes = 100

// dimensions checks the dimensions of a workspace, and returns their names.
func (p *problems) dimensions(where string, w *Workspace) map[string]bool {
	seen, mapped := map[string]bool{}, w.Mapped()
	for i := range w.Dimensions {
		d, at := &w.Dimensions[i], fmt.Sprintf("%s[%d]", where, i)
		switch {
		case d.Name == "":
			p.add("%s.name: required", at)
		case len(d.Name) > maxNameBytes:
			p.add("%s.name: longer than %d bytes", at, maxNameBytes)
		case seen[d.Name]:
			p.add("%s.name: %q stands twice: take another one", at, d.Name)
		}
		seen[d.Name] = true
		if d.Type != String && d.Type != Number && d.Type != Date {
			p.add("%s.type: not string, number or date", at)
		}
		if len(d.From) == 0 && !mapped[d.Name] {
			p.add("%s.from: at least one is required, or a mapping of a source", at)
		}
		p.places(at+".from", d.From)
	}
	return seen
}

func (p *problems) places(where string, from []string) {
	seen := map[string]bool{}
	for i, text := range from {
		if _, err := call.ParsePlace(text); err != nil {
			p.add("%s[%d]: %w", where, i, err)
		} else if seen[text] {
			p.add("%s[%d]: %q stands twice: take one away", where, i, text)
		}
		seen[text] = true
	}
}
